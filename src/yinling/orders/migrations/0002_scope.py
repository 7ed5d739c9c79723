"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

OWN = {"elder": "elder_id", "provider": "provider_id"}
POLICIES = {
    "orders_order": OWN,
    "orders_orderline": OWN,
    "orders_payershare": OWN,
    "orders_hold": OWN,
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("orders", "0001_initial")]

    operations = [guards(POLICIES)]
