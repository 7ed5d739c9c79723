"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "family_doctor_doctorcontract": OWN,
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("family_doctor", "0001_initial")]

    operations = [guards(POLICIES)]
