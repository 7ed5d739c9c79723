"""Tables with their indexes, constraints and triggers."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.db.models.expressions
import yinling.ground.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('directory', '0007_money'),
        ('entitlements', '0007_scope_of_applications'),
        ('people', '0010_city_size'),
    ]

    operations = [
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_from', models.DateTimeField()),
                ('recorded_to', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(choices=[('designation', '定点协议'), ('purchase', '政府购买合同'), ('cooperation', '医养合作协议')], max_length=12)),
                ('payer', models.CharField(blank=True, choices=[('state_care', '特困供养'), ('contract', '家医签约'), ('ltci', '长期护理保险'), ('medical_insurance', '基本医保'), ('government', '政府购买'), ('voucher', '消费补贴券'), ('meal_subsidy', '助餐补贴'), ('disability', '残疾补贴'), ('veteran', '优抚'), ('commercial', '商业保险'), ('donation', '慈善捐赠'), ('employer', '单位'), ('self', '个人自付')], default='', max_length=20)),
                ('number', models.CharField(max_length=60)),
                ('items', models.JSONField(blank=True, default=list)),
                ('sources', models.JSONField(blank=True, default=list)),
                ('monthly_count', models.PositiveIntegerField(blank=True, null=True)),
                ('monthly_fen', models.BigIntegerField(blank=True, null=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
                ('partner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organisation')),
            ],
            options={
                'indexes': [models.Index(fields=['organisation', 'payer'], name='agreement_organisation')],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('recorded_to', None)), expressions=[(models.F('organisation'), '='), (models.F('kind'), '='), (models.F('payer'), '='), (models.F('number'), '='), (yinling.ground.models.DateRange('valid_from', 'valid_to'), '&&')], name='agreement_no_overlap'), models.CheckConstraint(condition=models.Q(('kind', 'cooperation'), models.Q(('payer', ''), _negated=True), _connector='OR'), name='agreement_payer')],
            },
        ),
        migrations.CreateModel(
            name='BudgetLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('level', models.CharField(choices=[('city', '市级'), ('county', '县（区）级'), ('street', '镇（街）级')], max_length=6)),
                ('year', models.PositiveSmallIntegerField()),
                ('fund', models.CharField(choices=[('lottery', '福利彩票公益金'), ('general', '一般公共预算'), ('central_subsidy', '中央补助资金'), ('civil_affairs', '民政资金'), ('insurance', '长期护理保险基金'), ('medical_insurance', '基本医保基金'), ('public_health', '基本公共卫生经费'), ('unemployment_skill', '失业保险基金支持职业技能提升行动资金'), ('donation', '慈善捐赠'), ('time_bank', '时间银行'), ('employer', '单位资金'), ('contract', '家医签约资金'), ('commercial', '商业保险'), ('personal', '个人资金')], max_length=30)),
                ('purpose', models.CharField(choices=[('home_care', '居家养老'), ('elder_care', '其他养老服务'), ('platform', '平台建设与运营'), ('training', '人员培训'), ('welfare', '其他社会福利')], max_length=12)),
                ('name', models.CharField(max_length=100)),
                ('planned_fen', models.BigIntegerField()),
                ('approved_fen', models.BigIntegerField(blank=True, null=True)),
                ('spent_fen', models.BigIntegerField(default=0)),
                ('document', models.CharField(max_length=200)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['div', 'year'], name='budget_line_div')],
                'constraints': [models.UniqueConstraint(fields=('div', 'year', 'fund', 'name'), name='budget_line_once'), models.CheckConstraint(condition=models.Q(('planned_fen__gte', 0), ('spent_fen__gte', 0)), name='budget_line_not_negative'), models.CheckConstraint(condition=models.Q(('spent_fen', 0), ('approved_fen__gte', models.F('spent_fen')), _connector='OR'), name='budget_line_not_overspent'), models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='budget_line_two_persons'), models.CheckConstraint(condition=models.Q(models.Q(('approved_by', None), ('approved_fen', None)), models.Q(('approved_by__isnull', False), ('approved_fen__isnull', False)), _connector='OR'), name='budget_line_approved_pair')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='quota',
            name='quota_once',
        ),
        migrations.RemoveConstraint(
            model_name='quota',
            name='quota_not_negative',
        ),
        migrations.RemoveConstraint(
            model_name='quota',
            name='quota_cap',
        ),
        migrations.RenameField(
            model_name='quota',
            old_name='cap_fen',
            new_name='cap',
        ),
        migrations.RenameField(
            model_name='quota',
            old_name='month',
            new_name='from_on',
        ),
        migrations.RenameField(
            model_name='quota',
            old_name='reserved_fen',
            new_name='reserved',
        ),
        migrations.RenameField(
            model_name='quota',
            old_name='used_fen',
            new_name='used',
        ),
        migrations.AddField(
            model_name='entitlement',
            name='items',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='limits',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='source',
            field=models.CharField(blank=True, default='', max_length=60),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='units',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='quota',
            name='per',
            field=models.CharField(choices=[('day', '日'), ('week', '周'), ('month', '月'), ('year', '年'), ('span', '全程')], default='month', max_length=5),
        ),
        migrations.AddField(
            model_name='quota',
            name='unit',
            field=models.CharField(default='fen', max_length=30),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.UniqueConstraint(fields=('entitlement', 'unit', 'per', 'from_on'), name='quota_once'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('used__gte', 0)), name='quota_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(('cap__gte', django.db.models.expressions.CombinedExpression(models.F('reserved'), '+', models.F('used')))), name='quota_cap'),
        ),
        migrations.AddField(
            model_name='budget',
            name='line',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='entitlements.budgetline'),
        ),
    ]
