"""Foreign keys point down the loop, and leave no hidden road back."""

from typing import Any

from django.db.models import ForeignKey

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


def test_a_key_never_deletes_what_another_row_needs() -> None:
    """History and search keys die with their row, nothing else."""
    gone = {name for name, field in keys() if field.remote_field.on_delete.__name__ == "CASCADE"}
    assert {name for name in gone if not name.endswith(("Event.pgh_context", "ElderKey.elder"))} == set()
