"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("supervision", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("supervision_finding", provider="provider_id"), migrations.RunSQL.noop),
    ]
