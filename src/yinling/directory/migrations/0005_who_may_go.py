"""Tables with their indexes, constraints and triggers."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import yinling.ground.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('directory', '0004_site_offers'),
    ]

    operations = [
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('sick', '病假'), ('leave', '休假'), ('training', '培训')], max_length=10)),
                ('from_at', models.DateTimeField()),
                ('to_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to='directory.staff')),
            ],
            options={
                'indexes': [models.Index(fields=['provider', 'from_at'], name='absence_provider')],
                'constraints': [models.CheckConstraint(condition=models.Q(('to_at', None), ('to_at__gte', models.F('from_at')), _connector='OR'), name='absence_time'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('staff', '='), (yinling.ground.models.MomentRange('from_at', 'to_at'), '&&')], name='absence_no_overlap')],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(choices=[('liability', '责任险'), ('medical_accident', '医疗意外险'), ('personal_injury', '人身意外险')], max_length=20)),
                ('insurer', models.CharField(max_length=80)),
                ('number', models.CharField(max_length=60)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policies', to='directory.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['organisation', 'kind'], name='policy_organisation')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (models.F('kind'), '='), (models.F('number'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='policy_no_overlap')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='servicearea',
            name='service_area_one_body',
        ),
        migrations.AddField(
            model_name='organisation',
            name='does_home_medical',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='organisation',
            name='home_medical_filed_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='organisation',
            name='home_medical_number',
            field=models.CharField(blank=True, default='', max_length=60),
        ),
        migrations.AddField(
            model_name='qualification',
            name='credits_to',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='qualification',
            name='is_retired_practice',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='qualification',
            name='place',
            field=models.CharField(blank=True, db_collation='C', default='', max_length=12),
        ),
        migrations.AddField(
            model_name='qualification',
            name='practice_scope',
            field=models.CharField(blank=True, default='', max_length=80),
        ),
        migrations.AddField(
            model_name='servicearea',
            name='name',
            field=models.CharField(blank=True, default='', max_length=60),
        ),
        migrations.AddField(
            model_name='servicearea',
            name='outline',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='break_from',
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='break_minutes',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='staff',
            name='break_to',
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='contract_minutes_a_day',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='staff',
            name='duty_div',
            field=models.CharField(blank=True, db_collation='C', default='', max_length=12),
        ),
        migrations.AddField(
            model_name='staff',
            name='home_lat',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='home_lon',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='staff',
            name='mode',
            field=models.CharField(blank=True, choices=[('walk', '步行'), ('ebike', '电动自行车'), ('car', '汽车')], default='', max_length=10),
        ),
        migrations.AddField(
            model_name='staff',
            name='starts_at_home',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='qualification',
            name='kind',
            field=models.CharField(choices=[('induction', '岗前培训'), ('care_worker', '养老护理员证书'), ('medical_care_worker', '医疗护理员证书'), ('nurse', '护士执业证'), ('doctor', '医师执业证'), ('social_worker', '社会工作者证书'), ('health', '健康证'), ('filing', '执业机构备案')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('does_home_medical', False), ('home_medical_filed_on__isnull', False), _connector='OR'), name='organisation_home_medical_filed'),
        ),
        migrations.AddConstraint(
            model_name='servicearea',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None), ('outline__isnull', True)), expressions=[(models.F('family'), '='), (models.F('div'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='service_area_one_body'),
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('home_lat', None), ('home_lon', None)), models.Q(('home_lat__isnull', False), ('home_lon__isnull', False)), _connector='OR'), name='staff_home_pair'),
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at_home', False), ('home_lon__isnull', False), _connector='OR'), name='staff_home_known'),
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('break_from', None), ('break_minutes', 0), ('break_to', None)), models.Q(('break_from__isnull', False), ('break_minutes__gt', 0), ('break_to__gt', models.F('break_from'))), _connector='OR'), name='staff_break_whole'),
        ),
    ]
