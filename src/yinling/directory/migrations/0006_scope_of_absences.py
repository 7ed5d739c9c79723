"""Row-level security of absences."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Who sees the people of an organisation sees when they are away."""

    dependencies = [("directory", "0005_who_may_go")]

    operations = [
        migrations.RunSQL(scope_policy("directory_absence", provider="provider_id"), migrations.RunSQL.noop),
    ]
