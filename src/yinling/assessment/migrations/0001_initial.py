"""Tables with their indexes, constraints and triggers, as `makemigrations` writes them."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
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
        ('directory', '0001_initial'),
        ('ground', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        yinling.ground.installing.Tables(
            tables=[
                migrations.CreateModel(
                    name='Commission',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('scales', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)),
                        ('contract', models.CharField(max_length=80)),
                        ('qualification', models.CharField(max_length=200)),
                        ('assessor_count', models.PositiveSmallIntegerField()),
                        ('delivers_care', models.BooleanField(default=False)),
                    ],
                    options={
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('provider'), '='), (models.F('div'), '='), (models.F('contract'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='commission_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='Recognition',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('department', models.CharField(choices=[('civil_affairs', '民政'), ('health', '卫生健康'), ('insurance', '医疗保障'), ('disabled_federation', '残联'), ('housing', '住房建设')], max_length=20)),
                        ('from_scale', models.CharField(choices=[('gbt42195_2022', 'GB/T 42195-2022'), ('mzt039_2013', 'MZ/T 039-2013'), ('ltc_2021_37', '长期护理失能等级（2021）'), ('barthel', 'Barthel指数'), ('cq6', '生活自理六项指标'), ('selfcare65', '65岁以上自理能力自评'), ('tcm33', '中医体质辨识'), ('morse', 'Morse跌倒风险'), ('mna_sf', '微型营养评定'), ('home_needs_2020', '居家适老化改造需求')], max_length=20)),
                        ('from_levels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)),
                        ('purpose', models.CharField(choices=[('home_care', '居家养老服务'), ('consumption_subsidy', '养老服务消费补贴'), ('nursing_allowance', '护理补贴'), ('admission', '养老机构入院'), ('ltc_benefit', '长期护理保险待遇'), ('modification', '居家适老化改造'), ('health', '健康管理')], max_length=20)),
                        ('accepted_as', models.CharField(max_length=80)),
                        ('legal_basis', models.CharField(max_length=200)),
                        ('max_age_months', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('needs_consent', models.BooleanField(default=True)),
                    ],
                    options={
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('div'), '='), (models.F('department'), '='), (models.F('from_scale'), '='), (models.F('purpose'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='recognition_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='ScaleConfirmation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('scale', models.CharField(choices=[('gbt42195_2022', 'GB/T 42195-2022'), ('mzt039_2013', 'MZ/T 039-2013'), ('ltc_2021_37', '长期护理失能等级（2021）'), ('barthel', 'Barthel指数'), ('cq6', '生活自理六项指标'), ('selfcare65', '65岁以上自理能力自评'), ('tcm33', '中医体质辨识'), ('morse', 'Morse跌倒风险'), ('mna_sf', '微型营养评定'), ('home_needs_2020', '居家适老化改造需求')], max_length=20)),
                        ('scale_version', models.CharField(max_length=10)),
                        ('part', models.CharField(default='matrix', max_length=20)),
                        ('confirmed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('confirmed_by_name', models.CharField(max_length=40)),
                        ('document', models.CharField(max_length=200)),
                        ('note', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('div'), '='), (models.F('scale'), '='), (models.F('scale_version'), '='), (models.F('part'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='confirmation_no_overlap')],
                    },
                ),
                migrations.CreateModel(
                    name='Request',
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
                        ('provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.site')),
                        ('former', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assessment.assessment')),
                        ('state', models.CharField(choices=[('applied', '待核实'), ('verified', '待安排'), ('arranged', '待评估'), ('submitted', '待认定'), ('noticed', '公示中'), ('done', '已出结果'), ('rejected', '不予受理'), ('withdrawn', '已撤回')], default='applied', max_length=20)),
                        ('home_div', models.CharField(db_collation='C', max_length=12)),
                        ('scale', models.CharField(choices=[('gbt42195_2022', 'GB/T 42195-2022'), ('mzt039_2013', 'MZ/T 039-2013'), ('ltc_2021_37', '长期护理失能等级（2021）'), ('barthel', 'Barthel指数'), ('cq6', '生活自理六项指标'), ('selfcare65', '65岁以上自理能力自评'), ('tcm33', '中医体质辨识'), ('morse', 'Morse跌倒风险'), ('mna_sf', '微型营养评定'), ('home_needs_2020', '居家适老化改造需求')], max_length=20)),
                        ('purpose', models.CharField(choices=[('home_care', '居家养老服务'), ('consumption_subsidy', '养老服务消费补贴'), ('nursing_allowance', '护理补贴'), ('admission', '养老机构入院'), ('ltc_benefit', '长期护理保险待遇'), ('modification', '居家适老化改造'), ('health', '健康管理')], max_length=20)),
                        ('reason', models.CharField(choices=[('first', '首次评估'), ('routine', '常规评估'), ('immediate', '即时评估（情况有变化）'), ('appeal', '对结果有疑问的复评'), ('other', '其他')], max_length=10)),
                        ('mode', models.CharField(choices=[('home', '上门评估'), ('fixed', '定点评估')], max_length=5)),
                        ('change_declared', models.CharField(blank=True, max_length=500)),
                        ('applied_as', models.CharField(choices=[('self', '本人'), ('guardian', '监护人'), ('agent', '代理人'), ('family', '家属'), ('staff', '工作人员代办')], max_length=10)),
                        ('applied_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('elder_name', models.CharField(max_length=40)),
                        ('elder_sex', models.CharField(max_length=1)),
                        ('born_on', models.DateField()),
                        ('address', models.CharField(max_length=200)),
                        ('phone_enc', models.BinaryField(null=True)),
                        ('visit_on', models.DateField(blank=True, null=True)),
                        ('notice_from', models.DateField(blank=True, null=True)),
                        ('notice_to', models.DateField(blank=True, null=True)),
                        ('verified_at', models.DateTimeField(blank=True, null=True)),
                        ('arranged_at', models.DateTimeField(blank=True, null=True)),
                        ('submitted_at', models.DateTimeField(blank=True, null=True)),
                        ('concluded_at', models.DateTimeField(blank=True, null=True)),
                        ('end_reason', models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['div', 'state', '-id'], name='request_queue'), models.Index(fields=['provider', 'state', '-id'], name='request_provider'), models.Index(fields=['elder', '-id'], name='request_elder'), models.Index(fields=['home_div'], name='request_home')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['applied', 'verified', 'arranged', 'submitted', 'noticed', 'done', 'rejected', 'withdrawn'])), name='request_state'), models.UniqueConstraint(condition=models.Q(('state__in', ['applied', 'verified', 'arranged', 'submitted', 'noticed'])), fields=('elder', 'scale', 'purpose'), name='request_once')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{applied:rejected,applied:verified,applied:withdrawn,arranged:submitted,arranged:withdrawn,noticed:arranged,noticed:done,submitted:arranged,submitted:done,submitted:noticed,verified:arranged,verified:rejected,verified:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6acd4a4bbbcfd748e321ca7caec1df3539ec8e40', operation='UPDATE', pgid='pgtrigger_legal_change_3612e', table='assessment_request', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'applied' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='a5295bba3a000efe1fbe84d28b66ddd4e217bb88', operation='INSERT', pgid='pgtrigger_legal_start_16810', table='assessment_request', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Assessor',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assessors', to='assessment.request')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.staff')),
                        ('capacity', models.CharField(choices=[('assessor', '评估员'), ('expert', '评估专家'), ('reviewer', '复核人'), ('confirming', '确认专家')], max_length=10)),
                        ('staff_name', models.CharField(max_length=40)),
                        ('qualification', models.CharField(max_length=80)),
                        ('opinion', models.CharField(blank=True, max_length=500)),
                        ('assigned_at', models.DateTimeField()),
                        ('signed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['staff'], name='assessor_staff')],
                        'constraints': [models.UniqueConstraint(fields=('request', 'staff'), name='assessor_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Form',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('version', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('seal_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('enc_suite', models.CharField(blank=True, default='', max_length=4)),
                        ('enc_kid', models.CharField(blank=True, default='', max_length=16)),
                        ('request', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='form', to='assessment.request')),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('state', models.CharField(choices=[('draft', '填写中'), ('submitted', '已提交')], default='draft', max_length=20)),
                        ('scale', models.CharField(choices=[('gbt42195_2022', 'GB/T 42195-2022'), ('mzt039_2013', 'MZ/T 039-2013'), ('ltc_2021_37', '长期护理失能等级（2021）'), ('barthel', 'Barthel指数'), ('cq6', '生活自理六项指标'), ('selfcare65', '65岁以上自理能力自评'), ('tcm33', '中医体质辨识'), ('morse', 'Morse跌倒风险'), ('mna_sf', '微型营养评定'), ('home_needs_2020', '居家适老化改造需求')], max_length=20)),
                        ('scale_version', models.CharField(max_length=10)),
                        ('answers_enc', models.BinaryField(null=True)),
                        ('outcome', models.JSONField(blank=True, default=dict)),
                        ('level', models.CharField(blank=True, max_length=20)),
                        ('needed_families', models.JSONField(blank=True, default=list)),
                        ('assessed_on', models.DateField(blank=True, null=True)),
                        ('submitted_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'submitted'])), name='form_state')],
                        'triggers': [pgtrigger.compiler.Trigger(name='legal_change', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:submitted,submitted:draft}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='40fb6d855d3077dd45aa5189883c54c53654e371', operation='UPDATE', pgid='pgtrigger_legal_change_a30b5', table='assessment_form', when='BEFORE')), pgtrigger.compiler.Trigger(name='legal_start', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF NEW.state <> 'draft' AND NOT (coalesce(current_setting('yinling.importing', true), '') = 'on' AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) = current_user) THEN RAISE EXCEPTION 'a new row starts in its first state'; END IF; RETURN NEW;", hash='207f4cdf025ad5cab76f00d54f7a1a1ef9ee3611', operation='INSERT', pgid='pgtrigger_legal_start_f483d', table='assessment_form', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Assessment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('div', models.CharField(db_collation='C', max_length=12)),
                        ('valid_from', models.DateField()),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('recorded_from', models.DateTimeField()),
                        ('recorded_to', models.DateTimeField(blank=True, null=True)),
                        ('elder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.elder')),
                        ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                        ('request', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='results', to='assessment.request')),
                        ('scale', models.CharField(choices=[('gbt42195_2022', 'GB/T 42195-2022'), ('mzt039_2013', 'MZ/T 039-2013'), ('ltc_2021_37', '长期护理失能等级（2021）'), ('barthel', 'Barthel指数'), ('cq6', '生活自理六项指标'), ('selfcare65', '65岁以上自理能力自评'), ('tcm33', '中医体质辨识'), ('morse', 'Morse跌倒风险'), ('mna_sf', '微型营养评定'), ('home_needs_2020', '居家适老化改造需求')], max_length=20)),
                        ('scale_version', models.CharField(blank=True, max_length=10)),
                        ('level', models.CharField(blank=True, max_length=20)),
                        ('points', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('assessed_on', models.DateField()),
                        ('purpose', models.CharField(blank=True, choices=[('home_care', '居家养老服务'), ('consumption_subsidy', '养老服务消费补贴'), ('nursing_allowance', '护理补贴'), ('admission', '养老机构入院'), ('ltc_benefit', '长期护理保险待遇'), ('modification', '居家适老化改造'), ('health', '健康管理')], max_length=20)),
                        ('reason', models.CharField(blank=True, choices=[('first', '首次评估'), ('routine', '常规评估'), ('immediate', '即时评估（情况有变化）'), ('appeal', '对结果有疑问的复评'), ('other', '其他')], max_length=10)),
                        ('mode', models.CharField(blank=True, choices=[('home', '上门评估'), ('fixed', '定点评估')], max_length=5)),
                        ('outcome', models.JSONField(blank=True, default=dict)),
                        ('needed_families', models.JSONField(blank=True, default=list)),
                        ('department', models.CharField(blank=True, choices=[('civil_affairs', '民政'), ('health', '卫生健康'), ('insurance', '医疗保障'), ('disabled_federation', '残联'), ('housing', '住房建设')], max_length=20)),
                        ('document', models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['elder'], name='assessment_elder'), models.Index(condition=models.Q(('recorded_to', None)), fields=['div', 'valid_to'], name='assessment_due')],
                        'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('elder'), '='), (models.F('scale'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='assessment_no_overlap')],
                    },
                ),
            ],
        ),
    ]
