"""What one chain of payers was charged for, item by item; and nobody books into a month that is being closed."""

import django.db.models.deletion
from django.db import migrations, models

from yinling.ground.scope import scope_policy

MOVED = """
INSERT INTO settlement_claimeditem (div, posting_id, order_id, elder_id, provider_id, item_id, starts_at, is_live)
    SELECT p.div, p.id, p.order_id, p.elder_id, p.provider_id, split_part(p.claim, ':', 2)::bigint,
        to_timestamp(split_part(p.claim, ':', 3)::bigint),
        NOT EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = p.id)
    FROM settlement_posting p WHERE p.claim IS NOT NULL AND p.order_id IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""
# Whoever books holds the lock of the city shared until the end, whoever closes holds it alone: no entry slips in between.
BOOKED = """
CREATE OR REPLACE FUNCTION settlement_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('settlement.closing'), hashtext(city))
        FROM (SELECT DISTINCT left(div, 4) AS city FROM fresh ORDER BY 1) cities;
    IF EXISTS (SELECT FROM settlement_closing c JOIN (SELECT DISTINCT div, period FROM fresh) n ON n.period = c.month
               WHERE c.closed_at IS NOT NULL AND starts_with(n.div, c.div)) THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = '23514', CONSTRAINT = 'ledger_period_open';
    END IF;
    INSERT INTO settlement_ledgertotal (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count)
        SELECT left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), count(*)
        FROM fresh GROUP BY left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION settlement_open_period(area text, wanted date) RETURNS date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer date := date_trunc('month', wanted)::date;
BEGIN
    WHILE EXISTS (SELECT FROM settlement_closing c WHERE c.month = answer AND c.closed_at IS NOT NULL AND starts_with(area, c.div)) LOOP
        answer := (answer + interval '1 month')::date;
    END LOOP;
    RETURN answer;
END $$;
"""


class Migration(migrations.Migration):
    """One row for each claimed service, which a reversal frees; whoever closes a month waits for those who book into it."""

    dependencies = [
        ('catalogue', '0004_money'),
        ('directory', '0007_money'),
        ('orders', '0006_money'),
        ('people', '0010_city_size'),
        ('settlement', '0008_money_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClaimedItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('starts_at', models.DateTimeField()),
                ('is_live', models.BooleanField(default=True)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('posting', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.posting')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['posting'], name='claimed_item_posting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('elder', 'item', 'starts_at'), name='claimed_item_once')],
            },
        ),
        migrations.RunSQL(MOVED, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='posting',
            name='claim',
        ),
        migrations.RunSQL(BOOKED, migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_claimeditem", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
