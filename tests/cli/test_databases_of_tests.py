"""What the tests stand on: a test with real transactions leaves nothing behind, whatever guards the rows."""

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from tests import databases
from tests.factories import WIDE, make_order

from yinling.ground.scope import scope


def filled() -> set[str]:
    """Tables with rows, as somebody sees them for whom no policy hides any."""
    with psycopg.connect(databases.address(databases.SUPERUSER, databases.OWN)) as link:
        names = [name for (name,) in link.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {name for name in names if link.execute(f'SELECT EXISTS (SELECT FROM "{name}")').fetchone() == (True,)}  # noqa: S608


@pytest.mark.django_db(transaction=True)
def test_rows_that_nobody_may_delete_are_deleted_after_a_test() -> None:
    kept = filled()
    with scope(WIDE):
        make_order("settled")
    assert {"orders_order", "people_elder"} <= filled()
    databases.empty()
    assert filled() == kept == {"django_content_type", "django_migrations", "auth_permission"}
    assert ContentType.objects.exists()
