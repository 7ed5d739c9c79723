"""Row-level security of this context's tables, and how heartbeats are forgotten."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "devices_device": OWN,
    "devices_delivery": {"append_only": True},
    "devices_deviceevent": {**OWN, "append_only": True},
    "devices_alarm": OWN,
    "devices_alarmstep": OWN,
    "devices_devicetask": OWN,
}
# The role that serves may delete nothing; through this function only heartbeats of its own area, and never of the last seven days.
FORGET = """
CREATE FUNCTION devices_forget(asked timestamptz, most int, OUT heartbeats bigint, OUT deliveries bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    area text := nullif(current_setting('yinling.scope', true), '');
    moved interval := make_interval(secs => coalesce((SELECT seconds FROM ground_clockoffset WHERE id = 1), 0));
    before timestamptz := least(asked, now() + moved - interval '7 days');
BEGIN
    DELETE FROM devices_deviceevent WHERE id IN (
        SELECT id FROM devices_deviceevent WHERE kind IN ('hb', 'batt') AND ts_rx < before AND div >= area AND div < area || ':'
        ORDER BY ts_rx LIMIT most
    );
    GET DIAGNOSTICS heartbeats = ROW_COUNT;
    DELETE FROM devices_delivery WHERE id IN (
        SELECT id FROM devices_delivery WHERE received_at < before AND div >= area AND div < area || ':'
            AND NOT jsonb_path_exists(outcomes, '$[*] ? (@.outcome != "taken" && @.outcome != "repeated")')
        ORDER BY received_at LIMIT most
    );
    GET DIAGNOSTICS deliveries = ROW_COUNT;
END $$
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("devices", "0001_initial")]

    operations = [guards(POLICIES, FORGET)]
