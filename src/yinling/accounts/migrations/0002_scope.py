"""Row-level security of this context's tables. Wordings and the provider's numbers name nobody."""

from django.db import migrations

from yinling.ground.installing import guards
from yinling.ground.scope import audit_policy, division_sql, revoke_sql

POLICIES = {
    "accounts_notice": {"provider": "provider_id", "elder": "elder_id", "user": "user_id"},
    "accounts_optout": {"elder": "elder_id"},
}
JOURNAL = f"""
ALTER TABLE accounts_journal ENABLE ROW LEVEL SECURITY;
CREATE POLICY written ON accounts_journal FOR INSERT TO PUBLIC WITH CHECK (true);
CREATE POLICY scope ON accounts_journal FOR SELECT TO PUBLIC USING (
    {division_sql()}
    OR provider_id = nullif(current_setting('yinling.provider', true), '')::bigint
    OR elder_id = ANY (nullif(current_setting('yinling.elders', true), '')::bigint[])
    OR user_id IS NOT DISTINCT FROM nullif(current_setting('yinling.user', true), '')::bigint);
{audit_policy("accounts_journal")};
{revoke_sql("accounts_journal")};
{revoke_sql("accounts_journalseal")};
"""


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("accounts", "0001_initial")]

    operations = [guards(POLICIES, JOURNAL)]
