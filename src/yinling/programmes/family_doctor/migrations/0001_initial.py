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
        ('entitlements', '0001_initial'),
        ('ground', '0001_initial'),
        ('orders', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='DoctorContract',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('package', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.package')),
                        ('state', models.CharField(choices=[('draft', '待签约'), ('signed', '履约中'), ('ended', '已解约'), ('cancelled', '已作废')], default='draft', max_length=20)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField()),
                        ('lines', models.JSONField(default=list)),
                        ('price_fen', models.BigIntegerField()),
                        ('payer', models.CharField(choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], default='self', max_length=20)),
                        ('signed_by', models.CharField(blank=True, default='', max_length=40)),
                        ('signed_as', models.CharField(blank=True, default='', max_length=10)),
                        ('signed_at', models.DateTimeField(blank=True, null=True)),
                        ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('entitlement', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.entitlement')),
                        ('fee_order', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order')),
                        ('end_reason', models.CharField(blank=True, default='', max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['elder'], name='doctor_contract_elder'), models.Index(fields=['provider', 'state'], name='doctor_contract_provider'), models.Index(fields=['div', 'state'], name='doctor_contract_div')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'signed', 'ended', 'cancelled'])), name='doctor_contract_state'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state__in', ['signed', 'ended'])), expressions=[(models.F('elder'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='doctor_contract_one_at_a_time'), models.CheckConstraint(condition=models.Q(('valid_to__gte', models.F('valid_from'))), name='doctor_contract_days'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'signed'), _negated=True), models.Q(('entitlement__isnull', False), ('signed_at__isnull', False)), _connector='OR'), name='doctor_contract_signed')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:cancelled,draft:signed,signed:ended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='0493b6d268ed30315f700979f94887042a3a5a60', operation='UPDATE', pgid='pgtrigger_legal_change_737a9', table='family_doctor_doctorcontract', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='fdaff0257d2673ff5c8043d36cedcc6d3449abf9', operation='INSERT', pgid='pgtrigger_legal_start_9a3f7', table='family_doctor_doctorcontract', when='BEFORE'))],
                    },
                ),
            ],
        ),
    ]
