"""Tables with their indexes, constraints and triggers."""

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
        ('accounts', '__first__'),
        ('directory', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServiceItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('code', models.CharField(max_length=20, unique=True)),
                ('family', models.CharField(choices=[('meal', '助餐'), ('daily_care', '生活照料'), ('rehab_nursing', '康复护理'), ('rescue', '紧急救援'), ('comfort', '精神慰藉'), ('cleaning', '助洁'), ('bathing', '助浴'), ('escort', '助医'), ('nursing', '居家护理'), ('medical', '上门医疗')], max_length=20)),
                ('name', models.CharField(max_length=60)),
                ('description', models.CharField(max_length=300)),
                ('standard', models.CharField(max_length=200)),
                ('standard_minutes', models.PositiveSmallIntegerField()),
                ('steps', models.JSONField(default=list)),
                ('needs_qualification', models.CharField(max_length=20)),
                ('carers_needed', models.PositiveSmallIntegerField(default=1)),
                ('is_medical', models.BooleanField(default=False)),
                ('charges_callout', models.BooleanField(default=False)),
                ('department', models.CharField(max_length=60)),
                ('guide', models.CharField(blank=True, max_length=500)),
                ('support_policy', models.CharField(blank=True, max_length=300)),
                ('is_active', models.BooleanField(default=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PriceList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('draft', '草稿'), ('published', '已公布'), ('withdrawn', '已撤回')], default='draft', max_length=20)),
                ('basis', models.CharField(choices=[('approved', '价格主管部门核定'), ('tender', '招标确定'), ('market', '市场调节')], max_length=10)),
                ('document', models.CharField(max_length=120)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published', 'withdrawn'])), name='price_list_state'), models.CheckConstraint(condition=models.Q(('drafted_by', models.F('published_by')), _negated=True), name='price_list_two_persons')],
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
                ('amount_fen', models.BigIntegerField()),
                ('callout_fee_fen', models.BigIntegerField(default=0)),
                ('unit', models.CharField(default='次', max_length=20)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='catalogue.pricelist')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.serviceitem')),
            ],
            options={
                'indexes': [models.Index(fields=['item', 'organisation'], name='price_item')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (models.F('item'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='price_no_overlap'), models.CheckConstraint(condition=models.Q(('amount_fen__gte', 0), ('callout_fee_fen__gte', 0)), name='price_not_negative')],
            },
        ),
        yinling.ground.installing.InstallTriggers(
            names=['PriceList'],
        ),
    ]
