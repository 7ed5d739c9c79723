"""Counts of tabs end early."""

from typing import Any

import pytest
from django.db.models import Q
from tests.factories import make_elder

from yinling.people.models import Elder

pytestmark = pytest.mark.django_db


def test_a_count_ends_at_the_most_and_an_impossible_condition_is_none(wide: Any) -> None:
    for _ in range(3):
        make_elder(sex="1")
    make_elder(sex="2")
    rows = Elder.objects.within("32")
    tabs = {"men": Q(sex="1"), "women": Q(sex="2"), "nobody": Q(pk__in=[]), "all": Q()}
    assert rows.counted(tabs) == {"men": 3, "women": 1, "nobody": 0, "all": 4}
    assert rows.counted(tabs, most=2) == {"men": 2, "women": 1, "nobody": 0, "all": 2}
