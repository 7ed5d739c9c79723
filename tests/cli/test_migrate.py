"""A database of another version is refused with a sentence, not half migrated."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from yinling.cli.account import Unusable
from yinling.cli.migrate import refuse_other_version


@pytest.mark.django_db
def test_a_database_of_another_version_is_refused() -> None:
    refuse_other_version()
    MigrationRecorder(connection).record_applied("contenttypes", "0099_somebody_elses")
    refuse_other_version()
    MigrationRecorder(connection).record_applied("orders", "0099_newer")
    with pytest.raises(Unusable, match=r"orders\.0099_newer.*--fresh"):
        refuse_other_version()
