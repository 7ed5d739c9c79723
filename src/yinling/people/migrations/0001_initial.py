"""Tables with their indexes, constraints and triggers."""

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
        ('accounts', '__first__'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='Household',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('address', models.CharField(max_length=200)),
                ('lon', models.FloatField(blank=True, null=True)),
                ('lat', models.FloatField(blank=True, null=True)),
                ('source_datum', models.CharField(choices=[('wgs84', 'WGS-84'), ('gcj02', 'GCJ-02'), ('cgcs2000', 'CGCS2000'), ('bd09', 'BD-09')], default='wgs84', max_length=10)),
                ('door_code', models.CharField(max_length=40, unique=True)),
            ],
            options={
                'indexes': [models.Index(fields=['div'], name='household_div')],
            },
        ),
        migrations.CreateModel(
            name='Elder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('name', models.CharField(max_length=40)),
                ('sex', models.CharField(choices=[('1', '男'), ('2', '女'), ('9', '未说明')], max_length=1)),
                ('born_on', models.DateField()),
                ('id_type', models.CharField(choices=[('id', '居民身份证'), ('residence_permit', '港澳台居民居住证'), ('passport', '护照'), ('none', '无证件')], max_length=20)),
                ('id_number_enc', models.BinaryField(null=True)),
                ('id_number_index', models.BinaryField(max_length=32, null=True)),
                ('phone_enc', models.BinaryField(null=True)),
                ('phone_index', models.BinaryField(max_length=32, null=True)),
                ('phone_last4', models.CharField(blank=True, max_length=4)),
                ('hukou_div', models.CharField(blank=True, db_collation='C', max_length=12)),
                ('is_resident', models.BooleanField(default=True)),
                ('dialect', models.CharField(blank=True, max_length=20)),
                ('wants_sex', models.CharField(blank=True, choices=[('', '不限'), ('1', '男'), ('2', '女')], max_length=1)),
                ('health_record_ref', models.CharField(blank=True, max_length=60)),
                ('died_on', models.DateField(blank=True, null=True)),
                ('is_made_up', models.BooleanField(default=False)),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='elders', to='people.household')),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'id'], name='elder_div'), models.Index(fields=['phone_index'], name='elder_phone'), models.Index(fields=['phone_last4', 'div'], name='elder_last4'), models.Index(fields=['household'], name='elder_household')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('id_number_index__isnull', False)), fields=('id_type', 'id_number_index'), name='elder_id_once')],
                'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_elderevent" ("born_on", "changed_at", "created_at", "dialect", "died_on", "div", "enc_kid", "enc_suite", "health_record_ref", "household_id", "hukou_div", "id", "id_number_enc", "id_number_index", "id_type", "is_made_up", "is_resident", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "phone_last4", "seal_id", "sex", "version", "wants_sex") VALUES (NEW."born_on", NEW."changed_at", NEW."created_at", NEW."dialect", NEW."died_on", NEW."div", NEW."enc_kid", NEW."enc_suite", NEW."health_record_ref", NEW."household_id", NEW."hukou_div", NEW."id", NEW."id_number_enc", NEW."id_number_index", NEW."id_type", NEW."is_made_up", NEW."is_resident", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."phone_last4", NEW."seal_id", NEW."sex", NEW."version", NEW."wants_sex"); RETURN NULL;', hash='8945d140d0cea912a92c107e69c145ae6011b3cd', operation='INSERT', pgid='pgtrigger_insert_insert_64d65', table='people_elder', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "people_elderevent" ("born_on", "changed_at", "created_at", "dialect", "died_on", "div", "enc_kid", "enc_suite", "health_record_ref", "household_id", "hukou_div", "id", "id_number_enc", "id_number_index", "id_type", "is_made_up", "is_resident", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_enc", "phone_index", "phone_last4", "seal_id", "sex", "version", "wants_sex") VALUES (NEW."born_on", NEW."changed_at", NEW."created_at", NEW."dialect", NEW."died_on", NEW."div", NEW."enc_kid", NEW."enc_suite", NEW."health_record_ref", NEW."household_id", NEW."hukou_div", NEW."id", NEW."id_number_enc", NEW."id_number_index", NEW."id_type", NEW."is_made_up", NEW."is_resident", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."phone_enc", NEW."phone_index", NEW."phone_last4", NEW."seal_id", NEW."sex", NEW."version", NEW."wants_sex"); RETURN NULL;', hash='cfb56be91e97c0529bca01eab84c6d708c13e295', operation='UPDATE', pgid='pgtrigger_update_update_38ad7', table='people_elder', when='AFTER'))],
            },
        ),
        migrations.CreateModel(
            name='ElderEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('name', models.CharField(max_length=40)),
                ('sex', models.CharField(choices=[('1', '男'), ('2', '女'), ('9', '未说明')], max_length=1)),
                ('born_on', models.DateField()),
                ('id_type', models.CharField(choices=[('id', '居民身份证'), ('residence_permit', '港澳台居民居住证'), ('passport', '护照'), ('none', '无证件')], max_length=20)),
                ('id_number_enc', models.BinaryField(null=True)),
                ('id_number_index', models.BinaryField(max_length=32, null=True)),
                ('phone_enc', models.BinaryField(null=True)),
                ('phone_index', models.BinaryField(max_length=32, null=True)),
                ('phone_last4', models.CharField(blank=True, max_length=4)),
                ('hukou_div', models.CharField(blank=True, db_collation='C', max_length=12)),
                ('is_resident', models.BooleanField(default=True)),
                ('dialect', models.CharField(blank=True, max_length=20)),
                ('wants_sex', models.CharField(blank=True, choices=[('', '不限'), ('1', '男'), ('2', '女')], max_length=1)),
                ('health_record_ref', models.CharField(blank=True, max_length=60)),
                ('died_on', models.DateField(blank=True, null=True)),
                ('is_made_up', models.BooleanField(default=False)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.elder')),
                ('household', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='people.household')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Representative',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('capacity', models.CharField(choices=[('self', '本人'), ('guardian', '监护人'), ('agent', '代理人'), ('family', '家属')], max_length=10)),
                ('covers_health', models.BooleanField(default=False)),
                ('proof', models.CharField(blank=True, max_length=200)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user'], name='representative_user'), models.Index(fields=['elder'], name='representative_elder')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('elder'), '='), (models.F('user'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='representative_no_overlap')],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                ('kind', models.CharField(choices=[('spouse', '配偶'), ('child', '子女'), ('grandchild', '孙辈'), ('neighbour', '邻居'), ('guardian', '监护人'), ('other', '其他')], max_length=12)),
                ('name', models.CharField(max_length=40)),
                ('phone_enc', models.BinaryField(null=True)),
                ('phone_index', models.BinaryField(max_length=32, null=True)),
                ('rank', models.PositiveSmallIntegerField(default=1)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='people.elder')),
            ],
            options={
                'indexes': [models.Index(fields=['phone_index'], name='contact_phone'), models.Index(fields=['elder'], name='contact_elder')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('purpose', models.CharField(max_length=40)),
                ('text_version', models.CharField(max_length=20)),
                ('given_by', models.CharField(choices=[('self', '本人'), ('guardian', '监护人'), ('agent', '代理人'), ('family', '家属')], max_length=10)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
            ],
            options={
                'indexes': [models.Index(fields=['elder'], name='consent_elder')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('elder'), '='), (models.F('purpose'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='consent_no_overlap')],
            },
        ),
        migrations.CreateModel(
            name='Circumstance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(choices=[('lives_alone', '独居'), ('empty_nest', '空巢'), ('left_behind', '留守'), ('bereaved', '失独'), ('special_family', '计划生育特殊家庭'), ('destitute', '特困'), ('dibao', '低保'), ('dibao_marginal', '低保边缘'), ('poverty_file', '建档立卡'), ('veteran_care', '重点优抚'), ('disability', '残疾'), ('severe_disability', '重残'), ('dementia', '失智'), ('chronic', '慢性病'), ('limited_mobility', '行动不便'), ('in_hospital', '住院'), ('in_institution', '入住机构'), ('moved_away', '迁出'), ('deceased', '去世')], max_length=20)),
                ('body', models.CharField(max_length=80)),
                ('evidence', models.CharField(blank=True, max_length=200)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='circumstances', to='people.elder')),
            ],
            options={
                'indexes': [models.Index(fields=['elder', 'kind'], name='circumstance_elder'), models.Index(fields=['div', 'kind'], name='circumstance_div')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('elder'), '='), (models.F('kind'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='circumstance_no_overlap')],
            },
        ),
        migrations.CreateModel(
            name='ElderKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('kind', models.CharField(max_length=10)),
                ('key', models.CharField(db_collation='C', max_length=60)),
                ('elder', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.elder')),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'div'], name='elder_key'), models.Index(fields=['elder'], name='elder_key_elder')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['Elder'],
        ),
    ]
