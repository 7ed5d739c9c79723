"""Row-level security of imports, merges, health facts, surveys and the history of homes and contacts."""

from django.db import migrations

from yinling.ground.scope import revoke_sql, scope_policy

EVENTS = ("people_householdevent", "people_contactevent")


class Migration(migrations.Migration):
    """Policies; what triggers write is only added to."""

    dependencies = [("people", "0004_import_health_merge")]

    operations = [
        migrations.RunSQL(scope_policy("people_source"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_import"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_importline"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_merge"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_healthfact", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_campaign"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_surveyanswer"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_householdevent"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("people_contactevent", elder="elder_id"), migrations.RunSQL.noop),
        *(migrations.RunSQL(revoke_sql(table), migrations.RunSQL.noop) for table in EVENTS),
    ]
