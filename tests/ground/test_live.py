"""What is told inside an operation leaves together at its end, and not at all if there is none."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from yinling.ground.live import tell, told_together

pytestmark = pytest.mark.django_db


def sent(seen: CaptureQueriesContext) -> list[list[tuple[str, int]]]:
    """The topics and numbers of each statement that notifies."""
    told = [one["sql"].replace("\\", "") for one in seen.captured_queries if "pg_notify" in one["sql"]]
    pairs = [[json.loads("{" + part.split("}")[0] + "}") for part in sql.split("{")[2:]] for sql in told]
    return [[(one["topic"], one["id"]) for one in some] for some in pairs]


def test_what_is_told_together_is_one_statement() -> None:
    with CaptureQueriesContext(connection) as seen, told_together():
        tell("orders", pk=1, div="3202")
        with told_together():
            tell("assignments", pk=2, div="3202")
        assert sent(seen) == []
    assert sent(seen) == [[("orders", 1), ("assignments", 2)]]


def test_what_fails_tells_nothing_and_alone_one_tells_at_once() -> None:
    with CaptureQueriesContext(connection) as seen:
        with pytest.raises(ZeroDivisionError), told_together():
            tell("orders", pk=1, div="3202")
            raise ZeroDivisionError
        assert sent(seen) == []
        tell("orders", pk=3, div="3202")
    assert sent(seen) == [[("orders", 3)]]
