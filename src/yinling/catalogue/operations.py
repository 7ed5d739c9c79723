"""Keeping the list, and publishing prices by two persons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, cast

from yinling.accounts.operations import record
from yinling.catalogue.models import FAMILIES, Price, PriceList, ServiceItem
from yinling.catalogue.rules import (
    OnRecord,
    check_basics,
    check_first_day,
    check_items,
    check_publisher,
    fit,
    parse_prices,
)
from yinling.catalogue.states import PRICE_LIST, PriceListState
from yinling.directory.models import Organisation, Qualification
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("price_no_overlap", "price.overlap", N_("同一项目在这些日期已有公布的价格，请刷新后重试"))
explain_constraint(
    "price_list_two_persons", "price_list.two_persons", N_("起草人不能自己公布，请由另一位有权限的人员复核公布")
)

PUBLISHED_TEXTS = ("name", "description", "standard", "guide", "support_policy")


@operation("catalogue.item.update", label=N_("修改项目"))
def update_item(  # noqa: PLR0913 - the texts of an item
    *,
    actor: Actor,
    now: datetime,
    item_id: Id,
    name: Annotated[str | None, Input(N_("名称"), max_length=60)] = None,
    description: Annotated[str | None, Input(N_("服务内容"), max_length=300, widget="area")] = None,
    standard: Annotated[str | None, Input(N_("执行标准"), max_length=200)] = None,
    standard_minutes: Annotated[int | None, Input(N_("标准时长（分钟）"), least=5, most=480, widget="number")] = None,
    steps: Annotated[str | None, Input(N_("操作步骤"), help=N_("每行一步"), max_length=2000, widget="area")] = None,
    needs_qualification: Annotated[
        str | None, Input(N_("所需资格"), choices=tuple(Qualification.KINDS), widget="choice")
    ] = None,
    guide: Annotated[str | None, Input(N_("服务指南"), max_length=500, widget="area")] = None,
    support_policy: Annotated[str | None, Input(N_("扶持政策"), max_length=300, widget="area")] = None,
    is_active: Annotated[bool | None, Input(N_("在用"), widget="check")] = None,
    seen: Seen = None,
) -> ServiceItem:
    """Change what is given. A basic service keeps at least one item in use."""
    row = locked(ServiceItem.objects.all(), item_id, seen)
    require(actor, "catalogue.item.update")
    values: dict[str, Any] = {
        "name": name, "description": description, "standard": standard, "standard_minutes": standard_minutes, "guide": guide,
        "steps": None if steps is None else [line.strip() for line in steps.splitlines() if line.strip()],
        "needs_qualification": needs_qualification, "support_policy": support_policy, "is_active": is_active,
    }  # fmt: skip
    values = {key: value for key, value in values.items() if value is not None}
    if values.get("name") == "":
        raise Refused("item.name", N_("请填写项目名称"), field="name")
    if is_active is False:
        others = ServiceItem.objects.filter(is_active=True).exclude(pk=row.pk).values_list("family", flat=True)
        basics = parameter("catalogue.basic_families", actor.div or "", local_date(now))
        check_basics(set(others), basics, dict(FAMILIES))
    today = local_date(now).isoformat()
    touched = {key: today for key in PUBLISHED_TEXTS if key in values and values[key] != getattr(row, key)}
    changes = changed(row, now=now, effective_on=row.effective_on | touched, **values)
    record(actor=actor, now=now, event="catalogue.item.update", subject=row, changes=changes)
    return row


@operation("catalogue.price_list.draft", label=N_("起草价目"))
def draft_price_list(
    *,
    actor: Actor,
    now: datetime,
    organisation_id: Annotated[int, Input(N_("机构"), least=1, widget="number")],
    basis: Annotated[str, Input(N_("定价依据"), choices=tuple(PriceList.BASES), widget="choice")],
    document: Annotated[str, Input(N_("依据文件"), help=N_("文号或中标编号"), max_length=120)],
    valid_from: Annotated[date, Input(N_("生效日期"), help=N_("今天或以后"), widget="date")],
    prices: Annotated[
        str, Input(N_("价格"), help=N_("每行一项：项目编号, 价格(元), 上门服务费(元)"), max_length=20000, widget="area")
    ],
) -> PriceList:
    """Draft a list for an organisation; it holds once another person publishes it."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    require(actor, "catalogue.price_list.draft", div=organisation.div, provider_id=organisation.pk)
    if basis not in dict(PriceList.BASES):
        raise Refused("price_list.basis", N_("请从列表中选择定价依据"), field="basis")
    if not document.strip():
        raise Refused("price_list.document", N_("请填写依据文件"), field="document")
    check_first_day(valid_from, local_date(now))
    lines = parse_prices(prices)
    items = {item.code: item for item in ServiceItem.objects.filter(is_active=True)}
    check_items(lines, items, [code for code, item in items.items() if item.charges_callout])
    row = PriceList.objects.create(
        organisation=organisation,
        basis=basis,
        document=document.strip(),
        drafted_by_id=cast("int", actor.user_id),
        created_at=now,
        changed_at=now,
    )
    Price.objects.bulk_create(
        Price(
            price_list=row, organisation=organisation, item=items[line.code], amount_fen=line.amount_fen,
            callout_fee_fen=line.callout_fee_fen, valid_from=valid_from, recorded_from=now, recorded_to=now,
        )
        for line in lines
    )  # fmt: skip
    drafted = {"lines": [None, len(lines)], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="catalogue.price_list.draft", subject=row, changes=drafted, div=organisation.div)
    return row


