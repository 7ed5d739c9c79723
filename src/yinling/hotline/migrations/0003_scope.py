"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("hotline", "0002_initial")]

    operations = [
        migrations.RunSQL(scope_policy("hotline_call", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("hotline_emergency", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("hotline_ticket", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("hotline_ticketnote", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("hotline_transfer", provider="provider_id", append_only=True), migrations.RunSQL.noop),
    ]
