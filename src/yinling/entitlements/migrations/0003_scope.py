"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("entitlements", "0002_initial")]

    operations = [
        migrations.RunSQL(scope_policy("entitlements_entitlement", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("entitlements_quota", elder="elder_id"), migrations.RunSQL.noop),
    ]
