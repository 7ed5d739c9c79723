"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import pgtrigger.compiler
import yinling.ground.installing
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('catalogue', '0001_initial'),
        ('directory', '0001_initial'),
        ('ground', '0001_initial'),
        ('orders', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='DayPlan',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('day', models.DateField()),
                        ('number', models.PositiveSmallIntegerField()),
                        ('state', models.CharField(choices=[('queued', '排队中'), ('running', '计算中'), ('ready', '待发布'), ('published', '已发布'), ('superseded', '已被新计划替代'), ('discarded', '已弃用'), ('failed', '计算失败')], default='queued', max_length=20)),
                        ('cause', models.CharField(choices=[('day', '全天排班'), ('absence', '人员缺勤重排'), ('hand', '手工调整'), ('border', '相邻街道调剂')], max_length=10)),
                        ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dispatch.dayplan')),
                        ('locked_staff', models.JSONField(default=list)),
                        ('cost', models.JSONField(default=dict)),
                        ('settings', models.JSONField(default=dict)),
                        ('notes', models.JSONField(default=list)),
                        ('progress', models.PositiveSmallIntegerField(default=0)),
                        ('is_stop_wanted', models.BooleanField(default=False)),
                        ('alive_at', models.DateTimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['provider', 'day', 'div'], name='day_plan_day')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'ready', 'published', 'superseded', 'discarded', 'failed'])), name='day_plan_state'), models.UniqueConstraint(fields=('provider', 'div', 'day', 'number'), name='day_plan_number'), models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('provider', 'div', 'day'), name='day_plan_published_once'), models.CheckConstraint(condition=models.Q(models.Q(('published_at', None), ('published_by', None)), models.Q(('published_at__isnull', False), ('published_by__isnull', False)), _connector='OR'), name='day_plan_published_pair')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{failed:discarded,published:superseded,queued:discarded,queued:failed,queued:running,ready:discarded,ready:published,running:failed,running:queued,running:ready}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='994b2291fdffca845c9115a2ed43de407993cbad', operation='UPDATE', pgid='pgtrigger_legal_change_6e72c', table='dispatch_dayplan', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'queued' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='56fe6b04419975f4bc83d1e4634f9ba9cd737163', operation='INSERT', pgid='pgtrigger_legal_start_75172', table='dispatch_dayplan', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='PlannedVisit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='dispatch.dayplan')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('slot', models.PositiveSmallIntegerField(default=1)),
                        ('staff', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('starts_at', models.DateTimeField()),
                        ('ends_at', models.DateTimeField()),
                        ('way_minutes', models.PositiveSmallIntegerField(default=0)),
                        ('late_minutes', models.PositiveSmallIntegerField(default=0)),
                        ('is_locked', models.BooleanField(default=False)),
                        ('reasons', models.JSONField(default=list)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['plan', 'staff', 'starts_at'], name='planned_visit_route'), models.Index(fields=['order'], name='planned_visit_order')],
                        'constraints': [models.UniqueConstraint(fields=('plan', 'order', 'slot'), name='planned_visit_once'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='planned_visit_time')],
                    },
                ),
                migrations.CreateModel(
                    name='Assignment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('staff_name', models.CharField(max_length=40)),
                        ('slot', models.PositiveSmallIntegerField(default=1)),
                        ('plan', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dispatch.dayplan')),
                        ('state', models.CharField(choices=[('offered', '待接受'), ('accepted', '已接受'), ('refused', '已谢绝'), ('expired', '超时未接'), ('withdrawn', '已改派'), ('released', '已退单'), ('done', '已完成')], default='offered', max_length=20)),
                        ('is_claimed', models.BooleanField(default=False)),
                        ('starts_at', models.DateTimeField()),
                        ('ends_at', models.DateTimeField()),
                        ('offered_at', models.DateTimeField()),
                        ('accept_due_at', models.DateTimeField()),
                        ('accepted_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('assigned_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('rank', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('reasons', models.JSONField(default=list)),
                        ('choice_reason', models.CharField(blank=True, max_length=500)),
                        ('end_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['staff', 'starts_at'], name='assignment_staff'), models.Index(fields=['order'], name='assignment_order'), models.Index(condition=models.Q(('state', 'offered')), fields=['accept_due_at'], name='assignment_waiting'), models.Index(fields=['provider', 'starts_at'], name='assignment_provider')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['offered', 'accepted', 'refused', 'expired', 'withdrawn', 'released', 'done'])), name='assignment_state'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state__in', ['offered', 'accepted'])), expressions=[('staff', '='), (yinling.ground.models.MomentRange('starts_at', 'ends_at'), '&&')], name='assignment_no_overlap'), models.UniqueConstraint(condition=models.Q(('state__in', ['offered', 'accepted'])), fields=('order', 'staff'), name='assignment_once'), models.UniqueConstraint(condition=models.Q(('state__in', ['offered', 'accepted'])), fields=('order', 'slot'), name='assignment_slot'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='assignment_time')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{accepted:done,accepted:released,accepted:withdrawn,offered:accepted,offered:expired,offered:refused,offered:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8fe2d9a154b3ec1ac13ddfface27c13737c45994', operation='UPDATE', pgid='pgtrigger_legal_change_652af', table='dispatch_assignment', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'offered' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='f718c6740f705a18c57176fc556a472ae430342f', operation='INSERT', pgid='pgtrigger_legal_start_a042e', table='dispatch_assignment', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='ClaimStop',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('provider', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('reason', models.CharField(max_length=500)),
                        ('stopped_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('stopped_at', models.DateTimeField()),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='TravelCache',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('engine', models.CharField(max_length=20)),
                        ('mode', models.CharField(max_length=10)),
                        ('from_cell', models.BigIntegerField()),
                        ('to_cell', models.BigIntegerField()),
                        ('seconds', models.PositiveIntegerField(null=True)),
                        ('fetched_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['fetched_at'], name='travel_cache_age')],
                        'constraints': [models.UniqueConstraint(fields=('engine', 'mode', 'from_cell', 'to_cell'), name='travel_cache_once')],
                    },
                ),
                migrations.CreateModel(
                    name='TravelEngine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('engine', models.CharField(max_length=20, unique=True)),
                        ('answered_at', models.DateTimeField(blank=True, null=True)),
                        ('failing_since', models.DateTimeField(blank=True, null=True)),
                        ('failed_at', models.DateTimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, max_length=300)),
                    ],
                ),
                migrations.CreateModel(
                    name='Correction',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('kind', models.CharField(choices=[('travel', '路上时间'), ('minutes', '服务时长')], max_length=10)),
                        ('state', models.CharField(choices=[('proposed', '待确认'), ('used', '使用中'), ('rejected', '不采用'), ('replaced', '已被新结果替代'), ('ended', '已停用')], default='proposed', max_length=20)),
                        ('provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('mode', models.CharField(blank=True, max_length=10)),
                        ('engine', models.CharField(blank=True, max_length=20)),
                        ('hour_from', models.PositiveSmallIntegerField(default=0)),
                        ('hour_to', models.PositiveSmallIntegerField(default=24)),
                        ('item', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
                        ('level', models.CharField(blank=True, max_length=20)),
                        ('value', models.FloatField()),
                        ('before', models.FloatField()),
                        ('low', models.FloatField()),
                        ('high', models.FloatField()),
                        ('sample_count', models.PositiveIntegerField()),
                        ('distribution', models.JSONField(default=list)),
                        ('measured_from', models.DateField()),
                        ('computed_on', models.DateField()),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', 'state', '-id'], name='correction_queue')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'used', 'rejected', 'replaced', 'ended'])), name='correction_state'), models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('kind', 'div', 'provider', 'mode', 'engine', 'hour_from', 'hour_to', 'item', 'level'), name='correction_proposed_once', nulls_distinct=False), models.UniqueConstraint(condition=models.Q(('state', 'used')), fields=('kind', 'div', 'provider', 'mode', 'engine', 'hour_from', 'hour_to', 'item', 'level'), name='correction_used_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='correction_value'), models.CheckConstraint(condition=models.Q(models.Q(('item', None), ('kind', 'travel'), ('provider', None)), models.Q(('item__isnull', False), ('kind', 'minutes')), _connector='OR'), name='correction_kind')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{proposed:rejected,proposed:replaced,proposed:used,used:ended,used:replaced}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='4c33c530d7d00919ab3a40998084377b0e52ea6c', operation='UPDATE', pgid='pgtrigger_legal_change_a5829', table='dispatch_correction', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'proposed' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='dc0b172a35a6d0a69bf8fdefde097de7cbf2f371', operation='INSERT', pgid='pgtrigger_legal_start_07542', table='dispatch_correction', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Avoidance',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('staff_name', models.CharField(max_length=40)),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('asked_by', models.CharField(choices=[('elder', '老人或家属'), ('carer', '服务人员'), ('provider', '服务机构'), ('supervision', '监管部门')], max_length=12)),
                        ('reason', models.CharField(max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['elder'], name='avoidance_elder')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('elder'), '='), (models.F('staff'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='avoidance_no_overlap')],
                    },
                ),
            ],
        ),
    ]
