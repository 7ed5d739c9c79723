"""Finding elders and reading their file."""

from __future__ import annotations

from datetime import datetime

from yinling.ground.models import in_force
from yinling.kernel.period import local_date
from yinling.people.models import Representative


def linked_elder_ids(user_id: int, now: datetime) -> tuple[int, ...]:
    """Return the elders a login is or represents today."""
    rows = Representative.objects.filter(in_force(local_date(now)), user_id=user_id).values_list("elder_id", flat=True)
    return tuple(sorted(rows))
