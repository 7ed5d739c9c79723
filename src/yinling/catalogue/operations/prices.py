"""Price lists of one organisation or of a price group, and the on-site rates that go with them: one drafts, another publishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, cast

from yinling.accounts.operations import record
from yinling.catalogue.models import CalloutRate, Price, PriceList, ServiceItem
from yinling.catalogue.operations.records import put_on_record
from yinling.catalogue.rules import (
    PriceLine,
    check_document,
    check_first_day,
    check_items,
    check_owner,
    check_publisher,
    parse_distances,
    parse_prices,
)
from yinling.catalogue.states import PRICE_LIST, PriceListState
from yinling.directory.models import PRICE_GROUPS, Area, Organisation
from yinling.directory.rules import known_choice, require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("price_no_overlap", "price.overlap", N_("同一项目在这些日期已有公布的价格，请刷新后重试"))
explain_constraint("price_group_no_overlap", "price.overlap", N_("同一项目在这些日期已有公布的价格，请刷新后重试"))
explain_constraint("callout_rate_no_overlap", "callout.overlap", N_("这些日期已有公布的上门服务费，请刷新后重试"))
explain_constraint(
    "price_list_two_persons", "price_list.two_persons", N_("起草人不能自己公布，请由另一位有权限的人员复核公布")
)

MOST_FREE_M, LAST_HOUR = 50_000, 23


def _yuan(label: str, text: str = "") -> Input:
    return Input(label, help=text, least=0, widget="yuan")


@operation("catalogue.price_list.draft", label=N_("起草价目"))
def draft_price_list(  # noqa: PLR0913 - a price list and its on-site rate
    *,
    actor: Actor,
    now: datetime,
    organisation_id: Annotated[int | None, Input(N_("机构"), help=N_("按类别定价时不选"), least=1, widget="number")] = None,
    price_group: Annotated[
        str, Input(N_("价格类别"), help=N_("同类机构共用的价目；机构自己的价目优先"), choices=tuple(PRICE_GROUPS), widget="choice")
    ] = "",
    div: Annotated[str, Input(N_("适用地区"), help=N_("按类别定价时选择"), max_length=12, widget="choice")] = "",
    basis: Annotated[str, Input(N_("定价依据"), choices=tuple(PriceList.BASES), widget="choice")],
    document: Annotated[str, Input(N_("依据文件"), help=N_("文号或中标编号；市场调节价可不填"), max_length=120)] = "",
    document_on: Annotated[date | None, Input(N_("文件日期"), help=N_("核定或中标的日期"), widget="date")] = None,
    valid_from: Annotated[date, Input(N_("生效日期"), help=N_("今天或以后"), widget="date")],
    prices: Annotated[
        str, Input(N_("价格"), help=N_("每行一项：项目编号, 价格(元), 上门服务费(元)"), max_length=20000, widget="area")
    ] = "",
    callout_base: Annotated[int | None, _yuan(N_("上门服务费（元）"), N_("项目自己没有填上门服务费时按此收取"))] = None,
    callout_free_m: Annotated[int | None, Input(N_("免收里程（米）"), least=0, most=MOST_FREE_M, widget="number")] = None,
    callout_km: Annotated[int | None, _yuan(N_("超出里程每公里（元）"), N_("不足一公里按一公里"))] = None,
    callout_night: Annotated[int | None, _yuan(N_("夜间加收（元）"))] = None,
    callout_night_from: Annotated[int | None, Input(N_("夜间开始（时）"), least=0, most=LAST_HOUR, widget="number")] = None,
    callout_night_to: Annotated[int | None, Input(N_("夜间结束（时）"), least=0, most=LAST_HOUR, widget="number")] = None,
    callout_holiday: Annotated[int | None, _yuan(N_("法定节假日加收（元）"))] = None,
    callout_doctor: Annotated[int | None, _yuan(N_("医师上门加收（元）"))] = None,
    callout_nurse: Annotated[int | None, _yuan(N_("护士上门加收（元）"))] = None,
    callout_care_worker: Annotated[int | None, _yuan(N_("护理员上门加收（元）"))] = None,
    callout_distances: Annotated[
        str, Input(N_("里程表"), help=N_("每行一个：区划代码, 米数。有里程表时不按直线距离"), max_length=20000, widget="area")
    ] = "",
) -> PriceList:  # fmt: skip
    """Draft a list, with the on-site rate where one is given; both hold once another person publishes them (R-PAY-02, R-PAY-03, R-PAY-07)."""
    check_owner(organisation_id=organisation_id, price_group=price_group, div=div)
    owner = _owner(organisation_id, price_group, div)
    _require(actor, "catalogue.price_list.draft", owner)
    if basis not in dict(PriceList.BASES):
        raise Refused("price_list.basis", N_("请从列表中选择定价依据"), field="basis")
    check_document(basis=basis, document=document, document_on=document_on, today=local_date(now))
    check_first_day(valid_from, local_date(now))
    rate = _rate(
        base_fen=callout_base, free_m=callout_free_m, km_fen=callout_km, night_fen=callout_night, night_from=callout_night_from,
        night_to=callout_night_to, holiday_fen=callout_holiday,
        level_fen={
            "doctor": callout_doctor, "nurse": callout_nurse, "care_worker": callout_care_worker,
            "medical_care_worker": callout_care_worker,
        },
        distances=_known_ways(parse_distances(callout_distances)),
    )  # fmt: skip
    if rate and owner["organisation"] is None:
        raise Refused("callout.group", N_("上门服务费由各机构自己制定，请写在机构的价目里"), field="callout_base")
    lines = parse_prices(prices) if prices.strip() or not rate else []
    items = {item.code: item for item in ServiceItem.objects.filter(is_active=True)}
    check_items(lines, items, [code for code, item in items.items() if item.charges_callout])
    row = PriceList.objects.create(
        **owner, basis=basis, document=document.strip(), document_on=document_on, drafted_by_id=cast("int", actor.user_id),
        created_at=now, changed_at=now,
    )  # fmt: skip
    _write(row, lines, items, rate, valid_from=valid_from, now=now)
    drafted = {"lines": [None, len(lines)], "valid_from": [None, valid_from.isoformat()], "rate": [None, rate]}
    record(actor=actor, now=now, event="catalogue.price_list.draft", subject=row, changes=drafted, div=_div(row))
    return row


def _owner(organisation_id: int | None, price_group: str, div: str) -> dict[str, Any]:
    """Return whose list it is, as columns."""
    if organisation_id is None:
        known_choice(price_group, PRICE_GROUPS, "price_group")
        if not Area.objects.filter(pk=div).exists():
            raise Refused("area.unknown", N_("没有这个行政区划，请从列表中选择"), field="div")
        return {"organisation": None, "price_group": price_group, "div": div}
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    return {"organisation": organisation, "price_group": "", "div": ""}


def _require(actor: Actor, right: str, owner: dict[str, Any]) -> None:
    """Whoever keeps an organisation's list, or for a group its area."""
    organisation = owner["organisation"]
    if organisation is None:
        require(actor, right, div=owner["div"])
    else:
        require(actor, right, div=organisation.div, provider_id=organisation.pk)


