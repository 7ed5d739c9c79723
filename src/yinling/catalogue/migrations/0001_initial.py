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
        ('directory', '0001_initial'),
        ('ground', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='ServiceItem',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('code', models.CharField(max_length=20, unique=True)),
                        ('family', models.CharField(choices=[('meal', '助餐'), ('daily_care', '生活照料'), ('rehab_nursing', '康复护理'), ('rescue', '紧急救援'), ('comfort', '精神慰藉'), ('cleaning', '助洁'), ('bathing', '助浴'), ('escort', '助医'), ('nursing', '居家护理'), ('medical', '上门医疗')], max_length=20)),
                        ('kind', models.CharField(choices=[('service', '服务'), ('scale_assessment', '量表评估'), ('drug', '药品'), ('consumable', '耗材'), ('bed_day', '床日'), ('fee', '费用')], default='service', max_length=20)),
                        ('scales', models.JSONField(blank=True, default=list)),
                        ('name', models.CharField(max_length=60)),
                        ('description', models.CharField(max_length=300)),
                        ('standard', models.CharField(max_length=200)),
                        ('standard_minutes', models.PositiveSmallIntegerField()),
                        ('steps', models.JSONField(default=list)),
                        ('needs_qualification', models.CharField(max_length=20)),
                        ('carers_needed', models.PositiveSmallIntegerField(default=1)),
                        ('is_medical', models.BooleanField(default=False)),
                        ('is_insurable', models.BooleanField(default=False)),
                        ('needs_visit', models.BooleanField(default=True)),
                        ('units', models.JSONField(blank=True, default=list)),
                        ('charges_callout', models.BooleanField(default=False)),
                        ('department', models.CharField(max_length=60)),
                        ('guide', models.CharField(blank=True, max_length=500)),
                        ('support_policy', models.CharField(blank=True, max_length=300)),
                        ('is_active', models.BooleanField(default=True)),
                        ('effective_on', models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(models.Q(('kind', 'scale_assessment'), _negated=True), ('scales', [])), models.Q(('kind', 'scale_assessment'), models.Q(('scales', []), _negated=True)), _connector='OR'), name='item_kind_scales')],
                    },
                ),
                migrations.CreateModel(
                    name='PriceList',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('price_group', models.CharField(blank=True, choices=[('level3', '三级医疗机构'), ('level2', '二级医疗机构'), ('level1', '一级及基层医疗机构'), ('social', '社会办机构')], default='', max_length=20)),
                        ('div', models.CharField(blank=True, db_collation='C', default='', max_length=12)),
                        ('state', models.CharField(choices=[('draft', '草稿'), ('published', '已公布'), ('withdrawn', '已撤回')], default='draft', max_length=20)),
                        ('basis', models.CharField(choices=[('approved', '价格主管部门核定'), ('tender', '招标确定'), ('market', '市场调节')], max_length=10)),
                        ('document', models.CharField(max_length=120)),
                        ('document_on', models.DateField(blank=True, null=True)),
                        ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published', 'withdrawn'])), name='price_list_state'), models.CheckConstraint(condition=models.Q(('drafted_by', models.F('published_by')), _negated=True), name='price_list_two_persons'), models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('price_group', '')), models.Q(('organisation', None), models.Q(('price_group', ''), _negated=True), models.Q(('div', ''), _negated=True)), _connector='OR'), name='price_list_whose')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:published,draft:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6652abb38505192a6e2abfa2c17523866f90ba54', operation='UPDATE', pgid='pgtrigger_legal_change_bc69d', table='catalogue_pricelist', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='f76b47a5ada75db53ca9afa06fa70edc9f77a388', operation='INSERT', pgid='pgtrigger_legal_start_4e586', table='catalogue_pricelist', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Price',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='catalogue.pricelist')),
                        ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('price_group', models.CharField(blank=True, choices=[('level3', '三级医疗机构'), ('level2', '二级医疗机构'), ('level1', '一级及基层医疗机构'), ('social', '社会办机构')], default='', max_length=20)),
                        ('div', models.CharField(blank=True, db_collation='C', default='', max_length=12)),
                        ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
                        ('amount_fen', models.BigIntegerField()),
                        ('callout_fee_fen', models.BigIntegerField(default=0)),
                        ('unit', models.CharField(default='次', max_length=20)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['item', 'organisation'], name='price_item')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (models.F('item'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='price_no_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None), ('organisation', None)), expressions=[(models.F('price_group'), '='), (models.F('div'), '='), (models.F('item'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='price_group_no_overlap'), models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('price_group', '')), models.Q(('organisation', None), models.Q(('price_group', ''), _negated=True), models.Q(('div', ''), _negated=True)), _connector='OR'), name='price_whose'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('callout_fee_fen__gte', 0)), name='price_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='CalloutRate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='catalogue.pricelist')),
                        ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('base_fen', models.BigIntegerField(default=0)),
                        ('free_m', models.PositiveIntegerField(default=0)),
                        ('km_fen', models.BigIntegerField(default=0)),
                        ('night_fen', models.BigIntegerField(default=0)),
                        ('night_from', models.PositiveSmallIntegerField(default=20)),
                        ('night_to', models.PositiveSmallIntegerField(default=7)),
                        ('holiday_fen', models.BigIntegerField(default=0)),
                        ('level_fen', models.JSONField(blank=True, default=dict)),
                        ('distances', models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='callout_rate_no_overlap'), models.CheckConstraint(condition=models.Q(('base_fen__gte', 0), ('holiday_fen__gte', 0), ('km_fen__gte', 0), ('night_fen__gte', 0)), name='callout_rate_not_negative'), models.CheckConstraint(condition=models.Q(('night_from__lte', 23), ('night_to__lte', 23)), name='callout_rate_night')],
                    },
                ),
                migrations.CreateModel(
                    name='Package',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('code', models.CharField(max_length=20)),
                        ('name', models.CharField(max_length=80)),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('audience', models.CharField(choices=[('healthy', '健康老年人'), ('chronic', '慢性病老年人'), ('disabled', '失能老年人'), ('all', '所有老年人')], max_length=10)),
                        ('lines', models.JSONField(default=list)),
                        ('price_fen', models.BigIntegerField()),
                        ('payers', models.JSONField(default=list)),
                        ('document', models.CharField(max_length=120)),
                        ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('published_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('code'), '='), (models.F('div'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='package_no_overlap'), models.CheckConstraint(condition=models.Q(('price_fen__gte', 0)), name='package_not_negative'), models.CheckConstraint(condition=models.Q(('drafted_by', models.F('published_by')), _negated=True), name='package_two_persons')],
                    },
                ),
            ],
        ),
    ]
