"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "home_beds_homesickbed": OWN,
    "home_beds_bedstay": OWN,
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("home_beds", "0001_initial")]

    operations = [guards(POLICIES)]
