"""What binds a provider to a payer, or two bodies to each other: entered from the signed paper, ended before its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.entitlements.models import PAYERS, Agreement
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

explain_constraint(
    "agreement_no_overlap", "agreement.overlap", N_("同一编号的协议在这段时间已经登记，请先终止原协议或核对编号")
)

SELF = "self"
PAYING = [(code, name) for code, name in PAYERS if code != SELF]
BodyId = Annotated[int, Input(N_("服务机构"), least=1, widget="choice")]
PartnerId = Annotated[int | None, Input(N_("合作机构"), help=N_("医养合作协议填写另一方"), least=1, widget="choice")]
Kind = Annotated[str, Input(N_("协议类别"), choices=Agreement.KINDS, widget="choice")]
Payer = Annotated[str, Input(N_("付费方"), help=N_("定点协议和购买合同必须填写"), choices=PAYING, widget="choice")]
Number = Annotated[str, Input(N_("协议编号"), max_length=60)]
FirstDay = Annotated[date, Input(N_("生效日期"), widget="date")]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
Until = Annotated[date, Input(N_("终止日期"), help=N_("最后一天，含当日"), widget="date")]
Items = Annotated[
    list[str] | None, Input(N_("服务项目"), help=N_("都不勾选表示全部项目"), max_length=20, widget="check")
]
Sources = Annotated[
    list[str] | None,
    Input(N_("资金来源"), help=N_("合作协议的补助和支持来源，可多选"), choices=Agreement.SOURCES, widget="check"),
]
MonthlyCount = Annotated[
    int | None, Input(N_("每月次数"), help=N_("不限次数可不填"), least=1, most=10_000_000, widget="number")
]
MonthlyFen = Annotated[int | None, Input(N_("每月金额（元）"), help=N_("不限金额可不填"), least=1, widget="yuan")]


@operation("entitlements.agreement.sign", label=N_("登记协议"))
def sign_agreement(  # noqa: PLR0913 - what stands in a contract
    *, actor: Actor, now: datetime, organisation_id: BodyId, kind: Kind, payer: Payer = "", number: Number, valid_from: FirstDay,
    valid_to: LastDay = None, items: Items = None, monthly_count: MonthlyCount = None, monthly_fen: MonthlyFen = None,
    partner_id: PartnerId = None, sources: Sources = None,
) -> Agreement:  # fmt: skip
    """Enter an agreement: designation or purchase with a payer and what may be bought a month, or a co-operation with its sources of money.

    Refused without a payer where one pays, without partner and source where two bodies co-operate, and for an unknown item.
    """
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "entitlements.agreement.sign", div=body.div)
    known_choice(kind, Agreement.KINDS, "kind")
    _check_sides(kind, payer, body, partner_id, sources or [])
    days = period_of(valid_from, valid_to)
    row = Agreement.objects.create(
        organisation=body, partner_id=partner_id, kind=kind, payer="" if kind == "cooperation" else payer,
        number=required_text(number, "number", most=60), items=_known_items(items or []), sources=list(dict.fromkeys(sources or [])),
        monthly_count=monthly_count, monthly_fen=monthly_fen, valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes: dict[str, Any] = {
        "kind": [None, kind], "payer": [None, row.payer], "number": [None, row.number], "items": [None, row.items],
        "monthly_count": [None, monthly_count], "monthly_fen": [None, monthly_fen],
    }  # fmt: skip
    record(actor=actor, now=now, event="entitlements.agreement.sign", subject=row, changes=changes, div=body.div)
    return row


def _check_sides(
    kind: str, payer: str, body: Organisation, partner_id: int | None, sources: Sequence[str]
) -> None:  # fmt: skip
    """Refuse an agreement that does not say who pays, or between whom it is."""
    for source in sources:
        known_choice(source, Agreement.SOURCES, "sources")
    if kind != "cooperation":
        known_choice(payer, PAYING, "payer")
        return
    if partner_id is None or partner_id == body.pk or not Organisation.objects.filter(pk=partner_id).exists():
        raise Refused("agreement.partner", N_("医养合作协议请选择另一家合作机构"), field="partner_id")
    if not sources:
        raise Refused("agreement.sources", N_("医养合作协议请至少选择一种资金来源"), field="sources")


def _known_items(codes: Sequence[str]) -> list[str]:
    wanted = sorted(set(codes))
    known = set(ServiceItem.objects.filter(code__in=wanted).values_list("code", flat=True))
    if missing := [code for code in wanted if code not in known]:
        raise Refused(
            "agreement.items",
            N_("没有这些服务项目：%(codes)s。请从清单中选择"),
            field="items",
            codes="、".join(missing),
        )
    return wanted


@operation("entitlements.agreement.end", label=N_("终止协议"))
def end_agreement(*, actor: Actor, now: datetime, agreement_id: Id, valid_to: Until, reason: Reason) -> Agreement:
    """Let an agreement end before its time, or take a wrong one off the record. Later services are not paid under it (R-LTC-05)."""
    row = locked(Agreement.objects.filter(recorded_to=None).select_related("organisation"), agreement_id)
    require(actor, "entitlements.agreement.end", div=row.organisation.div)
    why = required_text(reason, "reason", most=500)
    if row.valid_to is not None and valid_to + ONE_DAY > row.valid_to:
        raise Refused("agreement.already_ends", N_("协议原定结束得更早，请核对日期"), field="valid_to")
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(
        actor=actor, now=now, event="entitlements.agreement.end", subject=row, changes=changes, reason=why,
        div=row.organisation.div,
    )  # fmt: skip
    return row
