"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.db.models.functions.comparison
import pgtrigger.compiler
import uuid
import yinling.ground.installing
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('ground', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Area',
                    fields=[
                        ('div', models.CharField(db_collation='C', max_length=12, primary_key=True, serialize=False)),
                        ('code', models.CharField(db_index=True, max_length=12)),
                        ('name', models.CharField(max_length=60)),
                        ('short_name', models.CharField(max_length=60)),
                        ('level', models.CharField(choices=[('city', '市'), ('district', '区县'), ('street', '街道(镇)'), ('community', '社区(村)')], max_length=10)),
                        ('kind', models.CharField(max_length=20)),
                        ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.area')),
                        ('is_statistical', models.BooleanField(default=False)),
                        ('lon', models.FloatField(blank=True, null=True)),
                        ('lat', models.FloatField(blank=True, null=True)),
                        ('outline', models.JSONField(blank=True, null=True)),
                        ('source', models.CharField(max_length=200)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['parent'], name='area_parent')],
                    },
                ),
                migrations.CreateModel(
                    name='OldArea',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=6)),
                        ('name', models.CharField(max_length=60)),
                        ('first_year', models.PositiveSmallIntegerField()),
                        ('last_year', models.PositiveSmallIntegerField(null=True)),
                        ('status', models.CharField(max_length=20)),
                        ('now_codes', models.CharField(blank=True, max_length=40)),
                        ('note', models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('code', 'name'), name='old_area_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Organisation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('name', models.CharField(max_length=120)),
                        ('short_name', models.CharField(max_length=40)),
                        ('credit_code', models.CharField(max_length=18, unique=True)),
                        ('kind', models.CharField(choices=[('department', '主管部门'), ('guidance_centre', '居家养老服务指导中心'), ('call_centre', '呼叫服务中心'), ('care_centre', '综合养老服务中心'), ('health_centre', '社区卫生服务中心'), ('care_home', '养老机构'), ('nursing_home', '护理院'), ('home_care', '居家服务机构'), ('meal_point', '助餐点'), ('assessor', '评估机构')], max_length=20)),
                        ('div', models.CharField(db_collation='C', db_index=True, max_length=12)),
                        ('address', models.CharField(max_length=200)),
                        ('phone', models.CharField(blank=True, max_length=20)),
                        ('is_provider', models.BooleanField(default=False)),
                        ('price_group', models.CharField(blank=True, default='', max_length=20)),
                        ('does_home_medical', models.BooleanField(default=False)),
                        ('home_medical_filed_on', models.DateField(blank=True, null=True)),
                        ('home_medical_number', models.CharField(blank=True, default='', max_length=60)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('does_home_medical', False), ('home_medical_filed_on__isnull', False), _connector='OR'), name='organisation_home_medical_filed')],
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
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policies', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('liability', '责任险'), ('medical_accident', '医疗意外险'), ('personal_injury', '人身意外险')], max_length=20)),
                        ('insurer', models.CharField(max_length=80)),
                        ('number', models.CharField(max_length=60)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['organisation', 'kind'], name='policy_organisation')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (models.F('kind'), '='), (models.F('number'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='policy_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='Site',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sites', to='directory.organisation')),
                        ('name', models.CharField(max_length=80)),
                        ('kind', models.CharField(choices=[('department', '主管部门'), ('guidance_centre', '居家养老服务指导中心'), ('call_centre', '呼叫服务中心'), ('care_centre', '综合养老服务中心'), ('health_centre', '社区卫生服务中心'), ('care_home', '养老机构'), ('nursing_home', '护理院'), ('home_care', '居家服务机构'), ('meal_point', '助餐点'), ('assessor', '评估机构')], max_length=20)),
                        ('div', models.CharField(db_collation='C', db_index=True, max_length=12)),
                        ('address', models.CharField(max_length=200)),
                        ('lon', models.FloatField()),
                        ('lat', models.FloatField()),
                        ('source_datum', models.CharField(choices=[('wgs84', 'WGS-84'), ('gcj02', 'GCJ-02'), ('cgcs2000', 'CGCS2000'), ('bd09', 'BD-09')], default='wgs84', max_length=10)),
                        ('capabilities', models.JSONField(blank=True, default=list)),
                        ('beds', models.PositiveSmallIntegerField(default=0)),
                        ('phone', models.CharField(blank=True, max_length=20)),
                        ('hours', models.CharField(blank=True, max_length=60)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='Staff',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.site')),
                        ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(max_length=40)),
                        ('kind', models.CharField(choices=[('care_worker', '养老护理员'), ('medical_care_worker', '医疗护理员'), ('nurse', '护士'), ('doctor', '医生'), ('social_worker', '社工'), ('office', '管理人员')], max_length=20)),
                        ('sex', models.CharField(choices=[('1', '男'), ('2', '女')], max_length=1)),
                        ('skill_level', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('dialects', models.CharField(blank=True, max_length=60)),
                        ('phone_enc', models.BinaryField(null=True)),
                        ('day_from', models.TimeField()),
                        ('day_to', models.TimeField()),
                        ('most_minutes_a_day', models.PositiveSmallIntegerField(default=480)),
                        ('contract_minutes_a_day', models.PositiveSmallIntegerField(default=0)),
                        ('break_from', models.TimeField(blank=True, null=True)),
                        ('break_to', models.TimeField(blank=True, null=True)),
                        ('break_minutes', models.PositiveSmallIntegerField(default=0)),
                        ('mode', models.CharField(blank=True, choices=[('walk', '步行'), ('ebike', '电动自行车'), ('car', '汽车')], default='', max_length=10)),
                        ('starts_at_home', models.BooleanField(default=False)),
                        ('home_lon', models.FloatField(blank=True, null=True)),
                        ('home_lat', models.FloatField(blank=True, null=True)),
                        ('duty_div', models.CharField(blank=True, db_collation='C', default='', max_length=12)),
                        ('employed_from', models.DateField()),
                        ('employed_to', models.DateField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div'], name='staff_div'), models.Index(fields=['provider'], name='staff_provider')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('home_lat', None), ('home_lon', None)), models.Q(('home_lat__isnull', False), ('home_lon__isnull', False)), _connector='OR'), name='staff_home_pair'), models.CheckConstraint(condition=models.Q(('starts_at_home', False), ('home_lon__isnull', False), _connector='OR'), name='staff_home_known'), models.CheckConstraint(condition=models.Q(models.Q(('break_from', None), ('break_minutes', 0), ('break_to', None)), models.Q(('break_from__isnull', False), ('break_minutes__gt', 0), ('break_to__gt', models.F('break_from'))), _connector='OR'), name='staff_break_whole')],
                    },
                ),
                migrations.CreateModel(
                    name='Qualification',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='qualifications', to='directory.staff')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('induction', '岗前培训'), ('care_worker', '养老护理员证书'), ('medical_care_worker', '医疗护理员证书'), ('nurse', '护士执业证'), ('doctor', '医师执业证'), ('social_worker', '社会工作者证书'), ('health', '健康证'), ('filing', '执业机构备案')], max_length=20)),
                        ('number', models.CharField(max_length=40)),
                        ('issuer', models.CharField(max_length=80)),
                        ('practice_scope', models.CharField(blank=True, default='', max_length=80)),
                        ('place', models.CharField(blank=True, db_collation='C', default='', max_length=12)),
                        ('is_retired_practice', models.BooleanField(default=False)),
                        ('credits_to', models.DateField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['staff', 'kind'], name='qualification_staff')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('staff'), '='), (models.F('kind'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='qualification_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceArea',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('family', models.CharField(max_length=20)),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('name', models.CharField(blank=True, default='', max_length=60)),
                        ('outline', models.JSONField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['family', 'div'], name='service_area_div')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None), ('outline__isnull', True)), expressions=[(models.F('family'), '='), (models.F('div'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='service_area_one_body')],
                    },
                ),
                migrations.CreateModel(
                    name='Suspension',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='directory.staff')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('reason', models.CharField(max_length=500)),
                        ('cause', models.CharField(max_length=60)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(blank=True, null=True)),
                        ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('release_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('to_at', None)), fields=['staff'], name='suspension_open')],
                        'constraints': [models.UniqueConstraint(fields=('staff', 'cause'), name='suspension_once'), models.CheckConstraint(condition=models.Q(models.Q(('released_by', None), ('to_at', None)), models.Q(('released_by__isnull', False), ('to_at__isnull', False)), _connector='OR'), name='suspension_release_pair')],
                    },
                ),
                migrations.CreateModel(
                    name='Absence',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to='directory.staff')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('sick', '病假'), ('leave', '休假'), ('training', '培训')], max_length=10)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['provider', 'from_at'], name='absence_provider')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('to_at', None), ('to_at__gte', models.F('from_at')), _connector='OR'), name='absence_time'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('staff', '='), (yinling.ground.models.MomentRange('from_at', 'to_at'), '&&')], name='absence_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='Grant',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('role', models.CharField(max_length=30)),
                        ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('div', models.CharField(blank=True, db_collation='C', max_length=12)),
                        ('state', models.CharField(choices=[('proposed', '待复核'), ('active', '有效'), ('ended', '已终止')], default='proposed', max_length=20)),
                        ('reason', models.CharField(max_length=500)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(blank=True, null=True)),
                        ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['user'], name='grant_user')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'active', 'ended'])), name='grant_state'), models.CheckConstraint(condition=models.Q(('proposed_by', models.F('confirmed_by')), _negated=True), name='grant_two_persons'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'active')), expressions=[('user', '='), ('role', '='), ('div', '='), (django.db.models.functions.comparison.Coalesce('organisation', models.Value(0, models.BigIntegerField())), '='), (yinling.ground.models.MomentRange('from_at', 'to_at'), '&&')], name='grant_no_overlap')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{active:ended,proposed:active,proposed:ended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f51af92fef5e9b2c091926dca4992d22ecb2daeb', operation='UPDATE', pgid='pgtrigger_legal_change_11742', table='directory_grant', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'proposed' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='4fa3b014f9a9f54178ea575501cd5147e717f620', operation='INSERT', pgid='pgtrigger_legal_start_77da7', table='directory_grant', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='ApiToken',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.grant')),
                        ('name', models.CharField(max_length=60)),
                        ('token_hash', models.BinaryField(max_length=32, unique=True)),
                        ('elder_ids', models.JSONField(default=list)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ],
                ),
            ],
        ),
    ]
