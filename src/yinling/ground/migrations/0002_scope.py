"""Row-level security of this context's tables, and the table of the cache."""

from django.db import migrations

from yinling.ground.installing import guards

POLICIES = {"ground_storedfile": {"provider": "provider_id", "elder": "elder_id"}}
CACHE = """
CREATE TABLE ground_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX ground_cache_expires ON ground_cache (expires);
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("ground", "0001_initial")]

    operations = [guards(POLICIES, CACHE)]
