"""Looks on site at services that vouchers paid for (X-PAY-04), seen by their area only."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from yinling.ground.installing import guards


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_order_meal_channel'),
        ('supervision', '0002_scope'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SiteCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('month', models.DateField()),
                ('drawn_at', models.DateTimeField()),
                ('result', models.CharField(blank=True, choices=[('fits', '相符'), ('differs', '不相符')], default='', max_length=8)),
                ('found', models.CharField(blank=True, default='', max_length=500)),
                ('checked_on', models.DateField(blank=True, null=True)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('checked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('finding', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supervision.finding')),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'month'], name='site_check_month')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('checked_at', None), ('checked_by', None), ('checked_on', None), ('result', '')), models.Q(('checked_at__isnull', False), ('checked_by__isnull', False), ('checked_on__isnull', False), ('result__in', ['fits', 'differs'])), _connector='OR'), name='site_check_result'), models.CheckConstraint(condition=models.Q(models.Q(('finding__isnull', False), ('result', 'differs')), models.Q(models.Q(('result', 'differs'), _negated=True), ('finding', None)), _connector='OR'), name='site_check_finding')],
            },
        ),
        guards({"supervision_sitecheck": {}}),
    ]
