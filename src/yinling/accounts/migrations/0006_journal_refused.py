"""The refused attempts of one kind, for auditors."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """An index of what was refused."""

    dependencies = [("accounts", "0005_message_scope")]

    operations = [
        migrations.AddIndex(
            "journal", models.Index(fields=["code", "id"], condition=Q(is_refused=True), name="journal_refused")
        )
    ]
