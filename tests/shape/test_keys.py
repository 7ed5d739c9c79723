"""Foreign keys point down the loop, and leave no hidden road back."""

from typing import Any

from django.db.models import CASCADE, ForeignKey
from tests.shape.houses import layer_numbers, our_models


def keys() -> list[tuple[str, Any]]:
    return [
        (f"{model._meta.label}.{field.name}", field)
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
    ]


def test_a_key_points_to_the_same_or_an_earlier_step() -> None:
    numbers = layer_numbers()
    upward = [
        name
        for name, field in keys()
        if numbers[field.model._meta.app_label] < numbers.get(field.related_model._meta.app_label, 0)
    ]
    assert upward == []


def test_a_key_between_contexts_has_no_way_back() -> None:
    open_roads = [
        f"{name}: {field.remote_field.related_name}"
        for name, field in keys()
        if field.model._meta.app_label != field.related_model._meta.app_label and not field.remote_field.hidden
    ]
    assert open_roads == []


def test_a_row_that_is_needed_is_not_deleted_with_another() -> None:
    """What is only a way to find an elder, or to reach one, goes with the elder."""
    gone = {name for name, field in keys() if field.remote_field.on_delete is CASCADE}
    assert {name for name in gone if not name.startswith("accounts.User_")} == {
        "people.ElderKey.elder",
        "people.Contact.elder",
        "entitlements.Standing.elder",
        "entitlements.Standing.scheme",
    }
