"""Offers are counted by seat and time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """An index."""

    dependencies = [("hotline", "0009_line_figures")]

    operations = [migrations.AddIndex("calloffer", models.Index(fields=["seat", "-offered_at"], name="offer_seat"))]
