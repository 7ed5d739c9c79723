"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy

BALANCE = """
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


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("settlement", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("settlement_posting", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_ledgerentry", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_charge", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_statement", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_statementline", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(BALANCE, migrations.RunSQL.noop),
    ]
