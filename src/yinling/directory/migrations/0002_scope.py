"""Row-level security of this context's tables."""

from django.db import migrations

from yinling.ground.installing import guards

POLICIES = {
    "directory_staff": {"provider": "provider_id", "user": "user_id"},
    "directory_qualification": {"provider": "provider_id"},
    "directory_suspension": {"provider": "provider_id"},
    "directory_absence": {"provider": "provider_id"},
}


class Migration(migrations.Migration):
    """Policies."""

    dependencies = [("directory", "0001_initial")]

    operations = [guards(POLICIES)]
