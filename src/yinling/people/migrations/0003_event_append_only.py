"""The history of elders is written by triggers and never changed."""

from django.db import migrations

from yinling.ground.scope import revoke_sql


class Migration(migrations.Migration):
    """Leave the role that serves INSERT and SELECT."""

    dependencies = [("people", "0002_scope")]

    operations = [migrations.RunSQL(revoke_sql("people_elderevent"), migrations.RunSQL.noop)]
