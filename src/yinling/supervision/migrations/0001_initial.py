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
        ('ground', '0001_initial'),
        ('hotline', '0001_initial'),
        ('orders', '0001_initial'),
        ('people', '0001_initial'),
        ('visits', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Finding',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('rule', models.CharField(max_length=40)),
                        ('key', models.CharField(max_length=100, unique=True)),
                        ('severity', models.CharField(choices=[('warning', '预警'), ('block', '管制')], max_length=8)),
                        ('state', models.CharField(choices=[('open', '待处置'), ('acknowledged', '核查中'), ('released', '已解除'), ('upheld', '已认定')], default='open', max_length=20)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('visit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='visits.visit')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('staff', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('follow_up', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='hotline.ticket')),
                        ('title', models.CharField(max_length=120)),
                        ('facts', models.JSONField(default=dict)),
                        ('happened_at', models.DateTimeField()),
                        ('found_at', models.DateTimeField()),
                        ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('decision_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', 'state', '-found_at'], name='finding_queue'), models.Index(fields=['-found_at', '-id'], name='finding_newest'), models.Index(fields=['order'], name='finding_order'), models.Index(fields=['staff'], name='finding_staff')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'acknowledged', 'released', 'upheld'])), name='finding_state'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('state__in', ['open', 'acknowledged'])), models.Q(('decided_by__isnull', False), ('state__in', ['released', 'upheld'])), _connector='OR'), name='finding_decision_pair')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{acknowledged:released,acknowledged:upheld,open:acknowledged,open:released,open:upheld}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='932cbdfb810a6f5deb135dffb2d8749853365215', operation='UPDATE', pgid='pgtrigger_legal_change_0e7d0', table='supervision_finding', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'open' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='9126972b4876f7e00b7253860ee85f23497e38f9', operation='INSERT', pgid='pgtrigger_legal_start_52c73', table='supervision_finding', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Round',
                    fields=[
                        ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                        ('snapshot', models.TextField(blank=True)),
                        ('ran_at', models.DateTimeField(null=True)),
                        ('took_ms', models.PositiveIntegerField(default=0)),
                        ('touched', models.PositiveIntegerField(default=0)),
                        ('found', models.PositiveIntegerField(default=0)),
                    ],
                ),
            ],
        ),
    ]
