"""Row-level security of the lists of standings."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("entitlements", "0004_schemes_per_area")]

    operations = [
        migrations.RunSQL(scope_policy("entitlements_standing", elder="elder_id"), migrations.RunSQL.noop),
    ]
