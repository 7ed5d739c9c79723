"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.db.models.deletion
import pgtrigger.compiler
import uuid
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('catalogue', '0001_initial'),
        ('directory', '0001_initial'),
        ('entitlements', '0001_initial'),
        ('ground', '0001_initial'),
        ('hotline', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Order',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('ticket', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='hotline.ticket')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('state', models.CharField(choices=[('draft', '草稿'), ('placed', '待派单'), ('accepted', '已接单'), ('assigned', '已派单'), ('in_service', '服务中'), ('served', '待结算'), ('settled', '已结算'), ('closed', '已完成'), ('cancelled', '已取消'), ('failed', '未完成')], default='draft', max_length=20)),
                        ('channel', models.CharField(choices=[('phone', '电话'), ('app', '手机端'), ('device', '一键呼叫'), ('console', '电脑端'), ('visitor', '探访员')], max_length=10)),
                        ('elder_name', models.CharField(max_length=40)),
                        ('elder_sex', models.CharField(max_length=1)),
                        ('address', models.CharField(max_length=200)),
                        ('lon', models.FloatField(null=True)),
                        ('lat', models.FloatField(null=True)),
                        ('door_code', models.CharField(blank=True, max_length=40)),
                        ('phone_enc', models.BinaryField(null=True)),
                        ('wants_sex', models.CharField(blank=True, max_length=1)),
                        ('dialect', models.CharField(blank=True, max_length=20)),
                        ('starts_at', models.DateTimeField()),
                        ('ends_at', models.DateTimeField()),
                        ('earliest_at', models.DateTimeField()),
                        ('latest_at', models.DateTimeField()),
                        ('carers_needed', models.PositiveSmallIntegerField(default=1)),
                        ('needs_visit', models.BooleanField(default=True)),
                        ('source', models.CharField(blank=True, default='', max_length=60)),
                        ('is_urgent', models.BooleanField(default=False)),
                        ('note', models.CharField(blank=True, max_length=500)),
                        ('placed_at', models.DateTimeField(blank=True, null=True)),
                        ('accept_due_at', models.DateTimeField(blank=True, null=True)),
                        ('accepted_at', models.DateTimeField(blank=True, null=True)),
                        ('served_at', models.DateTimeField(blank=True, null=True)),
                        ('settled_at', models.DateTimeField(blank=True, null=True)),
                        ('total_fen', models.BigIntegerField(default=0)),
                        ('self_fen', models.BigIntegerField(default=0)),
                        ('self_pay_consent', models.CharField(blank=True, default='', max_length=60)),
                        ('distance_m', models.PositiveIntegerField(blank=True, null=True)),
                        ('distance_method', models.CharField(blank=True, default='', max_length=20)),
                        ('cancel_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', 'state', 'starts_at'], name='order_queue'), models.Index(fields=['provider', 'state', 'starts_at'], name='order_provider'), models.Index(fields=['elder', '-starts_at'], name='order_elder'), models.Index(fields=['ticket'], name='order_ticket'), models.Index(fields=['starts_at'], name='order_start'), models.Index(condition=models.Q(('state__in', ['placed', 'accepted', 'assigned', 'in_service', 'served'])), fields=['div', 'state'], name='order_open')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'placed', 'accepted', 'assigned', 'in_service', 'served', 'settled', 'closed', 'cancelled', 'failed'])), name='order_state'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='order_time'), models.CheckConstraint(condition=models.Q(('starts_at__gte', models.F('earliest_at')), ('starts_at__lte', models.F('latest_at'))), name='order_window'), models.CheckConstraint(condition=models.Q(('carers_needed__gte', 1), ('carers_needed__lte', 2)), name='order_carers'), models.UniqueConstraint(condition=models.Q(models.Q(('source', ''), _negated=True), models.Q(('state', 'cancelled'), _negated=True)), fields=('source',), name='order_source_once'), models.CheckConstraint(condition=models.Q(('state', 'draft'), ('placed_at__isnull', False), ('state', 'cancelled'), _connector='OR'), name='order_placed_pair')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{accepted:assigned,accepted:cancelled,accepted:placed,assigned:cancelled,assigned:failed,assigned:in_service,assigned:placed,draft:cancelled,draft:placed,in_service:failed,in_service:served,placed:accepted,placed:assigned,placed:cancelled,placed:served,served:settled,settled:closed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f64f4e1713c17fd5fa1e925f8a789a7dc202c853', operation='UPDATE', pgid='pgtrigger_legal_change_8d562', table='orders_order', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='715c6aab1547665c8de51187fd2a929d599dd432', operation='INSERT', pgid='pgtrigger_legal_start_606b3', table='orders_order', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='OrderLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='orders.order')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
                        ('price', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.price')),
                        ('kind', models.CharField(choices=[('item', '项目'), ('callout', '上门服务费')], max_length=10)),
                        ('name', models.CharField(max_length=60)),
                        ('quantity', models.PositiveSmallIntegerField(default=1)),
                        ('minutes', models.PositiveSmallIntegerField(default=0)),
                        ('amount_fen', models.BigIntegerField()),
                        ('detail', models.JSONField(blank=True, default=dict)),
                        ('added_at', models.DateTimeField(blank=True, null=True)),
                        ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                        ('confirmed_as', models.CharField(blank=True, default='', max_length=60)),
                        ('dropped_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['order'], name='line_order')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('quantity__gte', 1)), name='line_sane'), models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('added_at__isnull', False), _connector='OR'), name='line_confirmed_pair')],
                    },
                ),
                migrations.CreateModel(
                    name='PayerShare',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='orders.order')),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='orders.orderline')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('payer', models.CharField(choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], max_length=20)),
                        ('entitlement', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.entitlement')),
                        ('amount_fen', models.BigIntegerField()),
                        ('uses', models.JSONField(blank=True, default=list)),
                        ('reason', models.CharField(max_length=200)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['order'], name='share_order'), models.Index(fields=['line'], name='share_line')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0)), name='share_not_negative'), models.UniqueConstraint(fields=('line', 'payer', 'entitlement'), name='share_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='Hold',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='orders.order')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('reason', models.CharField(max_length=500)),
                        ('cause', models.CharField(max_length=60)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(blank=True, null=True)),
                        ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('release_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('to_at', None)), fields=['order'], name='hold_open')],
                        'constraints': [models.UniqueConstraint(fields=('order', 'cause'), name='hold_once'), models.CheckConstraint(condition=models.Q(models.Q(('released_by', None), ('to_at', None)), models.Q(('released_by__isnull', False), ('to_at__isnull', False)), _connector='OR'), name='hold_release_pair')],
                    },
                ),
            ],
        ),
    ]
