"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("home_beds", "0001_initial")]

    operations = [
        migrations.RunSQL(
            scope_policy("home_beds_homesickbed", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(scope_policy("home_beds_bedstay", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
