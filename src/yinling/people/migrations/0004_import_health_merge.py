"""Tables with their indexes, constraints and triggers."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
import yinling.ground.installing
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('ground', '0002_scope'),
        ('people', '0003_event_append_only'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('vaccination', '健康状况和接种禁忌摸底'), ('disability', '失能老年人底数摸底')], max_length=20)),
                ('item', models.CharField(blank=True, max_length=40)),
                ('least_age', models.PositiveSmallIntegerField(default=60)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ContactEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('kind', models.CharField(choices=[('spouse', '配偶'), ('child', '子女'), ('grandchild', '孙辈'), ('neighbour', '邻居'), ('guardian', '监护人'), ('other', '其他')], max_length=12)),
                ('name', models.CharField(max_length=40)),
                ('phone_enc', models.BinaryField(null=True)),
                ('phone_index', models.BinaryField(max_length=32, null=True)),
                ('rank', models.PositiveSmallIntegerField(default=1)),
                ('elder', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='people.elder')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.contact')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HealthFact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('kind', models.CharField(choices=[('allergy', '过敏'), ('diagnosis', '诊断'), ('medication', '长期用药'), ('check', '体检'), ('contraindication', '疫苗接种禁忌'), ('vaccination', '疫苗接种'), ('grade', '健康管理分级')], max_length=20)),
                ('item', models.CharField(blank=True, max_length=40)),
                ('content_enc', models.BinaryField(null=True)),
                ('rule', models.CharField(blank=True, max_length=20)),
                ('body', models.CharField(max_length=80)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
            ],
            options={
                'indexes': [models.Index(fields=['elder', 'kind'], name='health_elder'), models.Index(fields=['div', 'kind', 'item'], name='health_div')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None), ('kind', 'grade')), expressions=[(models.F('elder'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='health_grade_once')],
            },
        ),
        migrations.CreateModel(
            name='HouseholdEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('address', models.CharField(max_length=200)),
                ('lon', models.FloatField(blank=True, null=True)),
                ('lat', models.FloatField(blank=True, null=True)),
                ('source_datum', models.CharField(choices=[('wgs84', 'WGS-84'), ('gcj02', 'GCJ-02'), ('cgcs2000', 'CGCS2000'), ('bd09', 'BD-09')], default='wgs84', max_length=10)),
                ('door_code', models.CharField(max_length=40)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.household')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('reason', models.CharField(max_length=500)),
                ('moved', models.JSONField(default=dict)),
                ('merged_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('gone', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('kept', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('merged_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('gone',), name='merge_once'), models.CheckConstraint(condition=models.Q(('kept', models.F('gone')), _negated=True), name='merge_two_files')],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('name', models.CharField(max_length=60)),
                ('department', models.CharField(choices=[('civil_affairs', '民政'), ('health', '卫生健康'), ('insurance', '医疗保障'), ('disabled_federation', '残联'), ('veterans', '退役军人事务'), ('police', '公安'), ('other', '其他部门')], max_length=20)),
                ('mapping', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('div', 'name'), name='source_once')],
            },
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('uploaded', '已上传'), ('checking', '试算中'), ('checked', '待确认'), ('running', '导入中'), ('done', '已完成'), ('undoing', '撤销中'), ('undone', '已撤销'), ('cancelled', '已取消'), ('failed', '失败')], default='uploaded', max_length=20)),
                ('file_name', models.CharField(max_length=200)),
                ('sheet', models.CharField(blank=True, max_length=100)),
                ('mapping', models.JSONField(blank=True, default=dict)),
                ('row_count', models.PositiveIntegerField(default=0)),
                ('done_count', models.PositiveIntegerField(default=0)),
                ('outcome_counts', models.JSONField(blank=True, default=dict)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('phase_began_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ground.storedfile')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.source')),
            ],
            options={
                'indexes': [models.Index(fields=['div', '-id'], name='import_div')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['uploaded', 'checking', 'checked', 'running', 'done', 'undoing', 'undone', 'cancelled', 'failed'])), name='import_state')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{cancelled:undoing,checked:cancelled,checked:checking,checked:running,checking:cancelled,checking:checked,checking:failed,done:undoing,running:cancelled,running:done,running:failed,undoing:failed,undoing:undone,uploaded:cancelled,uploaded:checking}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8903c3375a2363d1a0980aca6c48c0fa88a9011c', operation='UPDATE', pgid='pgtrigger_legal_change_6375f', table='people_import', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'uploaded' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='77254a3da0b5d7d970df1f2dba5aca527271e5b1', operation='INSERT', pgid='pgtrigger_legal_start_721f6', table='people_import', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='SurveyAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('outcome', models.CharField(choices=[('done', '已接种'), ('willing', '愿意接种'), ('contraindicated', '有接种禁忌'), ('declined', '不愿接种'), ('disabled', '疑似失能，需评估'), ('able', '能自理'), ('not_reached', '未联系上')], max_length=20)),
                ('note_enc', models.BinaryField(null=True)),
                ('asked_at', models.DateTimeField()),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.campaign')),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'elder'), name='survey_once')],
            },
        ),
        migrations.CreateModel(
            name='ImportLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('number', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('new', '新建'), ('changed', '更新'), ('same', '无变化'), ('error', '有错误'), ('double', '疑似重复'), ('skipped', '跳过')], max_length=10)),
                ('faults', models.JSONField(blank=True, default=list)),
                ('candidates', models.JSONField(blank=True, default=list)),
                ('decision', models.CharField(blank=True, max_length=10)),
                ('content_enc', models.BinaryField(null=True)),
                ('before_enc', models.BinaryField(null=True)),
                ('elder', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('sheet_import', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='people.import')),
            ],
            options={
                'indexes': [models.Index(fields=['elder'], name='import_line_elder')],
                'constraints': [models.UniqueConstraint(fields=('sheet_import', 'number'), name='import_line_once')],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='elder',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='elder',
            name='update_update',
        ),
        migrations.RemoveConstraint(
            model_name='elder',
            name='elder_id_once',
        ),
        migrations.AddField(
            model_name='circumstance',
            name='detail',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='elder',
            name='merged_into',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder'),
        ),
        migrations.AddField(
            model_name='elder',
            name='verified_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='elderevent',
            name='merged_into',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='people.elder'),
        ),
        migrations.AddField(
            model_name='elderevent',
            name='verified_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='circumstance',
            name='kind',
            field=models.CharField(choices=[('lives_alone', '独居'), ('empty_nest', '空巢'), ('left_behind', '留守'), ('bereaved', '失独'), ('special_family', '计划生育特殊家庭'), ('destitute', '特困（分散供养）'), ('destitute_in_care', '特困（集中供养）'), ('childless', '孤寡'), ('dibao', '低保'), ('dibao_marginal', '低保边缘'), ('poverty_file', '建档立卡'), ('veteran_care', '重点优抚'), ('disability', '残疾'), ('severe_disability', '重残'), ('dementia', '失智'), ('chronic', '慢性病'), ('limited_mobility', '行动不便'), ('in_hospital', '住院'), ('hardship_child', '困境儿童（仅助餐）'), ('hardship', '其他经济困难'), ('in_institution', '入住机构'), ('moved_away', '迁出'), ('deceased', '去世')], max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_contactevent" ("changed_at", "created_at", "div", "elder_id", "enc_kid", "enc_suite", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "rank", "seal_id", "version") VALUES (NEW."changed_at", NEW."created_at", NEW."div", NEW."elder_id", NEW."enc_kid", NEW."enc_suite", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."rank", NEW."seal_id", NEW."version"); RETURN NULL;', hash='6811256dd6f44621ea3fd94a9e6b649100ea6c22', operation='INSERT', pgid='pgtrigger_insert_insert_58971', table='people_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "people_contactevent" ("changed_at", "created_at", "div", "elder_id", "enc_kid", "enc_suite", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "rank", "seal_id", "version") VALUES (NEW."changed_at", NEW."created_at", NEW."div", NEW."elder_id", NEW."enc_kid", NEW."enc_suite", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."rank", NEW."seal_id", NEW."version"); RETURN NULL;', hash='a495768863e9755036543c295b15bffdfa82ea67', operation='UPDATE', pgid='pgtrigger_update_update_daf96', table='people_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='elder',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_elderevent" ("born_on", "changed_at", "created_at", "dialect", "died_on", "div", "enc_kid", "enc_suite", "health_record_ref", "household_id", "hukou_div", "id", "id_number_enc", "id_number_index", "id_type", "is_made_up", "is_resident", "merged_into_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "phone_last4", "seal_id", "sex", "verified_on", "version", "wants_sex") VALUES (NEW."born_on", NEW."changed_at", NEW."created_at", NEW."dialect", NEW."died_on", NEW."div", NEW."enc_kid", NEW."enc_suite", NEW."health_record_ref", NEW."household_id", NEW."hukou_div", NEW."id", NEW."id_number_enc", NEW."id_number_index", NEW."id_type", NEW."is_made_up", NEW."is_resident", NEW."merged_into_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."phone_last4", NEW."seal_id", NEW."sex", NEW."verified_on", NEW."version", NEW."wants_sex"); RETURN NULL;', hash='281ab9a0b6960ad2b609d6b3402c3149abfa9cfd', operation='INSERT', pgid='pgtrigger_insert_insert_64d65', table='people_elder', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='elder',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "people_elderevent" ("born_on", "changed_at", "created_at", "dialect", "died_on", "div", "enc_kid", "enc_suite", "health_record_ref", "household_id", "hukou_div", "id", "id_number_enc", "id_number_index", "id_type", "is_made_up", "is_resident", "merged_into_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "phone_last4", "seal_id", "sex", "verified_on", "version", "wants_sex") VALUES (NEW."born_on", NEW."changed_at", NEW."created_at", NEW."dialect", NEW."died_on", NEW."div", NEW."enc_kid", NEW."enc_suite", NEW."health_record_ref", NEW."household_id", NEW."hukou_div", NEW."id", NEW."id_number_enc", NEW."id_number_index", NEW."id_type", NEW."is_made_up", NEW."is_resident", NEW."merged_into_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."phone_last4", NEW."seal_id", NEW."sex", NEW."verified_on", NEW."version", NEW."wants_sex"); RETURN NULL;', hash='1d1ca3ed1280d81732a8126394e3b262b212bcfa', operation='UPDATE', pgid='pgtrigger_update_update_38ad7', table='people_elder', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='household',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_householdevent" ("address", "changed_at", "created_at", "div", "door_code", "id", "lat", "lon", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_datum", "version") VALUES (NEW."address", NEW."changed_at", NEW."created_at", NEW."div", NEW."door_code", NEW."id", NEW."lat", NEW."lon", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."source_datum", NEW."version"); RETURN NULL;', hash='ce4a2e42c5d614d5462aa3147a83a3c37d362482', operation='INSERT', pgid='pgtrigger_insert_insert_bfe65', table='people_household', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='household',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "people_householdevent" ("address", "changed_at", "created_at", "div", "door_code", "id", "lat", "lon", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_datum", "version") VALUES (NEW."address", NEW."changed_at", NEW."created_at", NEW."div", NEW."door_code", NEW."id", NEW."lat", NEW."lon", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."source_datum", NEW."version"); RETURN NULL;', hash='c60466f5e394b7db9218627a9f6f75fbec7c08cf', operation='UPDATE', pgid='pgtrigger_update_update_dc1e1', table='people_household', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='elder',
            constraint=models.UniqueConstraint(condition=models.Q(('id_number_index__isnull', False), ('merged_into', None)), fields=('id_type', 'id_number_index'), name='elder_id_once'),
        ),
        migrations.AddConstraint(
            model_name='elder',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='elder_not_into_itself'),
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Import'],
        ),
    ]
