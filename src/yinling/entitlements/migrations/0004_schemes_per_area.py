"""Tables with their indexes, constraints and triggers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entitlements', '0003_scope'),
        ('people', '0005_scope_of_new_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('grade', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('is_held', models.BooleanField(default=False)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.elder')),
                ('scheme', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='entitlements.scheme')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_held', False)), fields=['scheme', 'div', 'elder'], name='standing_candidate'), models.Index(condition=models.Q(('grade', None)), fields=['scheme', 'div', 'elder'], name='standing_lost')],
                'constraints': [models.UniqueConstraint(fields=('elder', 'scheme'), name='standing_once'), models.CheckConstraint(condition=models.Q(('grade__isnull', False), ('is_held', True), _connector='OR'), name='standing_says_something')],
            },
        ),
        migrations.AddField(
            model_name='scheme',
            name='reckoned_counts',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='scheme',
            name='reckoned_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='scheme',
            name='code',
            field=models.CharField(max_length=30),
        ),
        migrations.AddIndex(
            model_name='entitlement',
            index=models.Index(fields=['scheme', 'valid_to'], name='entitlement_scheme'),
        ),
        migrations.AddConstraint(
            model_name='scheme',
            constraint=models.UniqueConstraint(fields=('code', 'div'), name='scheme_once'),
        ),
    ]
