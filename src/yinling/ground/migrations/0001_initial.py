"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.contrib.postgres.operations
import uuid
import yinling.ground.installing
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        django.contrib.postgres.operations.BtreeGistExtension(
        ),
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='ClockOffset',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('seconds', models.BigIntegerField(default=0)),
                        ('calls_an_hour', models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='clock_one_row')],
                    },
                ),
                migrations.CreateModel(
                    name='CalendarDay',
                    fields=[
                        ('day', models.DateField(primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('holiday', '放假'), ('makeup_workday', '调休上班')], max_length=16)),
                        ('name', models.CharField(max_length=40)),
                        ('source', models.CharField(max_length=200)),
                    ],
                ),
                migrations.CreateModel(
                    name='IdempotencyKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('user_id', models.BigIntegerField()),
                        ('key', models.CharField(max_length=100)),
                        ('route', models.CharField(max_length=200)),
                        ('body_hash', models.BinaryField(max_length=32)),
                        ('status', models.PositiveSmallIntegerField(null=True)),
                        ('answer', models.JSONField(null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('user_id', 'key'), name='idempotency_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Outbox',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('topic', models.CharField(max_length=40)),
                        ('key', models.CharField(max_length=100, unique=True)),
                        ('payload', models.JSONField()),
                        ('created_at', models.DateTimeField()),
                        ('due_at', models.DateTimeField()),
                        ('sent_at', models.DateTimeField(blank=True, null=True)),
                        ('tries', models.PositiveSmallIntegerField(default=0)),
                        ('last_error', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('sent_at', None)), fields=['due_at'], name='outbox_waiting')],
                    },
                ),
                migrations.CreateModel(
                    name='StoredFile',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('sha256', models.BinaryField(max_length=32)),
                        ('kind', models.CharField(max_length=20)),
                        ('purpose', models.CharField(max_length=60)),
                        ('content_type', models.CharField(max_length=60)),
                        ('size', models.PositiveIntegerField()),
                        ('path', models.CharField(max_length=200)),
                        ('provider_id', models.BigIntegerField(blank=True, null=True)),
                        ('elder_id', models.BigIntegerField(blank=True, null=True)),
                        ('stored_at', models.DateTimeField()),
                        ('keep_until', models.DateField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['sha256'], name='file_by_hash')],
                    },
                ),
            ],
        ),
    ]
