"""Row-level security of this context's tables: an application is seen from its station, and from the home of the elder as well."""

from django.db import migrations

from yinling.ground.installing import guards
from yinling.ground.scope import division_sql

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "assessment_assessment": OWN,
    "assessment_request": OWN,
    "assessment_assessor": OWN,
    "assessment_form": {"provider": "provider_id"},
}
HOME = f"""
CREATE POLICY home ON assessment_request FOR ALL TO PUBLIC
    USING ({division_sql("home_div")}) WITH CHECK ({division_sql("home_div")});
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("assessment", "0001_initial")]

    operations = [guards(POLICIES, HOME)]
