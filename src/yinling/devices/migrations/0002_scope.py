"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy

BOTH = {"provider": "provider_id", "elder": "elder_id"}
OWN = {
    "devices_device": BOTH,
    "devices_delivery": {"append_only": True},
    "devices_deviceevent": {**BOTH, "append_only": True},
    "devices_alarm": BOTH,
    "devices_alarmstep": BOTH,
    "devices_devicetask": BOTH,
}


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("devices", "0001_initial")]

    operations = [migrations.RunSQL(scope_policy(table, **own), migrations.RunSQL.noop) for table, own in OWN.items()]
