
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0002_scope'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='charge',
            name='charge_once',
        ),
        migrations.AddField(
            model_name='posting',
            name='claim',
            field=models.CharField(max_length=100, null=True, unique=True),
        ),
        migrations.AddConstraint(
            model_name='charge',
            constraint=models.UniqueConstraint(fields=('posting', 'line', 'payer', 'entitlement'), name='charge_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('business__in', ['medical', 'eldercare'])), name='entry_business'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('fund', ''), _negated=True), name='entry_fund'),
        ),
    ]
