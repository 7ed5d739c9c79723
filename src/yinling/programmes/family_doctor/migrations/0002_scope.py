"""Row-level security of this programme's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("family_doctor", "0001_initial")]

    operations = [
        migrations.RunSQL(
            scope_policy("family_doctor_doctorcontract", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop
        ),
    ]
