"""How the files of banks and payers are read, remembered by area, kind and headings."""

from django.db import migrations, models

from yinling.ground.installing import guards


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0004_corrections'),
    ]

    operations = [
        migrations.CreateModel(
            name='FileLayout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('div', models.CharField(db_collation='C', max_length=12)),
                ('version', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('arrival', '到账文件'), ('return', '银行回单'), ('remittance', '回盘文件')], max_length=20)),
                ('heads', models.CharField(max_length=64)),
                ('columns', models.JSONField()),
                ('words', models.JSONField(default=dict)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('div', 'kind', 'heads'), name='file_layout_once')],
            },
        ),
        guards({"settlement_filelayout": {}}),
    ]
