"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "dispatch_assignment": OWN,
    "dispatch_dayplan": {"provider": "provider_id"},
    "dispatch_plannedvisit": {"provider": "provider_id"},
    "dispatch_correction": {"provider": "provider_id"},
    "dispatch_avoidance": OWN,
    "dispatch_claimstop": {"provider": "provider_id"},
}
# A factor of a street names nobody, and the planner of any provider must find the one that was confirmed.
COMMON = "CREATE POLICY common ON dispatch_correction FOR SELECT TO PUBLIC USING (provider_id IS NULL)"


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("dispatch", "0001_initial")]

    operations = [guards(POLICIES, COMMON)]
