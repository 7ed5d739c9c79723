"""Tables with their indexes, constraints and triggers."""

import django.db.models.deletion
import pgtrigger.compiler
import uuid
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('assessment', '0003_scope'),
        ('entitlements', '0005_scope_of_standings'),
        ('ground', '0001_initial'),
        ('people', '0008_records'),
    ]

    operations = [
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('year', models.PositiveSmallIntegerField()),
                ('amount_fen', models.BigIntegerField(blank=True, null=True)),
                ('heads', models.PositiveIntegerField(blank=True, null=True)),
                ('committed_fen', models.BigIntegerField(default=0)),
                ('committed_heads', models.PositiveIntegerField(default=0)),
                ('document', models.CharField(max_length=200)),
                ('is_in_force', models.BooleanField(default=False)),
                ('proposed_fen', models.BigIntegerField(blank=True, null=True)),
                ('proposed_heads', models.PositiveIntegerField(blank=True, null=True)),
                ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scheme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.scheme')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scheme', 'div', 'year'), name='budget_once'), models.CheckConstraint(condition=models.Q(('committed_fen__gte', 0)), name='budget_not_negative'), models.CheckConstraint(condition=models.Q(('amount_fen', None), ('amount_fen__gte', models.F('committed_fen')), _connector='OR'), name='budget_amount'), models.CheckConstraint(condition=models.Q(('heads', None), ('heads__gte', models.F('committed_heads')), _connector='OR'), name='budget_heads'), models.CheckConstraint(condition=models.Q(('proposed_by', None), ('confirmed_by', None), models.Q(('proposed_by', models.F('confirmed_by')), _negated=True), _connector='OR'), name='budget_two_persons')],
            },
        ),
        migrations.CreateModel(
            name='PublicNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('place', models.CharField(max_length=100)),
                ('from_on', models.DateField()),
                ('last_day', models.DateField()),
                ('lines', models.JSONField()),
                ('published_at', models.DateTimeField()),
                ('published_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scheme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.scheme')),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'last_day'], name='public_notice_div')],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('from_on'))), name='public_notice_days')],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='377687492c9cdd0ef06c3a4120ed39a8c9d55288', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_45a88', table='entitlements_publicnotice', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Recheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('due_on', models.DateField(null=True)),
                ('outcome', models.CharField(choices=[('keep', '继续享受'), ('end', '终止')], max_length=4)),
                ('findings', models.CharField(max_length=500)),
                ('checked_at', models.DateTimeField()),
                ('checked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('entitlement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rechecks', to='entitlements.entitlement')),
            ],
            options={
                'indexes': [models.Index(fields=['elder'], name='recheck_elder')],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='96014ce34b54ba908aef5f378418d16112ce661c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_91860', table='entitlements_recheck', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('applied', '待初审'), ('returned', '待补正'), ('reviewed', '初审通过'), ('noticed', '公示'), ('waiting', '轮候'), ('approved', '已批准'), ('refused', '不予批准'), ('withdrawn', '已撤回')], default='applied', max_length=20)),
                ('applied_at', models.DateTimeField()),
                ('applied_as', models.CharField(choices=[('self', '本人'), ('guardian', '监护人'), ('agent', '代理人'), ('family', '家属')], max_length=10)),
                ('signed_by', models.CharField(max_length=40)),
                ('proof', models.CharField(blank=True, max_length=200)),
                ('declared', models.CharField(blank=True, max_length=500)),
                ('verdict', models.JSONField()),
                ('grade', models.CharField(blank=True, max_length=80)),
                ('scale_version', models.CharField(blank=True, max_length=60)),
                ('share_bp', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('monthly_cap_fen', models.BigIntegerField(blank=True, null=True)),
                ('once_fen', models.BigIntegerField(blank=True, null=True)),
                ('stage_on', models.DateField()),
                ('due_on', models.DateField(blank=True, null=True)),
                ('is_due_provisional', models.BooleanField(default=False)),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('findings', models.CharField(blank=True, max_length=500)),
                ('checks', models.JSONField(blank=True, default=list)),
                ('rank', models.PositiveSmallIntegerField(default=1)),
                ('queued_at', models.DateTimeField(blank=True, null=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision', models.JSONField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('appeal_until', models.DateField(blank=True, null=True)),
                ('applied_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assessment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assessment.assessment')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.household')),
                ('representative', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.representative')),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scheme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.scheme')),
                ('notice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.publicnotice')),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'state', '-id'], name='application_div'), models.Index(fields=['elder'], name='application_elder'), models.Index(fields=['household', 'scheme'], name='application_household'), models.Index(condition=models.Q(('due_on__isnull', False)), fields=['due_on'], name='application_due'), models.Index(condition=models.Q(('state', 'waiting')), fields=['scheme', 'rank', 'queued_at'], name='application_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['applied', 'returned', 'reviewed', 'noticed', 'waiting', 'approved', 'refused', 'withdrawn'])), name='application_state'), models.UniqueConstraint(condition=models.Q(('state__in', ['applied', 'returned', 'reviewed', 'noticed', 'waiting'])), fields=('elder', 'scheme'), name='application_open_once'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('decided_by__isnull', False), _connector='OR'), name='application_decided'), models.CheckConstraint(condition=models.Q(('decided_by', None), ('reviewed_by', None), models.Q(('decided_by', models.F('reviewed_by')), _negated=True), _connector='OR'), name='application_two_persons'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'waiting'), _negated=True), ('queued_at__isnull', False), _connector='OR'), name='application_queued')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{applied:refused,applied:returned,applied:reviewed,applied:withdrawn,noticed:applied,noticed:approved,noticed:refused,noticed:waiting,noticed:withdrawn,returned:applied,returned:withdrawn,reviewed:approved,reviewed:noticed,reviewed:refused,reviewed:waiting,reviewed:withdrawn,waiting:applied,waiting:approved,waiting:refused,waiting:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='39af04d6f75cb89d23817ccf3c61d2707d46e11e', operation='UPDATE', pgid='pgtrigger_legal_change_d090b', table='entitlements_application', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'applied' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='70c56d645a8715f83d2325e389bf0fe2fc87fbc7', operation='INSERT', pgid='pgtrigger_legal_start_3a953', table='entitlements_application', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Commitment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('amount_fen', models.BigIntegerField()),
                ('heads', models.PositiveSmallIntegerField(default=1)),
                ('budget', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commitments', to='entitlements.budget')),
                ('entitlement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commitments', to='entitlements.entitlement')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('budget', 'entitlement'), name='commitment_once'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('heads__lte', 1)), name='commitment_sane')],
            },
        ),
        migrations.CreateModel(
            name='Objection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('state', models.CharField(choices=[('open', '待处理'), ('upheld', '成立'), ('dismissed', '不成立')], default='open', max_length=20)),
                ('name_enc', models.BinaryField(null=True)),
                ('phone_enc', models.BinaryField(null=True)),
                ('text_enc', models.BinaryField(null=True)),
                ('raised_at', models.DateTimeField()),
                ('due_on', models.DateField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('answer', models.CharField(blank=True, max_length=500)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objections', to='entitlements.application')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'upheld', 'dismissed'])), name='objection_state'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('entered_by')), _negated=True), _connector='OR'), name='objection_two_persons')],
                'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:dismissed,open:upheld}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8004968c09b4dea0498cb4298013032093d18c3e', operation='UPDATE', pgid='pgtrigger_legal_change_5625e', table='entitlements_objection', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'open' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='9a32bf96a5f55fe8336653997cd6c655f42ea1c1', operation='INSERT', pgid='pgtrigger_legal_start_eca1b', table='entitlements_objection', when='BEFORE'))],
            },
        ),
        migrations.CreateModel(
            name='Paper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('title', models.CharField(max_length=80)),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='entitlements.application')),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ground.storedfile')),
            ],
            options={
                'indexes': [models.Index(fields=['elder'], name='paper_elder')],
            },
        ),
        migrations.AddField(
            model_name='entitlement',
            name='ended_reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='once_fen',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='recheck_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='application',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entitlements', to='entitlements.application'),
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Application', 'Objection', 'PublicNotice', 'Recheck'],
        ),
    ]
