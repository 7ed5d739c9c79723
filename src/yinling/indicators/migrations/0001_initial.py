"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import yinling.ground.installing
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('ground', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Value',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('code', models.CharField(max_length=40)),
                        ('period_from', models.DateField()),
                        ('period_to', models.DateField()),
                        ('numerator', models.BigIntegerField()),
                        ('denominator', models.BigIntegerField(null=True)),
                        ('version', models.CharField(max_length=20)),
                        ('computed_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['code', 'div', 'period_from'], name='value_code')],
                    },
                ),
            ],
        ),
    ]
