"""What tests of applications share: an elder in hardship, the persons of the procedure, and each step of the way."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.factories import (
    COMMUNITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_scheme,
    make_user,
)

from yinling.entitlements.models import Application, Budget, PublicNotice, Scheme
from yinling.entitlements.operations import apply_for, approve_application, publish_notice, review_application
from yinling.ground.models import CalendarDay
from yinling.kernel.actor import Actor
from yinling.people.models import Circumstance, Elder

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CODE = "government_purchase"
REVIEWED_AT, NOTICED_AT = NOW + DAY, NOW + 2 * DAY
DECIDED_AT = datetime.fromisoformat("2026-06-25T02:00:00+00:00")
"""The notice of 17 June hangs through the 24th."""


@dataclass(frozen=True)
class Office:
    """The persons who take part: who enters, who reviews, who decides."""

    desk: Actor
    street: Actor
    district: Actor
    scheme: Scheme


def office(**scheme: Any) -> Office:
    """A community, its street and its district, with a scheme that Wuxi's officials apply for here."""
    make_area_tree()
    CalendarDay.objects.get_or_create(
        day=date(2026, 6, 19), defaults={"kind": "holiday", "name": "端午", "source": "test"}
    )
    made = make_scheme(**{"code": CODE, "name": "政府购买居家服务", "payer": "government", "fund": "lottery"} | scheme)
    return Office(actor("community", COMMUNITY), actor("street", STREET), actor("district", DISTRICT), made)


def poor(**values: Any) -> Elder:
    """An elder on dibao, which the scheme asks for."""
    elder = make_elder(**values)
    record(elder, "dibao")
    return elder


def record(elder: Elder, kind: str, first: date = LONG_AGO, **values: Any) -> Circumstance:
    return Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="民政局", valid_from=first, recorded_from=NOW, **values
    )


def budget(
    here: Office, *, heads: int | None = None, fen: int | None = None, year: int = 2026, div: str = DISTRICT
) -> Budget:
    """A budget in force, set and confirmed by two persons."""
    return Budget.objects.create(
        div=div, scheme=here.scheme, year=year, heads=heads, amount_fen=fen, document="预算文件", is_in_force=True, proposed_by=make_user(),
        confirmed_by=make_user(), created_at=NOW, changed_at=NOW,
    )  # fmt: skip


def applied(here: Office, elder: Elder | None = None, **values: Any) -> Application:
    asked = {"scheme_code": here.scheme.code, "applied_as": "self", "now": NOW} | values
    return apply_for(actor=here.desk, elder_id=(elder or poor()).pk, **asked)


def reviewed(here: Office, row: Application | None = None, **values: Any) -> Application:
    asked = {"outcome": "pass", "findings": "已入户核实", "now": REVIEWED_AT} | values
    return review_application(actor=here.street, application_id=(row or applied(here)).pk, **asked)


def noticed(here: Office, row: Application | None = None, **values: Any) -> Application:
    found = row or reviewed(here)
    published(here, found, **values)
    return Application.objects.get(pk=found.pk)


def published(here: Office, *rows: Application, **values: Any) -> PublicNotice:
    asked = {"place": "社区公示栏", "now": NOTICED_AT, "application_ids": [row.pk for row in rows]} | values
    return publish_notice(actor=here.street, scheme_id=here.scheme.pk, **asked)


def approved(here: Office, row: Application | None = None, now: datetime = DECIDED_AT) -> Application:
    return approve_application(actor=here.district, now=now, application_id=(row or noticed(here)).pk)


__all__ = [
    "CODE", "DAY", "DECIDED_AT", "NOTICED_AT", "REVIEWED_AT", "TODAY", "Office", "applied", "approved", "budget", "noticed", "office", "poor",
    "published", "record", "reviewed",
]  # fmt: skip
