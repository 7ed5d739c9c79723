"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

POLICIES = {
    "indicators_value": {},
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("indicators", "0001_initial")]

    operations = [guards(POLICIES)]
