"""Writing who answers for which services where: whole divisions, lists of villages, drawn grids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import Q

from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import Area, Organisation, ServiceArea
from yinling.directory.operations.bodies import require_area
from yinling.directory.queries import ancestors
from yinling.directory.rules import check_grid, outline_from, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

explain_constraint("service_area_one_body", "service_area.overlap", N_("这段时间此地的这类服务已有责任机构"))

_FAMILY = re.compile(r"[a-z][a-z_]{1,19}")
Family = Annotated[str, Input(N_("服务类别"), max_length=20, widget="choice")]
Villages = Annotated[
    list[str] | None,
    Input(N_("只划定其中的社区（村）"), help=N_("每行一个名称或区划代码；不填即整个区划"), max_length=60),
]
GridName = Annotated[str, Input(N_("网格名称"), help=N_("按边界划定时填写"), max_length=60)]
Outline = Annotated[
    str,
    Input(
        N_("网格边界"),
        help=N_("GeoJSON 多边形，或每行一个拐点（经度,纬度）；不填即按区划"),
        max_length=60_000,
        widget="area",
    ),
]


@operation("directory.service_area.assign", label=N_("划定责任区"))
def assign_service_area(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, family: Family, div: ask.Div, valid_from: ask.FirstDay,
    villages: Villages = None, name: GridName = "", outline: Outline = "", datum: ask.Datum = "wgs84",
) -> ServiceArea:  # fmt: skip
    """Make a body answer for a family of services from a day on: in a division, in some of its villages, or in a grid drawn in it.

    It takes over from whoever answered there before; grids never share ground (R-ORD-04). Returns the first area.
    """
    require(actor, "directory.service_area.assign", div=div)
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None or (body.valid_to is not None and body.valid_to <= valid_from):
        raise Refused(
            "organisation.unknown", N_("没有这个机构或机构已停止服务，请从列表中选择"), field="organisation_id"
        )
    if not _FAMILY.fullmatch(family):
        raise Refused("family.unknown", N_("请从列表中选择服务类别"), field="family")
    require_area(div)
    border = outline_from(outline, datum)
    if border is not None and villages:
        raise Refused("service_area.either", N_("按社区（村）和按边界只能选一种"), field="villages")
    if border is not None:
        called = required_text(name, "name", most=60)
        rows = [_grid(body, family, div=div, name=called, border=border, valid_from=valid_from, now=now)]
    else:
        rows = [_whole(body, family, one, valid_from, now) for one in _villages(div, villages)]
    divs = [row.div for row in rows]
    changes = {"organisation": [None, body.pk], "family": [None, family], "valid_from": [None, valid_from.isoformat()]}
    changes |= {"areas": [None, divs]} | ({"grid": [None, rows[0].name]} if border is not None else {})
    record(actor=actor, now=now, event="directory.service_area.assign", subject=rows[0], changes=changes, div=div)
    return rows[0]


def _villages(div: str, names: Sequence[str] | None) -> list[str]:
    """Return the divisions named, each by name or code; without names the division itself."""
    if not names:
        return [div]
    below = Area.objects.filter(div__gte=div, div__lt=div + ":", level="community").defer("outline")
    found: dict[str, str] = {}
    for area in below:
        found |= dict.fromkeys((area.div, area.code, area.name, area.short_name), area.div)
    unknown = [name for name in names if name not in found]
    if unknown:
        sentence = N_("这个区划下没有：%(names)s，请核对名称")
        raise Refused("area.unknown", sentence, field="villages", names="、".join(unknown[:10]))
    return list(dict.fromkeys(found[name] for name in names))


def _whole(body: Organisation, family: str, div: str, valid_from: date, now: datetime) -> ServiceArea:
    """Let a body answer in a whole division; whoever did before ends the day before."""
    formers = ServiceArea.objects.filter(family=family, div=div, recorded_to=None, outline__isnull=True)
    for former in formers.exclude(valid_to__lte=valid_from):
        if former.organisation_id == body.pk and former.valid_from <= valid_from and former.valid_to is None:
            raise Refused("service_area.same", N_("此地的这类服务已由该机构负责"), field="organisation_id")
        curtail(former, until=valid_from, now=now)
    return ServiceArea.objects.create(
        organisation=body, family=family, div=div, valid_from=valid_from, recorded_from=now
    )


def _grid(
    body: Organisation, family: str, *, div: str, name: str, border: dict[str, Any], valid_from: date, now: datetime
) -> ServiceArea:
    """Let a body answer in a grid; one of the same name in the same division gives way to it, no other may touch its ground."""
    near = Q(div__in=ancestors(div)) | Q(div__gte=div, div__lt=div + ":")
    drawn = ServiceArea.objects.filter(near, family=family, recorded_to=None, outline__isnull=False)
    others = list(drawn.exclude(valid_to__lte=valid_from).select_for_update(of=("self",)))
    check_grid(border, [(row.name, row.outline or {}) for row in others if (row.div, row.name) != (div, name)])
    for former in others:
        if (former.div, former.name) == (div, name):
            curtail(former, until=valid_from, now=now)
    return ServiceArea.objects.create(
        organisation=body, family=family, div=div, name=name, outline=border, valid_from=valid_from, recorded_from=now
    )


@operation("directory.service_area.end", label=N_("撤销责任区"))
def end_service_area(
    *, actor: Actor, now: datetime, service_area_id: Id, until: ask.UntilDay, reason: Reason
) -> ServiceArea:
    """Let a body answer no longer from a day on; the wider division's body answers then, if there is one."""
    row = locked(ServiceArea.objects.filter(recorded_to=None), service_area_id)
    require(actor, "directory.service_area.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    if row.valid_to is not None and row.valid_to <= until:
        raise Refused("service_area.over", N_("这一天以前已经不再负责"), field="until")
    changes = curtail(row, until=until, now=now)
    record(
        actor=actor, now=now, event="directory.service_area.end", subject=row, changes=changes, reason=why, div=row.div
    )
    return row
