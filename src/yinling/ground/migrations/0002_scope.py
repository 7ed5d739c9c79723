"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy

CACHE = """
CREATE TABLE ground_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX ground_cache_expires ON ground_cache (expires);
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("ground", "0001_initial")]

    operations = [
        migrations.RunSQL(scope_policy("ground_storedfile", provider="provider_id", elder="elder_id"), migrations.RunSQL.noop),
        migrations.RunSQL(CACHE, migrations.RunSQL.noop),
    ]
