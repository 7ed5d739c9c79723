"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

POLICIES = {
    "supervision_finding": {"provider": "provider_id"},
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("supervision", "0001_initial")]

    operations = [guards(POLICIES)]
