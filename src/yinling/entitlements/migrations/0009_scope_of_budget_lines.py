"""Row-level security of budget lines. Agreements are public facts about bodies, as their policies are."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("entitlements", "0008_money")]

    operations = [migrations.RunSQL(scope_policy("entitlements_budgetline"), migrations.RunSQL.noop)]
