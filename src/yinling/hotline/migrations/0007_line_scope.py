"""Row-level security of the line's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy

OWN = {
    "hotline_seatgroup": {"provider": "provider_id"},
    "hotline_seat": {"provider": "provider_id", "user": "user_id"},
    "hotline_seatspan": {},
    "hotline_seattraining": {"append_only": True},
    "hotline_calloffer": {},
    "hotline_recording": {"provider": "provider_id"},
    "hotline_callback": {},
    "hotline_roster": {},
    "hotline_shift": {},
    "hotline_shiftswap": {},
    "hotline_seatleave": {},
    "hotline_reminder": {"provider": "provider_id", "append_only": True},
    "hotline_supervision": {"provider": "provider_id"},
    "hotline_tickettemplate": {},
    "hotline_article": {},
    "hotline_exchange": {},
    "hotline_exchangemessage": {"append_only": True},
    "hotline_qualitysample": {"provider": "provider_id"},
    "hotline_linecontract": {"provider": "provider_id"},
    "hotline_operatorstatement": {"provider": "provider_id"},
}
CALLS = "DROP POLICY scope ON hotline_call; DROP POLICY IF EXISTS audit ON hotline_call; "


class Migration(migrations.Migration):
    """Policies; the calls of a contracted company's seats are its own rows too (R-CALL-12)."""

    dependencies = [("hotline", "0006_line")]

    operations = [
        *[migrations.RunSQL(scope_policy(table, **own), migrations.RunSQL.noop) for table, own in OWN.items()],
        migrations.RunSQL(
            CALLS + scope_policy("hotline_call", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop
        ),
    ]
