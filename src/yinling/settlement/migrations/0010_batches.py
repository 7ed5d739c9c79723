"""What a payment is booked on, and the numbers of a claim's lines. Both tables are empty so far."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("entitlements", "0008_money"),
        ("settlement", "0009_claims"),
    ]

    operations = [
        migrations.AddField(
            "payoutline", "business",
            models.CharField(choices=[("medical", "医疗"), ("eldercare", "养老")], default="eldercare", max_length=10),
        ),
        migrations.AddField("payoutline", "owed_on", models.CharField(default="payable.provider", max_length=40), preserve_default=False),
        migrations.AddField(
            "payoutline", "scheme",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="entitlements.scheme"),
        ),
        migrations.AddField("claimline", "number", models.PositiveIntegerField(default=1), preserve_default=False),
        migrations.AddConstraint("claimline", models.UniqueConstraint(fields=("claim", "number"), name="claim_line_number")),
    ]
