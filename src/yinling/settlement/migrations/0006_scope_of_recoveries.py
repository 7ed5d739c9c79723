"""Row-level security of recovery lists."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("settlement", "0005_recovery")]

    operations = [
        migrations.RunSQL(scope_policy("settlement_recovery", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("settlement_recoveryline", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
