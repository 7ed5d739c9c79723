"""Row-level security of this context's tables, and the ledger's own guards: balance, closed months, totals by trigger."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "settlement_posting": {**OWN, "append_only": True},
    "settlement_ledgerentry": {**OWN, "append_only": True},
    "settlement_charge": {**OWN, "append_only": True},
    "settlement_claimeditem": OWN,
    "settlement_claimedtime": OWN,
    "settlement_closing": {},
    "settlement_ledgertotal": {"provider": "provider_id"},
    "settlement_areatotal": {},
    "settlement_transfer": OWN,
    "settlement_statement": {"provider": "provider_id"},
    "settlement_statementline": {"provider": "provider_id"},
    "settlement_deduction": {"provider": "provider_id", "append_only": True},
    "settlement_claim": {"provider": "provider_id"},
    "settlement_claimline": {"provider": "provider_id"},
    "settlement_remittance": {"append_only": True},
    "settlement_bankaccount": OWN,
    "settlement_payout": {},
    "settlement_payoutline": OWN,
    "settlement_invoice": {"provider": "provider_id"},
    "settlement_payment": OWN,
    "settlement_paymentbill": {},
    "settlement_refund": OWN,
    "settlement_recovery": {"elder": "elder_id"},
    "settlement_recoveryline": OWN,
    "settlement_reimbursement": {"elder": "elder_id"},
    "settlement_expensepaper": {"elder": "elder_id"},
    "settlement_distribution": {"provider": "provider_id"},
    "settlement_staffshare": {"provider": "provider_id", "staff": "staff_id"},
}
BALANCED = """
CREATE FUNCTION settlement_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(unit || ' ' || total, ', ') INTO wrong FROM (
        SELECT unit, sum(amount) AS total FROM settlement_ledgerentry WHERE posting_id = NEW.posting_id GROUP BY unit
    ) AS sums WHERE total <> 0;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'posting % is not balanced: %', NEW.posting_id, wrong USING ERRCODE = '23514', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON settlement_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION settlement_balanced();
"""
# The owner's functions see every row: a street officer who books must meet a month that the city closed. Whoever books holds the lock of
# the city shared until the end, whoever closes holds it alone: no entry slips in between.
BOOKED = """
CREATE FUNCTION settlement_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
CREATE TRIGGER ledger_booked AFTER INSERT ON settlement_ledgerentry
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION settlement_booked();

CREATE FUNCTION settlement_open_period(area text, wanted date) RETURNS date
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
# A roll-up takes what is committed and not rolled yet, whenever it was booked; one at a time. Whoever reads meanwhile sees all of it or nothing.
ROLLED = """
CREATE FUNCTION settlement_roll_totals() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement.totals'));
    WITH gone AS (
        DELETE FROM settlement_ledgertotal WHERE NOT is_rolled RETURNING *
    ), merged AS (
        INSERT INTO settlement_ledgertotal
            (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count, is_rolled)
        SELECT div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), sum(entry_count)::int, true
        FROM gone GROUP BY div, account, unit, business, fund, scheme_id, provider_id, booked_on, period RETURNING *
    ), areas AS (
        INSERT INTO settlement_areatotal (div, account, unit, business, fund, scheme_id, per, from_on, amount, entry_count)
        SELECT m.div, m.account, m.unit, m.business, m.fund, m.scheme_id, s.per, s.from_on, sum(m.amount), sum(m.entry_count)::int
        FROM merged m CROSS JOIN LATERAL (VALUES ('day', m.booked_on), ('month', date_trunc('month', m.booked_on)::date)) AS s(per, from_on)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (per, from_on, account, div, fund, business, unit, scheme_id) DO UPDATE
            SET amount = settlement_areatotal.amount + excluded.amount, entry_count = settlement_areatotal.entry_count + excluded.entry_count
    )
    SELECT count(*) INTO answer FROM merged;
    RETURN answer;
END $$;

CREATE FUNCTION settlement_merge_totals() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    answer bigint;
BEGIN
    PERFORM settlement_roll_totals();
    WITH many AS (
        SELECT div, account, unit, business, fund, scheme_id, provider_id, booked_on, period FROM settlement_ledgertotal WHERE is_rolled
        GROUP BY div, account, unit, business, fund, scheme_id, provider_id, booked_on, period HAVING count(*) > 1
    ), gone AS (
        DELETE FROM settlement_ledgertotal t USING many m
        WHERE (t.div, t.account, t.unit, t.business, t.fund, t.booked_on, t.period)
            = (m.div, m.account, m.unit, m.business, m.fund, m.booked_on, m.period)
            AND t.scheme_id IS NOT DISTINCT FROM m.scheme_id AND t.provider_id IS NOT DISTINCT FROM m.provider_id AND t.is_rolled
        RETURNING t.*
    ), merged AS (
        INSERT INTO settlement_ledgertotal
            (div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, amount, entry_count, is_rolled)
        SELECT div, account, unit, business, fund, scheme_id, provider_id, booked_on, period, sum(amount), sum(entry_count)::int, true
        FROM gone GROUP BY div, account, unit, business, fund, scheme_id, provider_id, booked_on, period RETURNING 1
    )
    SELECT count(*) INTO answer FROM merged;
    RETURN answer;
END $$;
"""
# A policy is asked row by row; a balance sums a hundred thousand rows. The owner's function asks the same once: what is summed lies in the
# area of whoever asks, or is the own organisation's. Without a provider: the months before that of the day, its days up to it, and what is
# not rolled yet. All in one statement, so of one moment.
BALANCE = """
CREATE FUNCTION settlement_balance(asked text, until date, area text, body bigint, source text, kind text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    seen text := nullif(current_setting('yinling.scope', true), '');
    own bigint := nullif(current_setting('yinling.provider', true), '')::bigint;
    first date := date_trunc('month', until)::date;
    answer bigint;
BEGIN
    IF seen IS NULL THEN
        IF own IS NULL OR body <> own THEN RETURN 0; END IF;
        body := own;
    ELSIF starts_with(seen, area) THEN
        area := seen;
    ELSIF NOT starts_with(area, seen) THEN
        RETURN 0;
    END IF;
    IF body IS NOT NULL THEN
        SELECT sum(amount) INTO answer FROM settlement_ledgertotal WHERE provider_id = body AND account = asked AND booked_on <= until
            AND unit = 'fen' AND starts_with(div, area) AND (source = '' OR fund = source) AND (kind = '' OR business = kind);
        RETURN coalesce(answer, 0);
    END IF;
    SELECT sum(amount) INTO answer FROM (
        SELECT sum(amount) AS amount FROM settlement_areatotal WHERE account = asked AND per = 'month' AND from_on < first
            AND div >= area AND div < area || ':' AND unit = 'fen' AND (source = '' OR fund = source) AND (kind = '' OR business = kind)
        UNION ALL
        SELECT sum(amount) FROM settlement_areatotal WHERE account = asked AND per = 'day' AND from_on >= first AND from_on <= until
            AND div >= area AND div < area || ':' AND unit = 'fen' AND (source = '' OR fund = source) AND (kind = '' OR business = kind)
        UNION ALL
        SELECT sum(amount) FROM settlement_ledgertotal WHERE account = asked AND NOT is_rolled AND booked_on <= until
            AND div >= area AND div < area || ':' AND unit = 'fen' AND (source = '' OR fund = source) AND (kind = '' OR business = kind)
    ) AS parts;
    RETURN coalesce(answer, 0);
END $$;
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("settlement", "0001_initial")]

    operations = [guards(POLICIES, BALANCED, BOOKED, ROLLED, BALANCE)]
