"""Another line as a program with a token: signed messages, once."""

from typing import Any

import pytest
from tests.api.conftest import Api
from tests.factories import CITY, NOW, actor, make_area_tree

from yinling.ground.clock import real_now
from yinling.hotline.exchange import sign
from yinling.hotline.exchange_rows import Incoming
from yinling.hotline.models import Exchange, Ticket

SECRET = "shared"


def message(key: str, state: str = "已派发", *, secret: str = SECRET) -> dict[str, Any]:
    """A message as the guide says how to make it."""
    values = Incoming("12345", key, "G1", state, NOW, title="问补贴").values
    stamp = real_now()
    signature = sign(secret, values | {"signed_at": stamp})
    return values | {"happened_at": NOW.isoformat(), "signed_at": stamp.isoformat(), "signature": signature}


@pytest.mark.req("R-CALL-07")
def test_another_line_sends_a_ticket_with_its_token(wide: Any, settings: Any) -> None:
    settings.EXCHANGE = settings.EXCHANGE | {"secret": SECRET}
    make_area_tree()
    api = Api(actor("other_line", div=CITY))
    first, again = (api.post("/exchanges/import", message("m1")) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    forged = api.post("/exchanges/import", message("m2", "已办结", secret="guessed"))
    assert (forged.status_code, forged.json()["code"]) == (403, "exchange.signature")
    assert (Ticket.objects.count(), Exchange.objects.get().foreign_state) == (1, "已派发")
    assert api.get("/tickets").status_code == 403
