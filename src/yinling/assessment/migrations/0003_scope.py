"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("assessment", "0002_initial")]

    operations = [
        migrations.RunSQL(scope_policy("assessment_assessment", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