def _require_row(actor: Actor, right: str, row: PriceList) -> None:
    _require(actor, right, {"organisation": row.organisation, "div": row.div})


def _div(row: PriceList) -> str:
    return row.organisation.div if row.organisation else row.div


def _known_ways(distances: dict[str, int]) -> dict[str, int]:
    """Return a table of ways as it is; refuses a division that does not exist, for which the fee would silently go by the straight line."""
    known = set(Area.objects.filter(pk__in=distances).values_list("pk", flat=True))
    if missing := next((div for div in distances if div not in known), None):
        raise Refused(
            "callout.distance_area", N_("没有区划 %(div)s，请核对代码"), field="callout_distances", div=missing
        )
    return distances


def _rate(**given: Any) -> dict[str, Any]:
    """Return the columns of the rate that was filled in; nothing if no field was."""
    given["level_fen"] = {level: fen for level, fen in given["level_fen"].items() if fen}
    return {name: value for name, value in given.items() if value not in (None, {})}


def _write(
    row: PriceList, lines: Sequence[PriceLine], items: dict[str, ServiceItem], rate: dict[str, Any], *, valid_from: date, now: datetime
) -> None:  # fmt: skip
    """Write the lines of a draft: on record for no moment until they are published."""
    drafted = {"price_list": row, "valid_from": valid_from, "recorded_from": now, "recorded_to": now}
    Price.objects.bulk_create(
        Price(
            **drafted, organisation=row.organisation, price_group=row.price_group, div=row.div, item=items[line.code],
            amount_fen=line.amount_fen, callout_fee_fen=line.callout_fee_fen,
        )
        for line in lines
    )  # fmt: skip
    if rate and row.organisation:
        CalloutRate.objects.create(**drafted, organisation=row.organisation, **rate)


