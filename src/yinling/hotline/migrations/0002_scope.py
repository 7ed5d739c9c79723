"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "hotline_call": OWN,
    "hotline_emergency": {"elder": "elder_id"},
    "hotline_handover": OWN,
    "hotline_ticket": OWN,
    "hotline_ticketnote": {**OWN, "append_only": True},
    "hotline_transfer": {"provider": "provider_id", "append_only": True},
    "hotline_reporter": {},
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
PROVIDER = "nullif(current_setting('yinling.provider', true), '')::bigint"
SCOPE = "nullif(current_setting('yinling.scope', true), '')"
# A contracted company reads, never writes, rows that only their seat, group or call tells to be its own (R-CALL-12).
COMPANY = {
    "hotline_seatspan": "hotline_seat s WHERE s.id = seat_id",
    "hotline_calloffer": "hotline_seat s WHERE s.user_id = hotline_calloffer.seat_id",
    "hotline_callback": "hotline_call s WHERE s.id = call_id",
    "hotline_roster": "hotline_seatgroup s WHERE s.id = group_id",
    "hotline_shift": "hotline_seat s WHERE s.id = seat_id",
    "hotline_shiftswap": "hotline_shift h JOIN hotline_seat s ON s.id = h.seat_id WHERE h.id = shift_id",
    "hotline_seatleave": "hotline_seat s WHERE s.id = seat_id",
}
# What a city publishes is read in its districts.
ABOVE = {"hotline_article": "state = 'published'", "hotline_tickettemplate": "is_active"}
# The one thing that a seat below writes about an article: that it was used.
USE = f"""
CREATE FUNCTION hotline_use_article(number bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE hotline_article SET use_count = use_count + 1
    WHERE id = number AND state = 'published' AND (starts_with({SCOPE}, div) OR starts_with(div, {SCOPE}));
$$;
"""


def own_line(table: str, rows: str) -> str:
    """Return the policy of a company's own seats, groups and calls."""
    return (
        f"CREATE POLICY own_line ON {table} FOR SELECT TO PUBLIC USING "
        f"({PROVIDER} IS NOT NULL AND EXISTS (SELECT FROM {rows} AND s.provider_id = {PROVIDER}))"
    )


def from_above(table: str, condition: str) -> str:
    """Return the policy that lets a part of an area read what holds in the whole of it."""
    return f"CREATE POLICY above ON {table} FOR SELECT TO PUBLIC USING ({condition} AND starts_with({SCOPE}, div))"


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("hotline", "0001_initial")]

    operations = [
        guards(POLICIES, *[own_line(*one) for one in COMPANY.items()], *[from_above(*one) for one in ABOVE.items()], USE)
    ]
