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
        ('entitlements', '0001_initial'),
        ('ground', '0001_initial'),
        ('settlement', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Subsidy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                        ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('approved_at', models.DateTimeField(blank=True, null=True)),
                        ('return_reason', models.CharField(blank=True, default='', max_length=500)),
                        ('kind', models.CharField(choices=[('canteen', '幸福食堂补助'), ('award_township', '镇（街）示范中心奖补'), ('award_village', '村（社区）示范站点奖补'), ('model', '示范机构奖补'), ('building', '建设补贴'), ('operating', '运营补贴'), ('training', '培训补贴'), ('project', '项目经费')], max_length=16)),
                        ('provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('state', models.CharField(choices=[('draft', '待初审'), ('reviewed', '待复核'), ('approved', '已审定'), ('returned', '已退回')], default='draft', max_length=20)),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.budgetline')),
                        ('result_year', models.PositiveSmallIntegerField()),
                        ('booking_year', models.PositiveSmallIntegerField()),
                        ('part', models.CharField(blank=True, default='', max_length=40)),
                        ('amount_fen', models.BigIntegerField()),
                        ('facts', models.JSONField(default=dict)),
                        ('reasons', models.JSONField(default=list)),
                        ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('posting', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.posting')),
                    ],
                    options={
                        'abstract': False,
                        'indexes': [models.Index(fields=['div', 'booking_year'], name='subsidy_div'), models.Index(fields=['provider'], name='subsidy_provider'), models.Index(fields=['line'], name='subsidy_line')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('reviewed_by', models.F('approved_by')), _negated=True), name='subsidy_two_persons'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'reviewed', 'approved', 'returned'])), name='subsidy_state'), models.UniqueConstraint(condition=models.Q(('state', 'returned'), _negated=True), fields=('kind', 'provider', 'result_year', 'part', 'line'), name='subsidy_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='subsidy_positive')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:returned,draft:reviewed,reviewed:approved,reviewed:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e2d8a7b55404973bd7770b42fd3c8ff2e9d60543', operation='UPDATE', pgid='pgtrigger_legal_change_7b63b', table='subsidies_subsidy', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='a273c55220ad5cba3fac4b92b6dbd4344445b359', operation='INSERT', pgid='pgtrigger_legal_start_4faf1', table='subsidies_subsidy', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Spending',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('subsidy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spendings', to='subsidies.subsidy')),
                        ('provider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('category', models.CharField(choices=[('equipment', '设施设备配置'), ('services', '购买服务'), ('wages', '人员经费'), ('rent', '房租水电'), ('other', '其他')], max_length=10)),
                        ('amount_fen', models.BigIntegerField()),
                        ('spent_on', models.DateField()),
                        ('text', models.CharField(max_length=200)),
                        ('voucher', models.CharField(max_length=60)),
                        ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('entered_at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['subsidy'], name='spending_subsidy')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen', 0), _negated=True), name='spending_not_zero')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5dc86cca53709a8e93d6fe95f9390e28f3e333ae', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6089f', table='subsidies_spending', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Donation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('donor', models.CharField(max_length=80)),
                        ('is_anonymous', models.BooleanField(default=False)),
                        ('amount_fen', models.BigIntegerField()),
                        ('purpose', models.CharField(choices=[('home_care', '居家养老'), ('elder_care', '其他养老服务'), ('platform', '平台建设与运营'), ('training', '人员培训'), ('welfare', '其他社会福利')], max_length=12)),
                        ('wish', models.CharField(blank=True, default='', max_length=200)),
                        ('received_on', models.DateField()),
                        ('receipt_number', models.CharField(max_length=40, unique=True)),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.budgetline')),
                        ('posting', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.posting')),
                        ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', '-received_on'], name='donation_div')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen__gt', 0)), name='donation_positive')],
                    },
                ),
            ],
        ),
    ]
