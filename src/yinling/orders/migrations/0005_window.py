"""The window in which dispatch may appoint the start, and how many carers an order needs."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Orders there are keep exactly the time they have."""

    dependencies = [("orders", "0004_open_rows")]

    operations = [
        migrations.AddField("order", "carers_needed", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField("order", "earliest_at", models.DateTimeField(null=True)),
        migrations.AddField("order", "latest_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE orders_order SET earliest_at = starts_at, latest_at = starts_at; SET CONSTRAINTS ALL IMMEDIATE;", migrations.RunSQL.noop),
        migrations.AlterField("order", "earliest_at", models.DateTimeField()),
        migrations.AlterField("order", "latest_at", models.DateTimeField()),
        migrations.AddConstraint(
            "order", models.CheckConstraint(condition=Q(starts_at__gte=F("earliest_at"), starts_at__lte=F("latest_at")), name="order_window")
        ),
        migrations.AddConstraint("order", models.CheckConstraint(condition=Q(carers_needed__gte=1, carers_needed__lte=2), name="order_carers")),
    ]
