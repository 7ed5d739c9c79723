"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("subsidies", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("subsidies_subsidy", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(
            scope_policy("subsidies_spending", provider="provider_id", append_only=True), migrations.RunSQL.noop
        ),
        migrations.RunSQL(scope_policy("subsidies_donation"), migrations.RunSQL.noop),
    ]
