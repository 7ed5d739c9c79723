"""Row-level security of this context's tables, and the count behind an agreement. Agreements are public facts about bodies."""

from django.db import migrations

from yinling.ground.installing import guards
from yinling.ground.scope import audit_policy, division_sql, revoke_sql

OWN = {"elder": "elder_id"}
POLICIES = {
    "entitlements_entitlement": OWN,
    "entitlements_quota": OWN,
    "entitlements_standing": OWN,
    "entitlements_application": OWN,
    "entitlements_paper": OWN,
    "entitlements_objection": {},
    "entitlements_commitment": {},
    "entitlements_recheck": {**OWN, "append_only": True},
    "entitlements_budgetline": {},
}
NOTICE = "entitlements_publicnotice"
BUDGET = "entitlements_budget"
# Everybody may read what hangs in public; only those of the area write it.
PUBLIC = f"""
ALTER TABLE {NOTICE} ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON {NOTICE} FOR SELECT TO PUBLIC USING (true);
CREATE POLICY scope_write ON {NOTICE} FOR INSERT TO PUBLIC WITH CHECK ({division_sql()});
{revoke_sql(NOTICE)};
"""
# What is left of an agreement anybody may read; it names nobody. Only an area or the system moves it, for whoever orders.
COUNTED = "entitlements_agreementquota"
AREA = "nullif(current_setting('yinling.scope', true), '') IS NOT NULL"
AGREED = f"""
ALTER TABLE {COUNTED} ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON {COUNTED} FOR SELECT TO PUBLIC USING (true);
CREATE POLICY scope_insert ON {COUNTED} FOR INSERT TO PUBLIC WITH CHECK ({AREA});
CREATE POLICY scope_update ON {COUNTED} FOR UPDATE TO PUBLIC USING ({AREA}) WITH CHECK ({AREA});
"""
# A budget of the city bears the elders of its districts: who decides there sees it and draws on it.
BELOW = f"({division_sql()} OR starts_with(nullif(current_setting('yinling.scope', true), ''), div))"
SHARED = f"""
ALTER TABLE {BUDGET} ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON {BUDGET} FOR ALL TO PUBLIC USING ({BELOW}) WITH CHECK ({BELOW});
{audit_policy(BUDGET)};
"""
# Orders come later in the service loop; plpgsql looks their tables up when it is called. A family that books sees its own orders only,
# and the count of an agreement is about everybody's.
BOUGHT = """
CREATE FUNCTION entitlements_bought(provider bigint, payer text, since timestamptz, until timestamptz)
RETURNS TABLE (code text, times bigint, fen bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT i.code::text, count(DISTINCT o.id), sum(s.amount_fen)::bigint
    FROM orders_order o
    JOIN orders_payershare s ON s.order_id = o.id AND s.payer = entitlements_bought.payer AND s.amount_fen > 0
    JOIN orders_orderline l ON l.id = s.line_id AND l.dropped_at IS NULL
    JOIN catalogue_serviceitem i ON i.id = l.item_id
    WHERE o.provider_id = entitlements_bought.provider AND o.starts_at >= since AND o.starts_at < until
        AND o.state NOT IN ('draft', 'cancelled', 'failed')
    GROUP BY i.code;
END $$;
COMMENT ON FUNCTION entitlements_bought IS 'Orders and money by item of one provider and payer and nothing else, for the count of an agreement';
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("entitlements", "0001_initial")]

    operations = [guards(POLICIES, PUBLIC, SHARED, AGREED, BOUGHT)]
