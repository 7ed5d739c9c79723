"""The one way into the ledger: balanced postings, once by their key, in the first open month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

from django.db import connection
from django.db.models import Model

from yinling.directory.models import Organisation
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.settlement.models import LedgerEntry, Posting
from yinling.settlement.rules import Side, check_sides

explain_constraint("ledger_balanced", "ledger.not_balanced", N_("借贷不平，未入账。请联系管理员"))
explain_constraint(
    "ledger_period_open", "ledger.closed", N_("这个月的账已经结账，不能再记入。请刷新后重试，将记入下一个未结账的月份")
)
explain_constraint("entry_business", "ledger.business", N_("没有注明医疗或养老收支，未入账。医疗与养老收入须分开核算"))


MAY_BE_FREE = ("order", "reversal")
"""What costs nobody anything is billed, and taken back, without a fen."""


@dataclass(frozen=True)
class Wanted:
    """A posting to be written: its key, what it is about, and its sides."""

    key: str
    kind: str
    text: str
    div: str
    sides: Sequence[Side]
    order_id: int | None = None
    provider_id: int | None = None
    elder_id: int | None = None
    reverses_id: int | None = None


class About(TypedDict, total=False):
    """What a posting is about, as far as it is about something: rows, or their numbers, for an elder may have moved out of sight."""

    order: Order | None
    provider: Organisation | int | None
    elder: Elder | int | None
    reverses: Posting | None


def post(
    actor: Actor, now: datetime, *, key: str, kind: str, text: str, div: str, sides: Sequence[Side], **about: Unpack[About]
) -> Posting:  # fmt: skip
    """Write a posting, or return the one that has this key already; other content under the same key is refused.

    Called by an operation that has checked the right and journals. The database keeps sums, balance and closed months.
    """
    numbers: dict[str, Any] = {f"{name}_id": row.pk if isinstance(row, Model) else row for name, row in about.items()}
    wanted = Wanted(key, kind, text, div, sides, **numbers)
    wait_for(key)
    known = Posting.objects.filter(key=key).first()
    if known is None:
        return post_each(actor, now, [wanted])[0]
    if _content(known) != _asked(wanted):
        raise NotAllowed("ledger.key_reused", N_("同一编号已有另一笔账，未重复入账。请刷新页面后核对"), key=key)
    return known


def post_each(actor: Actor, now: datetime, wanted: Sequence[Wanted]) -> list[Posting]:
    """Write postings whose keys are known to be new, in few statements."""
    for one in wanted:
        if one.sides or one.kind not in MAY_BE_FREE:
            check_sides(one.sides)
    today = local_date(now)
    periods = open_periods({side.div or one.div for one in wanted for side in one.sides}, today)
    rows = Posting.objects.bulk_create(
        Posting(
            div=one.div, key=one.key, kind=one.kind, order_id=one.order_id, provider_id=one.provider_id, elder_id=one.elder_id,
            reverses_id=one.reverses_id, text=one.text[:200], posted_at=now, posted_by_id=actor.user_id,
        )
        for one in wanted
    )  # fmt: skip
    LedgerEntry.objects.bulk_create(
        _entry(posting, one, side, today, periods[side.div or one.div])
        for posting, one in zip(rows, wanted, strict=True)
        for side in one.sides
    )
    return rows


def _entry(posting: Posting, wanted: Wanted, side: Side, today: date, period: date) -> LedgerEntry:
    return LedgerEntry(
        div=side.div or wanted.div, posting_id=posting.pk, account=side.account, amount=side.amount, unit=side.unit, business=side.business,
        fund=side.fund, scheme_id=side.scheme_id, plan_year=side.plan_year or (side.service_day or today).year,
        provider_id=side.provider_id or wanted.provider_id, elder_id=side.elder_id or wanted.elder_id, line_id=side.line_id,
        service_day=side.service_day, booked_on=today, period=period,
    )  # fmt: skip


def open_periods(divs: Iterable[str], day: date) -> dict[str, date]:
    """Return for each division the month of a day, or the first one after it that is not closed (late items are corrections)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT area, settlement_open_period(area, %s) FROM unnest(%s::text[]) AS area", [day, sorted(divs)]
        )
        return dict(cursor.fetchall())


def wait_for(name: str) -> None:
    """Let those who book under one key, or draw on one account, come one after the other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('settlement.ledger'), hashtext(%s))", [name])


def sides_of(posting: Posting) -> list[Side]:
    """Return the entries of a posting as they were asked for, so that others can take them back."""
    return [
        Side(
            account=row.account, amount=row.amount, business=row.business, fund=row.fund, scheme_id=row.scheme_id, plan_year=row.plan_year,
            line_id=row.line_id, service_day=row.service_day, provider_id=row.provider_id, elder_id=row.elder_id, unit=row.unit,
            div=row.div,
        )
        for row in LedgerEntry.objects.filter(posting=posting).order_by("id")
    ]  # fmt: skip


def _content(posting: Posting) -> tuple[object, ...]:
    """What makes a posting the same as another: its kind, whom it is about, and its sides."""
    rows = LedgerEntry.objects.filter(posting=posting).values_list(
        "account", "amount", "unit", "business", "fund", "scheme_id", "line_id", "provider_id", "elder_id"
    )
    about = (posting.kind, posting.order_id, posting.provider_id, posting.elder_id, posting.reverses_id)
    return (*about, Counter(rows))


def _asked(wanted: Wanted) -> tuple[object, ...]:
    sides = Counter(
        (
            side.account, side.amount, side.unit, side.business, side.fund, side.scheme_id, side.line_id,
            side.provider_id or wanted.provider_id, side.elder_id or wanted.elder_id,
        )
        for side in wanted.sides
    )  # fmt: skip
    return (wanted.kind, wanted.order_id, wanted.provider_id, wanted.elder_id, wanted.reverses_id, sides)
