"""Row-level security of applications, notices, objections, budgets and rechecks."""

from django.db import migrations

from yinling.ground.scope import audit_policy, division_sql, revoke_sql, scope_policy

NOTICE = "entitlements_publicnotice"
BUDGET = "entitlements_budget"
# Everybody may read what hangs in public; only those of the area write it.
PUBLIC = f"""
    ALTER TABLE {NOTICE} ENABLE ROW LEVEL SECURITY;
    CREATE POLICY scope ON {NOTICE} FOR SELECT TO PUBLIC USING (true);
    CREATE POLICY scope_write ON {NOTICE} FOR INSERT TO PUBLIC WITH CHECK ({division_sql()});
    {revoke_sql(NOTICE)};
"""
# A budget of the city bears the elders of its districts: who decides there sees it and draws on it.
BELOW = f"({division_sql()} OR starts_with(nullif(current_setting('yinling.scope', true), ''), div))"
SHARED = f"""
    ALTER TABLE {BUDGET} ENABLE ROW LEVEL SECURITY;
    CREATE POLICY scope ON {BUDGET} FOR ALL TO PUBLIC USING ({BELOW}) WITH CHECK ({BELOW});
    {audit_policy(BUDGET)};
"""


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("entitlements", "0006_applications")]

    operations = [
        migrations.RunSQL(scope_policy("entitlements_application", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("entitlements_paper", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("entitlements_objection"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("entitlements_commitment"), migrations.RunSQL.noop),
        migrations.RunSQL(
            scope_policy("entitlements_recheck", elder="elder_id", append_only=True), migrations.RunSQL.noop
        ),
        migrations.RunSQL(PUBLIC, migrations.RunSQL.noop),
        migrations.RunSQL(SHARED, migrations.RunSQL.noop),
    ]