@operation("catalogue.price_list.publish", label=N_("公布价目"))
def publish_price_list(*, actor: Actor, now: datetime, price_list_id: Id, seen: Seen = None) -> PriceList:
    """Put the prices of a draft on record. Orders already placed keep the price they were placed at (D-18)."""
    row = locked(PriceList.objects.select_related("organisation"), price_list_id, seen)
    organisation = row.organisation
    require(actor, "catalogue.price_list.publish", div=organisation.div, provider_id=organisation.pk)
    target = PRICE_LIST.target("publish", row.state)
    check_publisher(drafted_by=row.drafted_by_id, publisher=actor.user_id)
    Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    for price in Price.objects.filter(price_list=row).order_by("id"):
        check_first_day(price.valid_from, local_date(now))
        _put_on_record(price, now)
    changes = changed(row, now=now, state=target, published_by_id=actor.user_id, published_at=now)
    record(
        actor=actor, now=now, event="catalogue.price_list.publish", subject=row, changes=changes, div=organisation.div
    )
    tell("catalogue", pk=row.pk, div=organisation.div)
    return row


def _put_on_record(price: Price, now: datetime) -> None:
    rivals = {
        row.pk: row
        for row in Price.objects.filter(
            organisation_id=price.organisation_id,
            item_id=price.item_id,
            recorded_to=None,
            price_list__state=PriceListState.PUBLISHED,
        )
    }
    place = fit([OnRecord(pk, row.valid_from, row.valid_to) for pk, row in rivals.items()], price.valid_from)
    Price.objects.filter(pk__in=place.closed).update(recorded_to=now)
    for pk in place.shortened:
        kept = rivals[pk]
        kept.pk, kept.recorded_from, kept.recorded_to, kept.valid_to = None, now, None, price.valid_from
        kept.save(force_insert=True)
    price.valid_to, price.recorded_from, price.recorded_to = place.valid_to, now, None
    price.save(update_fields=["valid_to", "recorded_from", "recorded_to"])


@operation("catalogue.price_list.withdraw", label=N_("撤回价目"))
def withdraw_price_list(
    *, actor: Actor, now: datetime, price_list_id: Id, reason: Reason, seen: Seen = None
) -> PriceList:
    """Take a draft back. A published list is never withdrawn: publish another."""
    row = locked(PriceList.objects.select_related("organisation"), price_list_id, seen)
    organisation = row.organisation
    require(actor, "catalogue.price_list.withdraw", div=organisation.div, provider_id=organisation.pk)
    target = PRICE_LIST.target("withdraw", row.state)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明撤回的原因"), field="reason")
    changes = changed(row, now=now, state=target)
    record(
        actor=actor,
        now=now,
        event="catalogue.price_list.withdraw",
        subject=row,
        changes=changes,
        reason=reason,
        div=organisation.div,
    )
    return row
