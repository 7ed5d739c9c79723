"""Tables with their indexes, constraints and triggers."""

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
    ]

    operations = [
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
                'indexes': [models.Index(fields=['subject_type', 'subject_id'], name='journal_subject'), models.Index(condition=models.Q(('elder_id__isnull', False)), fields=['elder_id', 'id'], name='journal_elder'), models.Index(fields=['user_id', 'id'], name='journal_user'), models.Index(fields=['xid'], name='journal_xid'), models.Index(fields=['div', 'id'], name='journal_div')],
                'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d943dad7035bc7a701a324c526f1b943637ae47b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_35764', table='accounts_journal', when='BEFORE'))],
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
                ('elder_id', models.BigIntegerField(null=True)),
                ('provider_id', models.BigIntegerField(null=True)),
                ('channel', models.CharField(choices=[('screen', '站内'), ('sms', '短信'), ('call', '电话')], max_length=12)),
                ('address_enc', models.BinaryField(null=True)),
                ('title', models.CharField(max_length=80)),
                ('text', models.CharField(max_length=500)),
                ('link', models.CharField(blank=True, max_length=200)),
                ('key', models.CharField(max_length=100, unique=True)),
                ('created_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('read_at', None)), fields=['user', 'id'], name='notice_unread')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['JournalSeal', 'Journal'],
        ),
    ]
