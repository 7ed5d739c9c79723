"""What was bought of a provider for a payer, counted over all elders."""

from django.db import migrations

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
    """What only SQL can say."""

    dependencies = [("entitlements", "0009_scope_of_budget_lines")]

    operations = [migrations.RunSQL(BOUGHT, migrations.RunSQL.noop)]
