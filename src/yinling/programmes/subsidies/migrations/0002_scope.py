"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.installing import guards

POLICIES = {
    "subsidies_subsidy": {"provider": "provider_id"},
    "subsidies_spending": {"provider": "provider_id", "append_only": True},
    "subsidies_donation": {},
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("subsidies", "0001_initial")]

    operations = [guards(POLICIES)]
