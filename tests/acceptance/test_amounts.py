"""Every amount that somebody types or a program sends: negative, huge, with half a fen or no number at all, it is refused at its field."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pydantic import ValidationError as BodyError
from tests.acceptance.conftest import MakeApi
from tests.factories import actor, make_organisation

from yinling.accounts.models import User
from yinling.entitlements.models import Agreement
from yinling.ground.operation import REGISTRY, Argument
from yinling.kernel.money import MOST_FEN, yuan
from yinling.web.api.verbs import body_of
from yinling.web.fields import field_for

import_module("yinling.urls")
MONEY = [(name, one) for name, row in sorted(REGISTRY.items()) for one in row.arguments if one.input.widget == "yuan"]
QUOTED = {"quoted_total_fen", "quoted_self_fen"}
"""What a page showed comes back with its form and is compared with what is reckoned anew: nobody types it."""
each_amount = pytest.mark.parametrize(
    ("name", "argument"), MONEY, ids=[f"{name}-{argument.name}" for name, argument in MONEY]
)


def limits(argument: Argument) -> tuple[int, int]:
    least, most = argument.input.least, argument.input.most
    assert least is not None, "an amount says whether it may be negative"
    return least, MOST_FEN if most is None else most


def test_every_amount_of_every_operation_is_asked_as_money() -> None:
    asked = {(name, one.name) for name, row in REGISTRY.items() for one in row.arguments if one.name.endswith("_fen")}
    assert {(name, word) for name, word in asked if word not in QUOTED} <= {(name, one.name) for name, one in MONEY}


@each_amount
def test_a_form_takes_what_can_be_meant_and_refuses_everything_else(name: str, argument: Argument) -> None:
    field = field_for(argument, None, {})
    least, most = limits(argument)
    for fen in (least, most):
        assert field.clean(yuan(fen)) == fen, name
    beyond = [yuan(least - 1), yuan(most + 1), "-99999999999999999999", "99999999999999999999"]
    for text in (*beyond, "1.005", "0.001", "1e5", "abc", "1.2.3", "NaN", "1,23.5", "壹佰"):
        with pytest.raises(ValidationError):
            field.clean(text)


@each_amount
def test_the_api_takes_whole_fen_within_the_same_limits_and_nothing_else(name: str, argument: Argument) -> None:
    model = body_of(REGISTRY[name])
    least, most = limits(argument)

    def faults(value: Any) -> set[Any]:
        try:
            model.model_validate({argument.name: value})
        except BodyError as found:
            return {one["loc"][:1] for one in found.errors()}
        return set()

    for fen in (least, most):
        assert (argument.name,) not in faults(fen)
    for bad in (least - 1, most + 1, 100.5, 0.1, "1.5", "5", True, [], {}):
        assert (argument.name,) in faults(bad), bad
    for bad in (10**400, -(10**400)):
        assert faults(bad), "such a number is refused before anything else is read"


@pytest.mark.parametrize("amount", ["-50.00", "0", "50.005", "99999999999999"])
def test_nothing_is_kept_of_a_form_or_a_request_with_such_an_amount(client: Client, api: MakeApi, amount: str) -> None:
    body, who = make_organisation(), actor("finance")
    client.force_login(User.objects.get(pk=who.user_id))
    sent = {
        "organisation_id": body.pk, "kind": "purchase", "payer": "government", "number": "采购1", "valid_from": "2026-01-01",
    }  # fmt: skip
    answer = client.post("/do/sign_agreement/", sent | {"monthly_fen": amount})
    assert answer.status_code == 422
    assert f'value="{amount}"' in answer.content.decode(), "what was typed stays"
    assert api(who).post("/agreements/sign", sent | {"monthly_fen": -1}).status_code == 422
    assert not Agreement.objects.exists()
    assert client.post("/do/sign_agreement/", sent | {"monthly_fen": "0.01"}).status_code == 302
    assert Agreement.objects.get().monthly_fen == 1
