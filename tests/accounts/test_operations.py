"""Notices and one's own login."""

from datetime import UTC, datetime

import pytest
from tests.factories import make_elder

from yinling.accounts.models import Notice
from yinling.accounts.operations import Recipient, adjust_own_login, notify
from yinling.ground.scope import OpenScope, scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied

NOW = datetime(2026, 2, 13, 1, 0, tzinfo=UTC)


def test_a_notice_is_left_once_per_key(wide: OpenScope) -> None:
    elder = make_elder()
    to = Recipient(channel="sms", address="19900000001")
    first = notify(now=NOW, about=elder, to=to, key="k", title="到期", text="明天到期")
    second = notify(now=NOW, about=elder, to=to, key="k", title="另一件", text="不会写入")
    assert (first.pk, Notice.objects.count(), second.title) == (second.pk, 1, "到期")
    assert (first.elder_id, first.sent_at, first.unseal_field("address")) == (elder.pk, None, "19900000001")


@pytest.mark.django_db
def test_somebody_without_a_role_changes_no_login() -> None:
    nobody = Actor(None, "访客", "")
    with pytest.raises(Denied, match=r"right\.missing"), scope(nobody):
        adjust_own_login(actor=nobody, now=NOW, language="en")
