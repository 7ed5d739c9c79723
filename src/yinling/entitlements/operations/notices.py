"""Publishing the names of those who passed the review, for everybody to object to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.queries import working_calendar
from yinling.directory.rules import person_of, require, required_text
from yinling.entitlements.models import Application, PublicNotice, Scheme
from yinling.entitlements.operations.applications import move, procedure_for, push
from yinling.entitlements.procedure import notice_until
from yinling.entitlements.states import ApplicationState
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.masks import mask_name
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST = 200
Ids = Annotated[list[int], Input(N_("申请"), help=N_("不选择则公示所选区划内全部通过初审的申请"))]
Place = Annotated[str, Input(N_("张贴地点"), help=N_("例如社区公示栏；同时在公开网页上公示"), max_length=100)]
From = Annotated[date | None, Input(N_("公示起始日"), help=N_("不填为今天"), widget="date")]
Days = Annotated[
    int | None, Input(N_("公示天数"), help=N_("不填按规定的天数；只能更长"), least=1, most=60, widget="number")
]


@operation("entitlements.notice.publish", label=N_("公示"))
def publish_notice(
    *, actor: Actor, now: datetime, scheme_id: Annotated[int, Input(N_("待遇项目"), least=1, widget="choice")], application_ids: Ids = None,  # type: ignore[assignment]
    div: Annotated[str, Input(N_("区划"), max_length=12)] = "", place: Place, from_on: From = None, days: Days = None,
) -> PublicNotice:  # fmt: skip
    """Publish reviewed applications of a scheme: those chosen, or all of an area. A published notice is never changed."""
    area = div or actor.div or ""
    require(actor, "entitlements.notice.publish", div=area)
    scheme = Scheme.objects.filter(pk=scheme_id).first()
    if scheme is None:
        raise Refused("scheme.unknown", N_("本地没有这项待遇，请从列表中选择"), field="scheme_id")
    rows = _chosen(scheme, area, application_ids or [])
    today = local_date(now)
    first = from_on or today
    if first < today:
        raise Refused("notice.past", N_("公示不能从过去的日期开始"), field="from_on")
    least = max(procedure_for(row, today).notice_days for row in rows)
    if days is not None and days < least:
        raise Refused("notice.too_short", N_("至少公示%(days)s天"), field="days", days=least)
    hangs = notice_until(working_calendar(), first, days or least)
    notice = PublicNotice.objects.create(
        div=area, scheme=scheme, place=required_text(place, "place", most=100), from_on=first, last_day=hangs.day,
        lines=_lines(rows), published_at=now, published_by_id=person_of(actor),
    )  # fmt: skip
    record(
        actor=actor,
        now=now,
        event="entitlements.notice.publish",
        subject=notice,
        changes={"applications": [None, [row.pk for row in rows]]},
    )
    for row in rows:
        require(actor, "entitlements.notice.publish", div=row.div)
        hanging: dict[str, Any] = {"procedure": procedure_for(row, today), "notice": notice}
        move(actor, now, row, "publish", event="entitlements.notice.publish", **hanging)
        push(now, row, "noticed", N_("您的“%(scheme)s”申请（%(number)s）公示至%(day)s。"), day=hangs.day.isoformat())
    tell("applications", pk=notice.pk, div=area)
    return notice


def _chosen(scheme: Scheme, area: str, ids: list[int]) -> list[Application]:
    """Return the reviewed applications to be published, locked."""
    rows = Application.objects.within(area).filter(scheme=scheme, state=ApplicationState.REVIEWED)
    if ids:
        rows = rows.filter(pk__in=ids)
    found = list(rows.select_for_update(of=("self",)).select_related("elder", "scheme").order_by("pk")[: MOST + 1])
    if not found or (ids and len(found) < len(set(ids))):
        raise Refused(
            "notice.nothing", N_("没有可以公示的申请：只有通过初审、尚未公示的申请可以公示"), field="application_ids"
        )
    if len(found) > MOST:
        raise Refused("notice.too_many", N_("一次最多公示%(most)s件，请按区划分几次公示"), field="div", most=MOST)
    return found


def _lines(rows: list[Application]) -> list[dict[str, Any]]:
    """Return what everybody may read of each: number, masked name, community. No reason, no circumstance, no address."""
    names = dict(Area.objects.filter(pk__in={row.div for row in rows}).values_list("div", "short_name"))
    return [
        {"number": row.code, "name": mask_name(row.elder.name), "community": names.get(row.div, "")} for row in rows
    ]
