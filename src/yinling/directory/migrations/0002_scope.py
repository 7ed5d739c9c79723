"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("directory", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("directory_staff", provider="provider_id", user="user_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("directory_qualification", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("directory_suspension", provider="provider_id"), migrations.RunSQL.noop),
    ]
