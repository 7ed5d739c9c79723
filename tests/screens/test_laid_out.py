"""The pages of funds and of the month load what is laid out for a fund, and for which claims."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.settlement.stated import claimed
from tests.settlement.test_laid_out import paid_out

PART = "/settlement/laid-out/"


@pytest.mark.usefixtures("wide")
def test_the_pages_say_what_is_laid_out(sign_in: Callable[..., Client]) -> None:
    claim = claimed()
    client = sign_in("finance")
    for page in ("/settlement/month/?month=2026-06", "/funds/"):
        assert f'hx-get="{PART}"' in client.get(page).content.decode(), page
    htmx = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "laid-out"}
    assert client.get(PART, **htmx).content.decode().strip() == ""
    assert "没有垫付" in client.get(PART).content.decode()
    paid_out(claim.statement)
    html = client.get(PART, **htmx).content.decode()
    assert "垫付（截至今天）" in html
    assert f"/settlement/claims/{claim.pk}/" in html
    assert "<html" not in html
    assert sign_in("seat").get(PART).status_code == 403
