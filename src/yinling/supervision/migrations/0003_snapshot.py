from django.db import migrations, models


class Migration(migrations.Migration):
    """A round remembers a snapshot instead of one transaction number."""

    dependencies = [("supervision", "0002_scope")]

    operations = [
        migrations.RemoveField(model_name="round", name="xid"),
        migrations.AddField(model_name="round", name="snapshot", field=models.TextField(blank=True, default=""), preserve_default=False),
    ]
