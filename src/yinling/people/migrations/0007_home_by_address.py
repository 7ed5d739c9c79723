"""A home is found by its address: registering and importing ask for it with every person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The index serves whoever asked by division alone as well."""

    dependencies = [("people", "0006_health_record")]

    operations = [
        migrations.RemoveIndex(model_name="household", name="household_div"),
        migrations.AddIndex(
            model_name="household", index=models.Index(fields=["div", "address"], name="household_home")
        ),
    ]
