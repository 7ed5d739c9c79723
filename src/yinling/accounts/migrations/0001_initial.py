"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import uuid
import yinling.ground.installing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('ground', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(max_length=60, unique=True)),
                        ('name', models.CharField(max_length=60)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('first_name', models.CharField(blank=True, max_length=60)),
                        ('last_name', models.CharField(blank=True, max_length=60)),
                        ('language', models.CharField(default='zh-hans', max_length=10)),
                        ('is_active', models.BooleanField(default=True)),
                        ('is_staff', models.BooleanField(default=False)),
                        ('is_system', models.BooleanField(default=False)),
                        ('needs_second_factor', models.BooleanField(default=True)),
                        ('rights_version', models.PositiveIntegerField(default=1)),
                        ('large_type', models.BooleanField(default=False)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='SignInFailure',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.BinaryField(max_length=32)),
                        ('at', models.DateTimeField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['key', 'at'], name='sign_in_failure_key')],
                    },
                ),
                migrations.CreateModel(
                    name='Journal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('business_at', models.DateTimeField()),
                        ('user_id', models.BigIntegerField(null=True)),
                        ('user_name', models.CharField(max_length=60)),
                        ('role', models.CharField(max_length=30)),
                        ('event', models.CharField(max_length=60)),
                        ('subject_type', models.CharField(max_length=30)),
                        ('subject_id', models.BigIntegerField(null=True)),
                        ('provider_id', models.BigIntegerField(null=True)),
                        ('elder_id', models.BigIntegerField(null=True)),
                        ('staff_id', models.BigIntegerField(null=True)),
                        ('changes', models.JSONField(default=dict)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('request_id', models.CharField(blank=True, max_length=40)),
                        ('is_refused', models.BooleanField(default=False)),
                        ('code', models.CharField(blank=True, max_length=60)),
                        ('xid', models.BigIntegerField(db_default=models.Func(function='pg_current_xact_id', output_field=models.BigIntegerField(), template='(%(function)s()::text::bigint)'))),
                        ('digest', models.BinaryField(max_length=32)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['subject_type', 'subject_id'], name='journal_subject'), models.Index(condition=models.Q(('elder_id__isnull', False)), fields=['elder_id', 'id'], name='journal_elder'), models.Index(fields=['user_id', 'id'], name='journal_user'), models.Index(fields=['xid'], name='journal_xid'), models.Index(fields=['div', 'id'], name='journal_div'), models.Index(condition=models.Q(('is_refused', True)), fields=['code', 'id'], name='journal_refused')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d943dad7035bc7a701a324c526f1b943637ae47b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_35764', table='accounts_journal', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='JournalSeal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('from_xid', models.BigIntegerField(unique=True)),
                        ('to_xid', models.BigIntegerField(unique=True)),
                        ('row_count', models.PositiveIntegerField()),
                        ('previous', models.BinaryField(max_length=32)),
                        ('seal', models.BinaryField(max_length=32)),
                        ('sealed_at', models.DateTimeField()),
                    ],
                    options={
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0866a64a24f3cee070507174bc7a2a02bc5f23f8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_12aaa', table='accounts_journalseal', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('elder_id', models.BigIntegerField(null=True)),
                        ('provider_id', models.BigIntegerField(null=True)),
                        ('channel', models.CharField(choices=[('screen', '站内'), ('sms', '短信'), ('wechat', '微信'), ('call', '电话')], max_length=12)),
                        ('address_enc', models.BinaryField(null=True)),
                        ('address_index', models.BinaryField(max_length=32, null=True)),
                        ('kind', models.CharField(choices=[('service', '服务安排'), ('benefit', '待遇办理'), ('ticket', '工单回复'), ('emergency', '紧急求助'), ('other', '其他通知')], default='other', max_length=12)),
                        ('template', models.CharField(blank=True, max_length=40)),
                        ('template_version', models.PositiveIntegerField(default=0)),
                        ('title', models.CharField(max_length=80)),
                        ('text', models.CharField(max_length=500)),
                        ('link', models.CharField(blank=True, max_length=200)),
                        ('key', models.CharField(max_length=100, unique=True)),
                        ('is_urgent', models.BooleanField(default=False)),
                        ('state', models.CharField(choices=[('waiting', '待发送'), ('sent', '已发出'), ('delivered', '已送达'), ('failed', '未送达'), ('dropped', '未发送')], default=None, max_length=20, null=True)),
                        ('reason', models.CharField(blank=True, choices=[('opted_out', '收件人已退订'), ('over_cap', '超过当天条数上限'), ('double', '刚发过相同内容'), ('too_late', '已过时效'), ('made_up', '演示号码，只写日志'), ('rejected', '网关拒收'), ('gave_up', '多次发送未成功'), ('undelivered', '运营商回执：未送达')], max_length=12)),
                        ('error', models.CharField(blank=True, max_length=200)),
                        ('round', models.PositiveSmallIntegerField(default=0)),
                        ('try_count', models.PositiveSmallIntegerField(default=0)),
                        ('next_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField()),
                        ('sent_at', models.DateTimeField(null=True)),
                        ('delivered_at', models.DateTimeField(null=True)),
                        ('read_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('read_at', None)), fields=['user', 'id'], name='notice_unread'), models.Index(models.F('channel'), models.OrderBy(models.F('is_urgent'), descending=True), models.F('next_at'), models.F('id'), condition=models.Q(('state', 'waiting')), name='notice_waiting'), models.Index(condition=models.Q(('address_index__isnull', False)), fields=['address_index', 'created_at'], name='notice_address'), models.Index(condition=models.Q(('state__in', ['failed', 'dropped'])), fields=['state', '-id'], name='notice_stuck')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'sent', 'delivered', 'failed', 'dropped'])), name='notice_state'), models.CheckConstraint(condition=models.Q(models.Q(('channel', 'screen'), ('state', None)), models.Q(models.Q(('channel', 'screen'), _negated=True), ('state__isnull', False)), _connector='OR'), name='notice_state_outside')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{dropped:delivered,dropped:waiting,failed:delivered,failed:waiting,sent:delivered,sent:failed,waiting:delivered,waiting:dropped,waiting:failed,waiting:sent}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8408ae17584a1b802e7e5c5be7e1b0445c2c33bb', operation='UPDATE', pgid='pgtrigger_legal_change_f83bc', table='accounts_notice', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'waiting' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='463c92ef7cb84cfc616750999f82dc51b164d95f', operation='INSERT', pgid='pgtrigger_legal_start_8218b', table='accounts_notice', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Delivery',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.CharField(choices=[('screen', '站内'), ('sms', '短信'), ('wechat', '微信'), ('call', '电话')], max_length=12)),
                        ('port_id', models.CharField(max_length=100)),
                        ('notice', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='accounts.notice')),
                        ('notice_div', models.CharField(blank=True, max_length=12)),
                        ('round', models.PositiveSmallIntegerField(default=0)),
                        ('outcome', models.CharField(blank=True, choices=[('', '等待回执'), ('delivered', '已送达'), ('failed', '未送达')], max_length=10)),
                        ('code', models.CharField(blank=True, max_length=40)),
                        ('reported_at', models.DateTimeField(null=True)),
                        ('received_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('channel', 'port_id'), name='delivery_port_id')],
                    },
                ),
                migrations.CreateModel(
                    name='OptOut',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('elder_id', models.BigIntegerField(null=True)),
                        ('address_enc', models.BinaryField(null=True)),
                        ('address_index', models.BinaryField(max_length=32, null=True)),
                        ('kind', models.CharField(blank=True, choices=[('service', '服务安排'), ('benefit', '待遇办理'), ('ticket', '工单回复'), ('other', '其他通知')], max_length=12)),
                        ('source', models.CharField(choices=[('reply', '回复退订'), ('own', '本人设置'), ('desk', '工作人员登记')], max_length=6)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('to_at', None)), fields=['address_index'], name='opt_out_number')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('address_index', None), ('elder_id__isnull', False)), models.Q(('address_index__isnull', False), ('elder_id', None)), _connector='OR'), name='opt_out_of_one'), models.UniqueConstraint(condition=models.Q(('to_at', None)), fields=('div', 'address_index', 'kind'), name='opt_out_once_number'), models.UniqueConstraint(condition=models.Q(('to_at', None)), fields=('elder_id', 'kind'), name='opt_out_once_elder')],
                    },
                ),
                migrations.CreateModel(
                    name='MessageTemplate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40)),
                        ('area', models.CharField(blank=True, db_collation='C', max_length=12)),
                        ('number', models.PositiveIntegerField()),
                        ('text', models.CharField(max_length=500)),
                        ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('code', 'area', 'number'), name='message_template_number'), models.UniqueConstraint(condition=models.Q(('to_at', None)), fields=('code', 'area'), name='message_template_in_force')],
                    },
                ),
            ],
        ),
    ]
