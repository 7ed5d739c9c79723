"""Tables with their indexes, constraints and triggers."""

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
        ('accounts', '__first__'),
        ('ground', '0001_initial'),
    ]

    operations = [
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
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
            ],
            options={
                'abstract': False,
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
            name='Area',
            fields=[
                ('div', models.CharField(db_collation='C', max_length=12, primary_key=True, serialize=False)),
                ('code', models.CharField(db_index=True, max_length=12)),
                ('name', models.CharField(max_length=60)),
                ('short_name', models.CharField(max_length=60)),
                ('level', models.CharField(choices=[('city', '市'), ('district', '区县'), ('street', '街道(镇)'), ('community', '社区(村)')], max_length=10)),
                ('kind', models.CharField(max_length=20)),
                ('is_statistical', models.BooleanField(default=False)),
                ('lon', models.FloatField(blank=True, null=True)),
                ('lat', models.FloatField(blank=True, null=True)),
                ('outline', models.JSONField(blank=True, null=True)),
                ('source', models.CharField(max_length=200)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.area')),
            ],
            options={
                'indexes': [models.Index(fields=['parent'], name='area_parent')],
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('role', models.CharField(max_length=30)),
                ('div', models.CharField(blank=True, db_collation='C', max_length=12)),
                ('state', models.CharField(choices=[('proposed', '待复核'), ('active', '有效'), ('ended', '已终止')], default='proposed', max_length=20)),
                ('reason', models.CharField(max_length=500)),
                ('from_at', models.DateTimeField()),
                ('to_at', models.DateTimeField(blank=True, null=True)),
                ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['user'], name='grant_user')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'active', 'ended'])), name='grant_state'), models.CheckConstraint(condition=models.Q(('proposed_by', models.F('confirmed_by')), _negated=True), name='grant_two_persons'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'active')), expressions=[('user', '='), ('role', '='), ('div', '='), (django.db.models.functions.comparison.Coalesce('organisation', models.Value(0, models.BigIntegerField())), '='), (yinling.ground.models.MomentRange('from_at', 'to_at'), '&&')], name='grant_no_overlap')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{active:ended,proposed:active,proposed:ended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f51af92fef5e9b2c091926dca4992d22ecb2daeb', operation='UPDATE', pgid='pgtrigger_legal_change_11742', table='directory_grant', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'proposed' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='4fa3b014f9a9f54178ea575501cd5147e717f620', operation='INSERT', pgid='pgtrigger_legal_start_77da7', table='directory_grant', when='BEFORE'))],
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
                ('family', models.CharField(max_length=20)),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['family', 'div'], name='service_area_div')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('family'), '='), (models.F('div'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='service_area_one_body')],
            },
        ),
        migrations.CreateModel(
            name='Site',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('department', '主管部门'), ('guidance_centre', '居家养老服务指导中心'), ('call_centre', '呼叫服务中心'), ('care_centre', '综合养老服务中心'), ('health_centre', '社区卫生服务中心'), ('care_home', '养老机构'), ('nursing_home', '护理院'), ('home_care', '居家服务机构'), ('meal_point', '助餐点'), ('assessor', '评估机构')], max_length=20)),
                ('div', models.CharField(db_collation='C', db_index=True, max_length=12)),
                ('address', models.CharField(max_length=200)),
                ('lon', models.FloatField()),
                ('lat', models.FloatField()),
                ('source_datum', models.CharField(choices=[('wgs84', 'WGS-84'), ('gcj02', 'GCJ-02'), ('cgcs2000', 'CGCS2000'), ('bd09', 'BD-09')], default='wgs84', max_length=10)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sites', to='directory.organisation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('token_hash', models.BinaryField(max_length=32, unique=True)),
                ('elder_ids', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.grant')),
            ],
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
                ('name', models.CharField(max_length=40)),
                ('kind', models.CharField(choices=[('care_worker', '养老护理员'), ('medical_care_worker', '医疗护理员'), ('nurse', '护士'), ('doctor', '医生'), ('social_worker', '社工'), ('office', '管理人员')], max_length=20)),
                ('sex', models.CharField(choices=[('1', '男'), ('2', '女')], max_length=1)),
                ('skill_level', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('dialects', models.CharField(blank=True, max_length=60)),
                ('phone_enc', models.BinaryField(null=True)),
                ('day_from', models.TimeField()),
                ('day_to', models.TimeField()),
                ('most_minutes_a_day', models.PositiveSmallIntegerField(default=480)),
                ('employed_from', models.DateField()),
                ('employed_to', models.DateField(blank=True, null=True)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.site')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['div'], name='staff_div'), models.Index(fields=['provider'], name='staff_provider')],
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
                ('kind', models.CharField(choices=[('induction', '岗前培训'), ('care_worker', '养老护理员证书'), ('medical_care_worker', '医疗护理员证书'), ('nurse', '护士执业证'), ('doctor', '医师执业证'), ('health', '健康证')], max_length=20)),
                ('number', models.CharField(max_length=40)),
                ('issuer', models.CharField(max_length=80)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='qualifications', to='directory.staff')),
            ],
            options={
                'indexes': [models.Index(fields=['staff', 'kind'], name='qualification_staff')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('staff'), '='), (models.F('kind'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='qualification_no_overlap')],
            },
        ),
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('reason', models.CharField(max_length=500)),
                ('cause', models.CharField(max_length=60)),
                ('from_at', models.DateTimeField()),
                ('to_at', models.DateTimeField(blank=True, null=True)),
                ('release_reason', models.CharField(blank=True, max_length=500)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='directory.staff')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('to_at', None)), fields=['staff'], name='suspension_open')],
                'constraints': [models.UniqueConstraint(fields=('staff', 'cause'), name='suspension_once'), models.CheckConstraint(condition=models.Q(models.Q(('released_by', None), ('to_at', None)), models.Q(('released_by__isnull', False), ('to_at__isnull', False)), _connector='OR'), name='suspension_release_pair')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Grant'],
        ),
    ]
