"""Row-level security of the process: an application is seen from its station, and from the home of the elder as well."""

from django.db import migrations

from yinling.ground.scope import division_sql, scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("assessment", "0004_process")]

    operations = [
        migrations.RunSQL(scope_policy("assessment_request", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(
            f"CREATE POLICY home ON assessment_request FOR ALL TO PUBLIC USING ({division_sql('home_div')}) "
            f"WITH CHECK ({division_sql('home_div')})",
            "DROP POLICY home ON assessment_request",
        ),
        migrations.RunSQL(scope_policy("assessment_assessor", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("assessment_form", provider="provider_id"), migrations.RunSQL.noop),
    ]
