"""Shares frozen before shares kept the counters they draw on: the money of the month of the service day."""

from django.db import migrations

FILL = """
UPDATE orders_payershare s SET uses = jsonb_build_array(jsonb_build_array(
    'fen', 'month', date_trunc('month', o.starts_at AT TIME ZONE 'Asia/Shanghai')::date::text, s.amount_fen))
FROM orders_order o, entitlements_entitlement e
WHERE o.id = s.order_id AND e.id = s.entitlement_id AND e.monthly_cap_fen IS NOT NULL AND s.amount_fen > 0 AND s.uses = '[]'
"""


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("orders", "0006_money"), ("entitlements", "0008_money")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
