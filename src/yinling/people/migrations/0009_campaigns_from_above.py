"""A survey of a district is read by the streets and villages that do the asking; it is written only from within its area."""

from django.db import migrations

from yinling.ground.scope import division_sql

SCOPE = "nullif(current_setting('yinling.scope', true), '')"
POLICY = f"""
DROP POLICY scope ON people_campaign;
CREATE POLICY scope ON people_campaign FOR ALL TO PUBLIC
    USING ({division_sql()} OR starts_with({SCOPE}, div)) WITH CHECK ({division_sql()});
"""


class Migration(migrations.Migration):
    """The policy."""

    dependencies = [("people", "0008_records")]

    operations = [migrations.RunSQL(POLICY, migrations.RunSQL.noop)]
