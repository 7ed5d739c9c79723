"""Indexes that hold all that a balance asks, and the function that asks them."""

from django.db import migrations, models


# A policy is asked row by row; a balance sums a hundred thousand rows. The owner's function asks the same once: what is summed lies in the
# area of whoever asks, or is the own organisation's.
BALANCE = """
CREATE FUNCTION settlement_balance(asked text, until date, area text, body bigint, source text, kind text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    seen text := nullif(current_setting('yinling.scope', true), '');
    own bigint := nullif(current_setting('yinling.provider', true), '')::bigint;
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
    ELSE
        SELECT sum(amount) INTO answer FROM settlement_ledgertotal WHERE account = asked AND div >= area AND div < area || ':'
            AND booked_on <= until AND unit = 'fen' AND (source = '' OR fund = source) AND (kind = '' OR business = kind);
    END IF;
    RETURN coalesce(answer, 0);
END $$;
"""


class Migration(migrations.Migration):
    """Balances without reading the rows of the totals."""

    dependencies = [
        ('directory', '0007_money'),
        ('entitlements', '0010_bought'),
        ('settlement', '0011_refunds'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='ledgertotal',
            name='ledger_total_account',
        ),
        migrations.RemoveIndex(
            model_name='ledgertotal',
            name='ledger_total_provider',
        ),
        migrations.AddIndex(
            model_name='ledgertotal',
            index=models.Index(fields=['account', 'div', 'booked_on'], include=('amount', 'unit', 'business', 'fund', 'provider'), name='ledger_total_account'),
        ),
        migrations.AddIndex(
            model_name='ledgertotal',
            index=models.Index(fields=['provider', 'account', 'booked_on'], include=('amount', 'unit', 'business', 'fund', 'div'), name='ledger_total_provider'),
        ),
        migrations.RunSQL(BALANCE, "DROP FUNCTION settlement_balance"),
    ]
