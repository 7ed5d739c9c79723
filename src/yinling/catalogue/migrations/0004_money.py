"""Tables with their indexes, constraints and triggers."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('catalogue', '0003_item_kind'),
        ('directory', '0007_money'),
    ]

    operations = [
        migrations.CreateModel(
            name='CalloutRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('base_fen', models.BigIntegerField(default=0)),
                ('free_m', models.PositiveIntegerField(default=0)),
                ('km_fen', models.BigIntegerField(default=0)),
                ('night_fen', models.BigIntegerField(default=0)),
                ('night_from', models.PositiveSmallIntegerField(default=20)),
                ('night_to', models.PositiveSmallIntegerField(default=7)),
                ('holiday_fen', models.BigIntegerField(default=0)),
                ('level_fen', models.JSONField(blank=True, default=dict)),
                ('distances', models.JSONField(blank=True, default=dict)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='catalogue.pricelist')),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='callout_rate_no_overlap'), models.CheckConstraint(condition=models.Q(('base_fen__gte', 0), ('holiday_fen__gte', 0), ('km_fen__gte', 0), ('night_fen__gte', 0)), name='callout_rate_not_negative'), models.CheckConstraint(condition=models.Q(('night_from__lte', 23), ('night_to__lte', 23)), name='callout_rate_night')],
            },
        ),
        migrations.CreateModel(
            name='Package',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('code', models.CharField(max_length=20)),
                ('name', models.CharField(max_length=80)),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('audience', models.CharField(choices=[('healthy', '健康老年人'), ('chronic', '慢性病老年人'), ('disabled', '失能老年人'), ('all', '所有老年人')], max_length=10)),
                ('lines', models.JSONField(default=list)),
                ('price_fen', models.BigIntegerField()),
                ('payers', models.JSONField(default=list)),
                ('document', models.CharField(max_length=120)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('code'), '='), (models.F('div'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='package_no_overlap'), models.CheckConstraint(condition=models.Q(('price_fen__gte', 0)), name='package_not_negative'), models.CheckConstraint(condition=models.Q(('drafted_by', models.F('published_by')), _negated=True), name='package_two_persons')],
            },
        ),
        migrations.AddField(
            model_name='price',
            name='div',
            field=models.CharField(blank=True, db_collation='C', default='', max_length=12),
        ),
        migrations.AddField(
            model_name='price',
            name='price_group',
            field=models.CharField(blank=True, choices=[('level3', '三级医疗机构'), ('level2', '二级医疗机构'), ('level1', '一级及基层医疗机构'), ('social', '社会办机构')], default='', max_length=20),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='div',
            field=models.CharField(blank=True, db_collation='C', default='', max_length=12),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='document_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='price_group',
            field=models.CharField(blank=True, choices=[('level3', '三级医疗机构'), ('level2', '二级医疗机构'), ('level1', '一级及基层医疗机构'), ('social', '社会办机构')], default='', max_length=20),
        ),
        migrations.AddField(
            model_name='serviceitem',
            name='is_insurable',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='serviceitem',
            name='needs_visit',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='serviceitem',
            name='units',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AlterField(
            model_name='price',
            name='organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation'),
        ),
        migrations.AlterField(
            model_name='pricelist',
            name='organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation'),
        ),
        migrations.AlterField(
            model_name='serviceitem',
            name='kind',
            field=models.CharField(choices=[('service', '服务'), ('scale_assessment', '量表评估'), ('drug', '药品'), ('consumable', '耗材'), ('bed_day', '床日'), ('fee', '费用')], default='service', max_length=20),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None), ('organisation', None)), expressions=[(models.F('price_group'), '='), (models.F('div'), '='), (models.F('item'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='price_group_no_overlap'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('price_group', '')), models.Q(('organisation', None), models.Q(('price_group', ''), _negated=True), models.Q(('div', ''), _negated=True)), _connector='OR'), name='price_whose'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('price_group', '')), models.Q(('organisation', None), models.Q(('price_group', ''), _negated=True), models.Q(('div', ''), _negated=True)), _connector='OR'), name='price_list_whose'),
        ),
    ]
