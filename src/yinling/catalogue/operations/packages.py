"""Packages: one drafts, another publishes; a contract keeps the lines it was signed with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, cast

from yinling.accounts.operations import record
from yinling.catalogue.models import Package, ServiceItem
from yinling.catalogue.operations.records import put_on_record
from yinling.catalogue.rules import check_first_day, check_publisher, parse_package
from yinling.directory.models import Area
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

explain_constraint("package_no_overlap", "package.overlap", N_("这个服务包在这些日期已有公布的版本，请刷新后重试"))
explain_constraint(
    "package_two_persons", "package.two_persons", N_("起草人不能自己公布，请由另一位有权限的人员复核公布")
)


@operation("catalogue.package.draft", label=N_("起草服务包"))
def draft_package(  # noqa: PLR0913 - what a package consists of
    *,
    actor: Actor,
    now: datetime,
    code: Annotated[str, Input(N_("服务包编号"), help=N_("新版本用原来的编号"), max_length=20)],
    name: Annotated[str, Input(N_("名称"), max_length=80)],
    div: Annotated[str, Input(N_("适用地区"), max_length=12, widget="choice")],
    audience: Annotated[str, Input(N_("适用人群"), choices=tuple(Package.AUDIENCES), widget="choice")],
    lines: Annotated[
        str, Input(N_("包含的服务"), help=N_("每行一项：项目编号, 每年次数, 项目或整次（整次含上门服务费）"), max_length=5000, widget="area")
    ],
    price_fen: Annotated[int, Input(N_("年价格（元）"), least=0, widget="yuan")],
    payers: Annotated[list[str], Input(N_("费用由谁承担"), choices=tuple(Package.PAYERS), widget="check")],
    document: Annotated[str, Input(N_("依据文件"), max_length=120)],
    valid_from: Annotated[date, Input(N_("生效日期"), help=N_("今天或以后"), widget="date")],
) -> Package:  # fmt: skip
    """Draft a package for an area; it can be signed once another person publishes it (R-FAM-03)."""
    require(actor, "catalogue.package.draft", div=div)
    if not Area.objects.filter(pk=div).exists():
        raise Refused("area.unknown", N_("没有这个行政区划，请从列表中选择"), field="div")
    check_first_day(valid_from, local_date(now))
    if price_fen < 0:
        raise Refused("package.negative", N_("价格不能是负数"), field="price_fen")
    found = parse_package(lines)
    known = set(ServiceItem.objects.filter(is_active=True).values_list("code", flat=True))
    if unknown := [line.item for line in found if line.item not in known]:
        raise Refused(
            "package.item_unknown", N_("服务清单中没有在用的项目 %(item)s，请核对编号"), field="lines", item=unknown[0]
        )
    chosen = [known_choice(payer, Package.PAYERS, "payers") for payer in payers]
    if not chosen:
        raise Refused("package.payers", N_("请选择费用由谁承担"), field="payers")
    row = Package.objects.create(
        code=required_text(code, "code", most=20), name=required_text(name, "name", most=80), div=div,
        audience=known_choice(audience, Package.AUDIENCES, "audience"), lines=[line.stored() for line in found], price_fen=price_fen,
        payers=sorted(set(chosen)), document=required_text(document, "document", most=120), drafted_by_id=cast("int", actor.user_id),
        valid_from=valid_from, recorded_from=now, recorded_to=now, created_at=now, changed_at=now,
    )  # fmt: skip
    drafted = {"code": [None, row.code], "price_fen": [None, price_fen], "lines": [None, row.lines]}
    record(actor=actor, now=now, event="catalogue.package.draft", subject=row, changes=drafted)
    return row


@operation("catalogue.package.publish", label=N_("公布服务包"))
def publish_package(*, actor: Actor, now: datetime, package_id: Id, seen: Seen = None) -> Package:
    """Put a draft on record. Contracts already signed keep the lines they were signed with."""
    row = _draft(actor, "catalogue.package.publish", package_id, seen)
    check_publisher(drafted_by=row.drafted_by_id, publisher=actor.user_id)
    check_first_day(row.valid_from, local_date(now))
    Area.objects.select_for_update(of=("self",)).get(pk=row.div)  # two versions are published one after the other
    same = Package.objects.filter(code=row.code, div=row.div, published_at__isnull=False)
    put_on_record(row, same, now)
    changes = changed(row, now=now, published_by_id=actor.user_id, published_at=now)
    record(actor=actor, now=now, event="catalogue.package.publish", subject=row, changes=changes)
    tell("catalogue", pk=row.pk, div=row.div)
    return row


@operation("catalogue.package.discard", label=N_("删除草稿"))
def discard_package(*, actor: Actor, now: datetime, package_id: Id, reason: Reason, seen: Seen = None) -> Package:
    """Delete a draft that nobody publishes. A published package is never deleted: publish another version."""
    row = _draft(actor, "catalogue.package.discard", package_id, seen)
    why = required_text(reason, "reason", most=500)
    gone = {"code": [row.code, None], "lines": [row.lines, None]}
    record(actor=actor, now=now, event="catalogue.package.discard", subject=row, changes=gone, reason=why)
    Package.objects.filter(pk=row.pk).delete()
    return row


def _draft(actor: Actor, right: str, package_id: int, seen: int | None) -> Package:
    row = locked(Package.objects.all(), package_id, seen)
    require(actor, right, div=row.div)
    if row.published_at is not None:
        raise NotAllowed("package.published", N_("这个服务包已经公布。需要修改时，请用同一编号起草新版本"))
    return row
