"""Row-level security of what people do not want to get. Wordings and the provider's numbers name nobody."""

from django.db import migrations

from yinling.ground.scope import scope_policy


class Migration(migrations.Migration):
    """The policy."""

    dependencies = [("accounts", "0004_messages")]

    operations = [migrations.RunSQL(scope_policy("accounts_optout", elder="elder_id"), migrations.RunSQL.noop)]
