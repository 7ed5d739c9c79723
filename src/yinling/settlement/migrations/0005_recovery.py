"""Tables with their indexes, constraints and triggers."""

import django.db.models.deletion
import pgtrigger.compiler
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('directory', '0003_no_way_back'),
        ('orders', '0003_scope'),
        ('people', '0006_health_record'),
        ('settlement', '0004_no_way_back'),
    ]

    operations = [
        migrations.CreateModel(
            name='Recovery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('cause', models.CharField(max_length=60)),
                ('stopped_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('draft', '待初审'), ('reviewed', '待复核'), ('approved', '已审定'), ('returned', '已退回'), ('lifted', '已撤销')], default='draft', max_length=20)),
                ('recover_fen', models.BigIntegerField(default=0)),
                ('reject_fen', models.BigIntegerField(default=0)),
                ('line_count', models.PositiveIntegerField(default=0)),
                ('drafted_at', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('return_reason', models.CharField(blank=True, max_length=500)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'state'], name='recovery_div'), models.Index(fields=['elder'], name='recovery_elder')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'reviewed', 'approved', 'returned', 'lifted'])), name='recovery_state'), models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('elder', 'cause'), name='recovery_one_draft'), models.CheckConstraint(condition=models.Q(('reviewed_by', models.F('approved_by')), _negated=True), name='recovery_two_persons')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{approved:lifted,draft:returned,draft:reviewed,reviewed:approved,reviewed:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='00592fbfaae60bf764df00c7c82061666e4727e5', operation='UPDATE', pgid='pgtrigger_legal_change_a483c', table='settlement_recovery', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='6706500671177bcf7522540763bee0727ffc96bb', operation='INSERT', pgid='pgtrigger_legal_start_bcdd8', table='settlement_recovery', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='RecoveryLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('payer', models.CharField(choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], max_length=20)),
                ('amount_fen', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('recover', '追回'), ('reject', '拒付')], max_length=10)),
                ('began_at', models.DateTimeField()),
                ('is_live', models.BooleanField(default=True)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('recovery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='settlement.recovery')),
                ('share', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.payershare')),
            ],
            options={
                'indexes': [models.Index(fields=['recovery'], name='recovery_line'), models.Index(fields=['order'], name='recovery_line_order')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('share',), name='recovery_line_once')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Recovery'],
        ),
    ]