@operation("catalogue.price_list.publish", label=N_("公布价目"))
def publish_price_list(*, actor: Actor, now: datetime, price_list_id: Id, seen: Seen = None) -> PriceList:
    """Put the prices and the rate of a draft on record. Orders already placed keep the price they were placed at (D-18)."""
    row = locked(PriceList.objects.select_related("organisation"), price_list_id, seen)
    _require_row(actor, "catalogue.price_list.publish", row)
    target = PRICE_LIST.target("publish", row.state)
    check_publisher(drafted_by=row.drafted_by_id, publisher=actor.user_id)
    _one_at_a_time(row)
    for price in Price.objects.filter(price_list=row).order_by("id"):
        check_first_day(price.valid_from, local_date(now))
        put_on_record(price, _published(Price, price, "organisation_id", "price_group", "div", "item_id"), now)
    for rate in CalloutRate.objects.filter(price_list=row):
        check_first_day(rate.valid_from, local_date(now))
        put_on_record(rate, _published(CalloutRate, rate, "organisation_id"), now)
    changes = changed(row, now=now, state=target, published_by_id=actor.user_id, published_at=now)
    record(actor=actor, now=now, event="catalogue.price_list.publish", subject=row, changes=changes, div=_div(row))
    tell("catalogue", pk=row.pk, div=_div(row))
    return row


def _one_at_a_time(row: PriceList) -> None:
    """Two lists of the same owner are published one after the other."""
    if row.organisation_id:
        Organisation.objects.select_for_update(of=("self",)).get(pk=row.organisation_id)
    else:
        Area.objects.select_for_update(of=("self",)).get(pk=row.div)


def _published(model: Any, row: Any, *columns: str) -> Any:
    """What was published of the same subject."""
    same = {column: getattr(row, column) for column in columns}
    return model.objects.filter(price_list__state=PriceListState.PUBLISHED, **same)


@operation("catalogue.price_list.withdraw", label=N_("撤回价目"))
def withdraw_price_list(
    *, actor: Actor, now: datetime, price_list_id: Id, reason: Reason, seen: Seen = None
) -> PriceList:
    """Take a draft back. A published list is never withdrawn: publish another."""
    row = locked(PriceList.objects.select_related("organisation"), price_list_id, seen)
    _require_row(actor, "catalogue.price_list.withdraw", row)
    target = PRICE_LIST.target("withdraw", row.state)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明撤回的原因"), field="reason")
    changes = changed(row, now=now, state=target)
    record(
        actor=actor, now=now, event="catalogue.price_list.withdraw", subject=row, changes=changes, reason=reason, div=_div(row)
    )  # fmt: skip
    return row
