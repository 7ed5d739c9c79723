"""What every refusal must be: its code, its one journal row, and nothing else changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from yinling.accounts.models import Journal
from yinling.ground.scope import current_scope, scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal


@contextmanager
def refused(who: Actor, kind: type[Refusal], code: str, *, contents: Callable[[], Any]) -> Iterator[None]:
    """The body is refused to an actor with the code; ``contents`` reads, in the wide scope around, what must not differ."""
    before = contents()
    with pytest.raises(kind) as refusal, scope(who):
        yield
    assert refusal.value.code == code
    assert contents() == before
    around = current_scope()
    assert around is not None
    write = around.afterwards.pop()
    with scope(who):
        write()
        row = Journal.objects.latest("pk")
    assert (row.is_refused, row.code, row.user_id, row.role) == (True, code, who.user_id, who.role)
    assert around.afterwards == []
