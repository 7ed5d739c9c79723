"""Totals of the ledger by trigger, closed periods, and row-level security of the tables about money."""

from django.db import migrations, models

from yinling.ground.scope import scope_policy

BOOKED = """
ALTER TABLE settlement_ledgerentry DISABLE TRIGGER USER;
UPDATE settlement_ledgerentry e SET booked_on = (p.posted_at AT TIME ZONE 'Asia/Shanghai')::date
    FROM settlement_posting p WHERE p.id = e.posting_id;
INSERT INTO settlement_ledgertotal (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count)
    SELECT left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), count(*)
    FROM settlement_ledgerentry GROUP BY left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period;
ALTER TABLE settlement_ledgerentry ENABLE TRIGGER USER;
SET CONSTRAINTS ALL IMMEDIATE;
"""
# The owner's functions see every row: a street officer who books must meet a month that the city closed.
GUARDS = """
CREATE FUNCTION settlement_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM settlement_closing c JOIN (SELECT DISTINCT div, period FROM fresh) n ON n.period = c.month
               WHERE c.closed_at IS NOT NULL AND starts_with(n.div, c.div)) THEN
        RAISE EXCEPTION 'the period is closed' USING ERRCODE = '23514', CONSTRAINT = 'ledger_period_open';
    END IF;
    INSERT INTO settlement_ledgertotal (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count)
        SELECT left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), count(*)
        FROM fresh GROUP BY left(div, 9), account, unit, business, fund, scheme_id, provider_id, booked_on, period;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_booked AFTER INSERT ON settlement_ledgerentry
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION settlement_booked();

CREATE FUNCTION settlement_open_period(area text, wanted date) RETURNS date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date := date_trunc('month', wanted)::date;
BEGIN
    WHILE EXISTS (SELECT FROM settlement_closing c WHERE c.month = settlement_open_period.month AND c.closed_at IS NOT NULL
                  AND starts_with(area, c.div)) LOOP
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN month;
END $$;

CREATE FUNCTION settlement_merge_totals() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH many AS (
        SELECT div, account, unit, business, fund, scheme_id, provider_id, booked_on, period FROM settlement_ledgertotal
        GROUP BY div, account, unit, business, fund, scheme_id, provider_id, booked_on, period HAVING count(*) > 1
    ), gone AS (
        DELETE FROM settlement_ledgertotal t USING many m
        WHERE (t.div, t.account, t.unit, t.business, t.fund, t.booked_on, t.period)
            = (m.div, m.account, m.unit, m.business, m.fund, m.booked_on, m.period)
            AND t.scheme_id IS NOT DISTINCT FROM m.scheme_id AND t.provider_id IS NOT DISTINCT FROM m.provider_id
        RETURNING t.*
    ), merged AS (
        INSERT INTO settlement_ledgertotal (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count)
        SELECT div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), sum(entry_count)::int
        FROM gone GROUP BY div, account, unit, business, fund, scheme_id, provider_id, booked_on, period RETURNING 1
    )
    SELECT count(*) FROM merged
$$;
"""
OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "claimedtime": OWN, "closing": {}, "transfer": OWN, "deduction": {"provider": "provider_id", "append_only": True},
    "claim": {"provider": "provider_id"}, "claimline": {"provider": "provider_id"}, "remittance": {"append_only": True},
    "bankaccount": OWN, "payout": {}, "payoutline": OWN, "invoice": OWN, "payment": OWN, "paymentbill": {},
    "reimbursement": {"elder": "elder_id"}, "expensepaper": {"elder": "elder_id"}, "distribution": {"provider": "provider_id"},
    "staffshare": {"provider": "provider_id", "staff": "staff_id"}, "ledgertotal": {"provider": "provider_id"},
}  # fmt: skip


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("settlement", "0007_money")]

    operations = [
        migrations.RunSQL(BOOKED, migrations.RunSQL.noop),
        migrations.AlterField("ledgerentry", "booked_on", models.DateField()),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        *[migrations.RunSQL(scope_policy(f"settlement_{name}", **own), migrations.RunSQL.noop) for name, own in POLICIES.items()],
    ]
