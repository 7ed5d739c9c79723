"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import audit_policy, division_sql, scope_policy

HOUSEHOLD = f"""
ALTER TABLE people_household ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON people_household FOR ALL TO PUBLIC
    USING ({division_sql()} OR id IN (SELECT household_id FROM people_elder)) WITH CHECK ({division_sql()});
{audit_policy("people_household")};
CREATE FUNCTION people_death(elder bigint) RETURNS date LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    'SELECT died_on FROM people_elder WHERE id = elder';
COMMENT ON FUNCTION people_death IS 'The date of death of one elder and nothing else, for a carer who may not read the file';
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("people_elder", elder="id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_elderkey"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_contact", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_representative", elder="elder_id", user="user_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_consent", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_circumstance", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_elderevent", elder="pgh_obj_id"), migrations.RunSQL.noop),
        migrations.RunSQL(HOUSEHOLD, migrations.RunSQL.noop),
    ]
