"""Totals of an area without the providers, by day and by month: balances of a whole city read these."""

import django.db.models.deletion
from django.db import migrations, models

from yinling.ground.scope import scope_policy

# A roll-up takes what is committed and not rolled yet, whenever it was booked; one at a time. Whoever reads meanwhile sees all of it or nothing.
ROLL = """
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

CREATE OR REPLACE FUNCTION settlement_merge_totals() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
# Without a provider: the months before that of the day, its days up to it, and what is not rolled yet. All in one statement, so of one moment.
BALANCE = """
CREATE OR REPLACE FUNCTION settlement_balance(asked text, until date, area text, body bigint, source text, kind text) RETURNS bigint
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
    """The table, its policy, the roll-up and the balance that reads it. The job rolls up what is there; balances are right before it ran."""

    dependencies = [
        ('directory', '0007_money'),
        ('entitlements', '0010_bought'),
        ('settlement', '0012_totals_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='AreaTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('account', models.CharField(max_length=40)),
                ('unit', models.CharField(choices=[('fen', '分'), ('minute', '分钟')], default='fen', max_length=6)),
                ('business', models.CharField(choices=[('medical', '医疗'), ('eldercare', '养老')], max_length=10)),
                ('fund', models.CharField(max_length=30)),
                ('per', models.CharField(choices=[('day', '日'), ('month', '月')], max_length=5)),
                ('from_on', models.DateField()),
                ('amount', models.BigIntegerField()),
                ('entry_count', models.IntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='ledgertotal',
            name='is_rolled',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name='ledgertotal',
            index=models.Index(condition=models.Q(('is_rolled', False)), fields=['account', 'booked_on'], name='ledger_total_fresh'),
        ),
        migrations.AddField(
            model_name='areatotal',
            name='scheme',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.scheme'),
        ),
        migrations.AddIndex(
            model_name='areatotal',
            index=models.Index(fields=['account', 'per', 'from_on', 'div'], include=('amount', 'entry_count', 'unit', 'business', 'fund'), name='area_total_account'),
        ),
        migrations.AddConstraint(
            model_name='areatotal',
            constraint=models.UniqueConstraint(fields=('per', 'from_on', 'account', 'div', 'fund', 'business', 'unit', 'scheme'), name='area_total_once', nulls_distinct=False),
        ),
        migrations.RunSQL(scope_policy("settlement_areatotal"), migrations.RunSQL.noop),
        migrations.RunSQL(ROLL, migrations.RunSQL.noop),
        migrations.RunSQL(BALANCE, migrations.RunSQL.noop),
    ]
