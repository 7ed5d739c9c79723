"""Tables with their indexes, constraints and triggers."""

import django.db.models.deletion
import pgtrigger.compiler
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('directory', '0001_initial'),
        ('entitlements', '0001_initial'),
        ('orders', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('key', models.CharField(max_length=100, unique=True)),
                ('kind', models.CharField(max_length=20)),
                ('text', models.CharField(max_length=200)),
                ('posted_at', models.DateTimeField()),
                ('elder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                ('posted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.posting')),
            ],
            options={
                'indexes': [models.Index(fields=['order'], name='posting_order')],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0d842b1d5c9e404ec5936faab131ee780ccf3cf0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b61d9', table='settlement_posting', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('payer', models.CharField(choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], max_length=20)),
                ('month', models.DateField()),
                ('state', models.CharField(choices=[('draft', '待初审'), ('reviewed', '待复核'), ('approved', '已审定'), ('returned', '已退回')], default='draft', max_length=20)),
                ('total_fen', models.BigIntegerField()),
                ('line_count', models.PositiveIntegerField()),
                ('drafted_at', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('return_reason', models.CharField(blank=True, max_length=500)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'month'], name='statement_div'), models.Index(fields=['provider', 'month'], name='statement_provider')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'reviewed', 'approved', 'returned'])), name='statement_state'), models.UniqueConstraint(condition=models.Q(('state', 'returned'), _negated=True), fields=('provider', 'payer', 'month'), name='statement_once'), models.CheckConstraint(condition=models.Q(('reviewed_by', models.F('approved_by')), _negated=True), name='statement_two_persons')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:returned,draft:reviewed,reviewed:approved,reviewed:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='da7606e43b054b7bc43ad2078d52bd7a27ac6045', operation='UPDATE', pgid='pgtrigger_legal_change_e998f', table='settlement_statement', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='e75bf18b4f6f3bf9d494c5cf923fba79eedabb4a', operation='INSERT', pgid='pgtrigger_legal_start_35344', table='settlement_statement', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('account', models.CharField(max_length=40)),
                ('amount', models.BigIntegerField()),
                ('unit', models.CharField(choices=[('fen', '分'), ('minute', '分钟')], default='fen', max_length=6)),
                ('business', models.CharField(choices=[('medical', '医疗'), ('eldercare', '养老')], max_length=10)),
                ('fund', models.CharField(max_length=30)),
                ('plan_year', models.PositiveSmallIntegerField()),
                ('service_day', models.DateField(null=True)),
                ('period', models.DateField()),
                ('elder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.orderline')),
                ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('scheme', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.scheme')),
                ('posting', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='settlement.posting')),
            ],
            options={
                'indexes': [models.Index(fields=['posting'], name='entry_posting'), models.Index(fields=['account', 'provider', 'period'], name='entry_account'), models.Index(fields=['elder', 'service_day'], name='entry_elder')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='entry_not_zero')],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a264b5aed137c6825581a7753ede5b3125173ed3', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_17722', table='settlement_ledgerentry', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('payer', models.CharField(choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], max_length=20)),
                ('amount_fen', models.BigIntegerField()),
                ('service_day', models.DateField()),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('entitlement', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.entitlement')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.orderline')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='orders.order')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('posting', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='settlement.posting')),
            ],
            options={
                'indexes': [models.Index(fields=['order'], name='charge_order'), models.Index(fields=['provider', 'service_day'], name='charge_provider')],
                'constraints': [models.UniqueConstraint(fields=('line', 'payer', 'entitlement'), name='charge_once', nulls_distinct=False)],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='16310b88360296eeaa27baba86950d51c3d7185e', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9aaa4', table='settlement_charge', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='StatementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('is_live', models.BooleanField(default=True)),
                ('charge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.charge')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='settlement.statement')),
            ],
            options={
                'indexes': [models.Index(fields=['statement'], name='statement_line')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('charge',), name='statement_line_once')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Posting', 'LedgerEntry', 'Charge', 'Statement'],
        ),
    ]
