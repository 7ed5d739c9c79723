"""By which channel meals come (R-MEA-05)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0002_scope'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='meal_channel',
            field=models.CharField(blank=True, choices=[('canteen', '幸福食堂'), ('community', '社区助餐'), ('care_home', '养老机构配送餐'), ('internet', '互联网+送餐')], default='', max_length=10),
        ),
    ]
