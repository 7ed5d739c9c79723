"""What a million elders need: a policy of homes that is cheap, and the indexes that are used.

The policy asked of every elder for every home, and the planner, believing that a home is dear to read, looked for one of a million elders by
reading them all. It now asks for the homes of one's own elders, once a statement. Two indexes stood twice (Django makes one for each key),
and circumstances on record were read through the index of the constraint.
"""

from django.db import migrations, models
from django.db.models import Q

from yinling.ground.scope import division_sql

OWN = "SELECT household_id FROM people_elder WHERE id = ANY (nullif(current_setting('yinling.elders', true), '')::bigint[])"
POLICY = f"""
DROP POLICY scope ON people_household;
CREATE POLICY scope ON people_household FOR ALL TO PUBLIC
    USING ({division_sql()} OR id = ANY (ARRAY({OWN}))) WITH CHECK ({division_sql()});
"""


class Migration(migrations.Migration):
    """Whoever saw a home sees it still."""

    dependencies = [("people", "0009_campaigns_from_above")]

    operations = [
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="elder", name="elder_household"),
        migrations.RemoveIndex(model_name="elderkey", name="elder_key_elder"),
        migrations.RemoveIndex(model_name="circumstance", name="circumstance_elder"),
        migrations.AddIndex(
            model_name="circumstance",
            index=models.Index(fields=["elder", "kind"], name="circumstance_elder", condition=Q(recorded_to=None)),
        ),
    ]
