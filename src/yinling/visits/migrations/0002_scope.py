"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("visits", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("visits_visit", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("visits_checkin", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("visits_evidence", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("visits_evaluation", elder="elder_id", provider="provider_id", append_only=True), migrations.RunSQL.noop),
    ]
