"""Refunds, and how much of a payment is offset against the settlement of its order."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):

    dependencies = [
        ('directory', '0007_money'),
        ('orders', '0006_money'),
        ('people', '0010_city_size'),
        ('settlement', '0010_batches'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('key', models.CharField(max_length=64, unique=True)),
                ('state', models.CharField(choices=[('asked', '退款中'), ('done', '已退款'), ('failed', '退款失败')], default='asked', max_length=20)),
                ('amount_fen', models.BigIntegerField()),
                ('reason', models.CharField(max_length=200)),
                ('asked_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, default='', max_length=200)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payment',
            name='legal_change',
        ),
        migrations.RemoveConstraint(
            model_name='payment',
            name='payment_state',
        ),
        migrations.AddField(
            model_name='payment',
            name='matched_fen',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='payment',
            name='state',
            field=models.CharField(choices=[('asked', '待支付'), ('paid', '已支付'), ('surplus', '多付待退'), ('refunded', '已退款'), ('closed', '已关闭')], default='asked', max_length=20),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['channel', 'paid_at'], name='payment_paid'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('state', 'asked')), fields=['expires_at'], name='payment_waiting'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('matched_fen__lt', django.db.models.expressions.CombinedExpression(models.F('amount_fen'), '-', models.F('refunded_fen'))), ('state__in', ['paid', 'surplus'])), fields=['div'], name='payment_moving'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{asked:closed,asked:paid,asked:surplus,closed:paid,closed:surplus,paid:refunded,surplus:refunded}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='d932e4296d959f92f6009238f7b877a65c84651e', operation='UPDATE', pgid='pgtrigger_legal_change_0761b', table='settlement_payment', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'paid', 'surplus', 'refunded', 'closed'])), name='payment_state'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('matched_fen__gte', 0), ('matched_fen__lte', django.db.models.expressions.CombinedExpression(models.F('amount_fen'), '-', models.F('refunded_fen')))), name='payment_matched'),
        ),
        migrations.AddField(
            model_name='refund',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refund',
            name='elder',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder'),
        ),
        migrations.AddField(
            model_name='refund',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='settlement.payment'),
        ),
        migrations.AddField(
            model_name='refund',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['payment'], name='refund_payment'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'done', 'failed'])), name='refund_state'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('payment',), name='refund_open_once'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='refund_positive'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{asked:done,asked:failed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='b4aa4e7a9666996a4f1c375471be6eaba4df2d08', operation='UPDATE', pgid='pgtrigger_legal_change_f663d', table='settlement_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'asked' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='056e91ae46d0ceb9d366d8c885894e318c6b12a3', operation='INSERT', pgid='pgtrigger_legal_start_e742b', table='settlement_refund', when='BEFORE')),
        ),
        migrations.RunSQL(scope_policy("settlement_refund", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
