"""Which part of what the long-term care insurance pays goes to services at home (R-LTC-06)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Sum

from yinling.directory.models import Organisation
from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import next_month
from yinling.settlement.models import Charge, Posting

PAYER = "ltci"


@dataclass(frozen=True)
class Part:
    """Money of the fund and the services it paid for, of these at home; ``key`` and ``name`` say of whom or what."""

    key: str
    name: str
    fen: int = 0
    at_home_fen: int = 0
    services: int = 0
    at_home: int = 0


@dataclass(frozen=True)
class OnSite:
    """A month of the insurance: in all, by body, and by the qualification that the services ask for."""

    total: Part
    bodies: tuple[Part, ...]
    qualifications: tuple[Part, ...]


def on_site(actor: Actor, month: date) -> OnSite:
    """What was charged to the insurance for services of a month and was not taken back."""
    require(actor, "settlement.statement.view")
    found = list(_groups(actor, month))
    return OnSite(
        total=next(iter(_parts(Part("", "", *numbers) for _body, _kind, numbers in found)), Part("", "")),
        bodies=_parts(Part(str(pk), name, *numbers) for (pk, name), _kind, numbers in found),
        qualifications=_parts(Part(kind, kind, *numbers) for _body, kind, numbers in found),
    )


def _groups(
    actor: Actor, month: date
) -> Iterable[tuple[tuple[int, str], str, tuple[int, int, int, int]]]:  # fmt: skip
    """Yield by body and qualification: fen, fen at home, services, services at home. The bodies are named for the index by body and day."""
    taken_back = Posting.objects.filter(reverses=OuterRef("posting"))
    rows = Charge.objects.visible_to(actor).filter(
        ~Exists(taken_back), payer=PAYER, posting__reverses=None, service_day__gte=month, service_day__lt=next_month(month),
        provider_id__in=list(Organisation.objects.filter(is_provider=True).values_list("pk", flat=True)),
    )  # fmt: skip
    kinds = ("provider_id", "provider__short_name", "line__item__needs_qualification", "order__needs_visit")
    sums = rows.values_list(*kinds).annotate(fen=Sum("amount_fen"), services=Count("line", distinct=True))
    for pk, name, kind, at_home, fen, services in sums.order_by(*kinds):
        yield (pk, name), kind, (fen, fen if at_home else 0, services, services if at_home else 0)


def _parts(rows: Iterable[Part]) -> tuple[Part, ...]:
    """Add up what has the same key; who got most comes first."""
    sums: dict[str, Part] = {}
    for row in rows:
        one = sums.get(row.key, Part(row.key, row.name))
        sums[row.key] = Part(
            row.key, row.name, one.fen + row.fen, one.at_home_fen + row.at_home_fen, one.services + row.services, one.at_home + row.at_home
        )  # fmt: skip
    return tuple(sorted(sums.values(), key=lambda one: (-one.fen, one.name)))
