"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import pgtrigger.compiler
import uuid
import yinling.ground.installing
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('assessment', '0001_initial'),
        ('catalogue', '0001_initial'),
        ('directory', '0001_initial'),
        ('entitlements', '0001_initial'),
        ('ground', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='HomeSickbed',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('medical', '家庭病床'), ('hospice', '居家安宁疗护')], default='medical', max_length=10)),
                        ('state', models.CharField(choices=[('applied', '待审批'), ('approved', '在床'), ('refused', '不予建床'), ('withdrawn', '已撤床'), ('cancelled', '已撤回申请')], default='applied', max_length=20)),
                        ('groups', models.JSONField(default=list)),
                        ('assessment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assessment.assessment')),
                        ('consent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.consent')),
                        ('signed_by', models.CharField(max_length=40)),
                        ('diagnosis_enc', models.BinaryField(null=True)),
                        ('need', models.CharField(max_length=500)),
                        ('doctor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('nurse', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('home_check', models.CharField(blank=True, default='', max_length=500)),
                        ('checked_on', models.DateField(blank=True, null=True)),
                        ('checked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('applied_at', models.DateTimeField()),
                        ('applied_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('approved_on', models.DateField(blank=True, null=True)),
                        ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('approved_to', models.DateField(blank=True, null=True)),
                        ('withdrawn_on', models.DateField(blank=True, null=True)),
                        ('entitlement', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.entitlement')),
                        ('reason', models.CharField(blank=True, default='', max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['elder'], name='home_sickbed_elder'), models.Index(fields=['provider', 'state'], name='home_sickbed_provider'), models.Index(fields=['div', 'state'], name='home_sickbed_div')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['applied', 'approved', 'refused', 'withdrawn', 'cancelled'])), name='home_sickbed_state'), models.UniqueConstraint(condition=models.Q(('state__in', ['applied', 'approved'])), fields=('elder',), name='home_sickbed_once'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'withdrawn']), _negated=True), models.Q(('approved_on__isnull', False), ('checked_on__isnull', False), ('doctor__isnull', False), ('nurse__isnull', False)), _connector='OR'), name='home_sickbed_approved'), models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(('approved_by', models.F('applied_by')), _negated=True), _connector='OR'), name='home_sickbed_two_persons')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{applied:approved,applied:cancelled,applied:refused,approved:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6114bfe98ec2220da1cd8600a38469138f980a01', operation='UPDATE', pgid='pgtrigger_legal_change_d6ae8', table='home_beds_homesickbed', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'applied' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='3e5528f0702fd9ce26450c292189078796365c3d', operation='INSERT', pgid='pgtrigger_legal_start_3f0f0', table='home_beds_homesickbed', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='BedStay',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('kind', models.CharField(choices=[('nursing', '护理院住院'), ('hospice', '安宁疗护'), ('rehabilitation', '长期康复')], max_length=14)),
                        ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
                        ('admitted_on', models.DateField()),
                        ('discharged_on', models.DateField(blank=True, null=True)),
                        ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['provider'], name='bed_stay_provider'), models.Index(fields=['elder'], name='bed_stay_elder')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.F('elder'), '='), (yinling.ground.models.DateRange('admitted_on', 'discharged_on'), '&&')], name='bed_stay_one_at_a_time'), models.CheckConstraint(condition=models.Q(('discharged_on', None), ('discharged_on__gte', models.F('admitted_on')), _connector='OR'), name='bed_stay_days')],
                    },
                ),
            ],
        ),
    ]
