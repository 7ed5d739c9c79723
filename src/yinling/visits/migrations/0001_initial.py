"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.db.models.deletion
import pgtrigger.compiler
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('directory', '0001_initial'),
        ('dispatch', '0001_initial'),
        ('ground', '0001_initial'),
        ('orders', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Visit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dispatch.assignment')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('state', models.CharField(choices=[('planned', '待出发'), ('en_route', '在途'), ('on_site', '服务中'), ('done', '已完成'), ('aborted', '未完成')], default='planned', max_length=20)),
                        ('departed_at', models.DateTimeField(blank=True, null=True)),
                        ('started_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('tasks', models.JSONField(default=list)),
                        ('findings', models.CharField(blank=True, max_length=2000)),
                        ('signed_by', models.CharField(blank=True, max_length=40)),
                        ('signed_as', models.CharField(blank=True, choices=[('self', '本人'), ('family', '家属'), ('agent', '代理人')], max_length=10)),
                        ('abort_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['staff', 'started_at'], name='visit_staff'), models.Index(fields=['order'], name='visit_order'), models.Index(fields=['elder', 'started_at'], name='visit_elder'), models.Index(fields=['div', 'started_at'], name='visit_div')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'en_route', 'on_site', 'done', 'aborted'])), name='visit_state'), models.UniqueConstraint(condition=models.Q(('state', 'on_site')), fields=('staff',), name='visit_one_at_a_time'), models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('started_at')), ('started_at', None), _connector='OR'), name='visit_time')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{en_route:aborted,en_route:on_site,on_site:aborted,on_site:done,planned:aborted,planned:en_route,planned:on_site}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6e942ae7b0d7e0a372e9c789fbc839ce29621b6f', operation='UPDATE', pgid='pgtrigger_legal_change_fa1e9', table='visits_visit', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'planned' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='cd36a3283aca000bfe68841371317c81e4f12edc', operation='INSERT', pgid='pgtrigger_legal_start_50b51', table='visits_visit', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='CheckIn',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('visit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='check_ins', to='visits.visit')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('in', '签到'), ('out', '签退')], max_length=3)),
                        ('key', models.CharField(max_length=64, unique=True)),
                        ('lon', models.FloatField(null=True)),
                        ('lat', models.FloatField(null=True)),
                        ('datum', models.CharField(choices=[('wgs84', 'WGS-84'), ('gcj02', 'GCJ-02'), ('cgcs2000', 'CGCS2000'), ('bd09', 'BD-09')], max_length=10)),
                        ('accuracy_m', models.FloatField(null=True)),
                        ('distance_m', models.PositiveIntegerField(null=True)),
                        ('by_door_code', models.BooleanField(default=False)),
                        ('device_at', models.DateTimeField(null=True)),
                        ('received_at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('visit', 'kind'), name='check_in_once')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6c6caab966bbbe2d5579fe6c9672623878803bc3', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_bdf2c', table='visits_checkin', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Evidence',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('visit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='visits.visit')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('photo', '现场照片'), ('signature', '签名')], max_length=10)),
                        ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ground.storedfile')),
                        ('sha256', models.BinaryField(max_length=32)),
                        ('taken_at', models.DateTimeField(null=True)),
                        ('received_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['visit'], name='evidence_visit'), models.Index(fields=['sha256'], name='evidence_hash')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f1ff5a08332e9941d1307d713efb2a8f8500cf8a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9fb6d', table='visits_evidence', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Evaluation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('score', models.PositiveSmallIntegerField()),
                        ('comment', models.CharField(blank=True, max_length=500)),
                        ('by', models.CharField(choices=[('elder', '老年人'), ('family', '家属'), ('follow_up', '电话回访')], max_length=10)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('evaluated_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', 'evaluated_at'], name='evaluation_div')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('score__gte', 1), ('score__lte', 5)), name='evaluation_score')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='dc9f3822f40fd5ab13830a69338180725f94ee47', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5c604', table='visits_evaluation', when='BEFORE'))],
                    },
                ),
            ],
        ),
    ]
