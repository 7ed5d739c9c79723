"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """Policies, and what only SQL can say."""

    dependencies = [("orders", "0002_initial")]

    operations = [
        migrations.RunSQL(scope_policy("orders_order", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("orders_orderline", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("orders_payershare", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
        migrations.RunSQL(scope_policy("orders_hold", elder="elder_id", provider="provider_id"), migrations.RunSQL.noop),
    ]
