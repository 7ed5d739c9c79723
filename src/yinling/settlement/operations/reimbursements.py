"""Reimbursing a household as spent: accepted work, item by item, two persons, once for a household (R-MOD-02 to R-MOD-05)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import Q

from yinling.accounts.operations import record
from yinling.directory.deciding import explain_hands, move, taken_up
from yinling.directory.queries import system_actor
from yinling.directory.rules import person_of, require, required_text
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import pay_once, take_back_once
from yinling.entitlements.operations.pushes import tell_elder_side
from yinling.ground.files import clean_image, store
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.money import MOST_FEN, yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder, Household
from yinling.people.queries.names import reader
from yinling.settlement.models import ExpensePaper, PayoutLine, Posting, Reimbursement
from yinling.settlement.operations.ledger import post, wait_for
from yinling.settlement.operations.revocations import (
    Back,
    Booked,
    Voucher,
    collect,
    contest,
    explain_revocation,
    returned_by_bank,
    revoke,
    uphold,
)
from yinling.settlement.payables import follow_up
from yinling.settlement.queries.payables import number_of
from yinling.settlement.queries.reimbursements import PREFIX, is_strict, item_list, line_of, result_of, standing_for
from yinling.settlement.reimbursing import DONE, NOT_APPLICABLE, OUTCOMES, Line, Result
from yinling.settlement.rules import Side
from yinling.settlement.states import GIVEN_UP, GrantState

explain_hands("reimbursement")
explain_revocation("reimbursement")
explain_constraint("reimbursement_once", "reimbursement.household", N_("这一户已报销过这项补贴，每户只能报销一次"))

EXPENSE, OWED = "expense.reimbursement", "payable.elder"
REMOVE = "remove"

Contractor = Annotated[str, Input(N_("施工或供货单位"), max_length=120)]
AcceptedOn = Annotated[date | None, Input(N_("验收合格日期"), help=N_("没有验收的不能报销"), widget="date")]
InvoiceNumber = Annotated[str, Input(N_("发票号码"), max_length=40)]
ItemCode = Annotated[str, Input(N_("项目"), max_length=10)]
Outcome = Annotated[str, Input(N_("结果"), choices=[*OUTCOMES, (REMOVE, N_("从单上删除"))], widget="choice")]
Cost = Annotated[
    int, Input(N_("发票金额（元）"), help=N_("已完成的项目填写，照发票"), least=0, most=MOST_FEN, widget="yuan")
]
Why = Annotated[str, Input(N_("原因"), help=N_("不适用的必须写明"), max_length=200)]
Assessor = Annotated[str, Input(N_("评估人"), help=N_("不适用的必须填写"), max_length=40)]
Checker = Annotated[str, Input(N_("复核人"), help=N_("不适用的必须填写，不能是评估人"), max_length=40)]
Total = Annotated[
    int,
    Input(
        N_("发票合计（元）"), help=N_("看着发票重新填写，与明细合计一致才能通过"), least=0, most=MOST_FEN, widget="yuan"
    ),
]
Title = Annotated[str, Input(N_("材料名称"), max_length=80)]
Content = Annotated[
    str, Input(N_("照片"), help=N_("拍照或选择图片，不超过 8 MB"), max_length=12_000_000, widget="photo")
]


@operation("settlement.reimbursement.draft", label=N_("登记报销"))
def draft_reimbursement(
    *, actor: Actor, now: datetime, entitlement_id: Id, contractor: Contractor, accepted_on: AcceptedOn = None, invoice_number: InvoiceNumber
) -> Reimbursement:  # fmt: skip
    """Begin the reimbursement of accepted work. One household gets a scheme once, whoever of it holds the entitlement (R-MOD-04)."""
    entitlement = locked(Entitlement.objects.filter(recorded_to=None).select_related("elder", "scheme"), entitlement_id)
    require(actor, "settlement.reimbursement.draft", div=entitlement.div)
    day = _accepted(entitlement, accepted_on, local_date(now))
    if not entitlement.once_fen or not item_list(entitlement.scheme.code, entitlement.div, day):
        raise Refused("reimbursement.not_once", N_("这项待遇不是按项目实报实销的，不能登记报销"))
    household = _home(entitlement.elder.household_id, entitlement.div)
    firm, number = (
        required_text(contractor, "contractor", most=120),
        required_text(invoice_number, "invoice_number", most=40),
    )
    with scope(reader(entitlement.div), savepoint=False):
        _check_once(entitlement, household)
        _check_invoice(household, firm, number)
    row = Reimbursement.objects.create(
        div=entitlement.div, entitlement=entitlement, elder=entitlement.elder, household=household, contractor=firm, accepted_on=day,
        invoice_number=number, actual_fen=0, eligible_fen=0, subsidy_fen=0, self_fen=0, entered_by_id=person_of(actor), created_at=now,
        changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="settlement.reimbursement.draft", subject=row,
        changes={"entitlement": [None, entitlement.pk], "accepted_on": [None, day.isoformat()], "invoice_number": [None, number]},
    )  # fmt: skip
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _accepted(entitlement: Entitlement, accepted_on: date | None, today: date) -> date:
    """Return the day of acceptance; refuse to pay before it, or for work outside the days of the entitlement."""
    if accepted_on is None or accepted_on > today:
        raise Refused("reimbursement.not_accepted", N_("改造验收合格以后才能报销，请先验收"), field="accepted_on")
    if accepted_on < entitlement.valid_from or (entitlement.valid_to and accepted_on >= entitlement.valid_to):
        raise Refused("reimbursement.outside", N_("验收日期不在这项待遇的有效期内，请核对"), field="accepted_on")
    return accepted_on


def _home(household_id: int, div: str) -> Household:
    """Return the home, locked: all that is paid back to it comes one after the other. It may lie in another district by now."""
    with scope(reader(div), savepoint=False):
        return Household.objects.select_for_update(of=("self",)).get(pk=household_id)


def _check_once(entitlement: Entitlement, household: Household, *, but: int | None = None) -> None:
    """Refuse a second time, in a scope that shows the province: for the home, for who lives there now, and for the entitlement itself."""
    others = standing_for(
        entitlement.scheme_id, Q(household=household) | Q(elder__household=household) | Q(entitlement=entitlement)
    )
    if but is not None:
        others = others.exclude(state__in=(GrantState.DRAFT, GrantState.REVIEWED)).exclude(pk=but)
    if others.exists():
        raise Refused("reimbursement.household", N_("这一户已报销过这项补贴，每户只能报销一次"))


def _check_invoice(household: Household, contractor: str, number: str) -> None:
    """Refuse an invoice that another home has used: whoever uses one twice does so in another district."""
    wait_for(f"invoice:{contractor}:{number}")
    standing = Reimbursement.objects.exclude(state__in=GIVEN_UP)
    if standing.filter(contractor=contractor, invoice_number=number).exclude(household=household).exists():
        raise Refused("reimbursement.invoice_used", N_("这张发票已用于另一户的报销，请核对"), field="invoice_number")


@operation("settlement.reimbursement.enter", label=N_("登记项目"))
def enter_item(  # noqa: PLR0913 - what is said of an item
    *, actor: Actor, now: datetime, reimbursement_id: Id, item: ItemCode, outcome: Outcome, amount_fen: Cost = 0, reason: Why = "",
    assessor: Assessor = "", reviewer: Checker = "", seen: Seen = None,
) -> Reimbursement:  # fmt: skip
    """Put one item on the reimbursement, in place of what was said of it before; everything is reckoned anew."""
    row = _draft(actor, reimbursement_id, seen, "enter")
    known = item_list(row.entitlement.scheme.code, row.div, row.accepted_on).get(item)
    if known is None:
        raise Refused("reimbursement.item", N_("清单中没有这个项目，请从列表中选择"), field="item")
    lines = [Line.from_json(one) for one in row.lines if one["item"] != item]
    if outcome != REMOVE:
        line = Line(
            item, known.name, known.is_base, outcome, amount_fen, reason.strip(), assessor.strip(), reviewer.strip()
        )
        _check_item(line, is_strict=is_strict(row.div, row.accepted_on))
        lines.append(line)
    found = result_of(row, sorted(lines, key=lambda one: int(one.item)))
    changes = changed(row, now=now, **_values(found))
    record(
        actor=actor, now=now, event="settlement.reimbursement.enter", subject=row,
        changes={name: pair for name, pair in changes.items() if name != "lines"} | {"item": [None, item], "outcome": [None, outcome]},
    )  # fmt: skip
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _check_item(line: Line, *, is_strict: bool) -> None:
    """Refuse an end that is none: money without work, "not applicable" without its three answers (D-10)."""
    if line.outcome not in dict(OUTCOMES):
        raise Refused("reimbursement.outcome", N_("请从列表中选择结果"), field="outcome")
    if not 0 <= line.amount_fen <= MOST_FEN or (line.outcome != DONE and line.amount_fen):
        raise Refused("reimbursement.amount", N_("只有已完成的项目才有金额，且不能为负"), field="amount_fen")
    if not line.is_base and line.outcome != DONE:
        raise Refused("reimbursement.optional", N_("可选类项目只登记已完成的"), field="outcome")
    if line.outcome != NOT_APPLICABLE:
        return
    if is_strict:
        raise Refused("reimbursement.strict", N_("本地要求基础类项目全部实施，不接受“不适用”"), field="outcome")
    for name, value in (("reason", line.reason), ("assessor", line.assessor), ("reviewer", line.reviewer)):
        required_text(value, name)
    if line.assessor == line.reviewer:
        raise Refused("reimbursement.same_person", N_("评估人和复核人不能是同一人"), field="reviewer")


def _values(found: Result) -> dict[str, Any]:
    return {
        "lines": [one.as_json() for one in found.lines], "actual_fen": found.actual_fen, "eligible_fen": found.eligible_fen,
        "subsidy_fen": found.subsidy_fen, "self_fen": found.self_fen,
    }  # fmt: skip


@operation("settlement.reimbursement.attach", label=N_("上传材料"))
def attach_expense(
    *, actor: Actor, now: datetime, reimbursement_id: Id, title: Title, content: Content
) -> Reimbursement:  # fmt: skip
    """Keep the picture of an invoice, an acceptance sheet, or of the home before and after."""
    row = _draft(actor, reimbursement_id, None, "attach")
    name = required_text(title, "title", most=80)
    file = store(
        clean_image(_decoded(content)),
        kind="photo",
        purpose="reimbursement",
        content_type="image/jpeg",
        owner=row,
        now=now,
    )
    ExpensePaper.objects.create(
        div=row.div,
        reimbursement=row,
        elder_id=row.elder_id,
        title=name,
        file=file,
        added_by_id=person_of(actor),
        added_at=now,
    )
    record(actor=actor, now=now, event="settlement.reimbursement.attach", subject=row, changes={"title": [None, name]})
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise Refused("file.not_image", N_("这不是照片文件，请重新拍照"), field="content") from None


@operation("settlement.reimbursement.review", label=N_("初审通过"))
def review_reimbursement(
    *, actor: Actor, now: datetime, reimbursement_id: Id, invoice_fen: Total, seen: Seen = None
) -> Reimbursement:  # fmt: skip
    """First of the two approvals: the reviewer reads the total off the invoice; actual cost is the invoice, never the estimate (R-MOD-05)."""
    row = _taken(actor, reimbursement_id, seen, "review")
    found = _check_stands(row)
    if invoice_fen != found.invoice_fen:
        raise Refused("reimbursement.invoice", N_("发票合计与明细合计不一致，请核对"), field="invoice_fen")
    if not ExpensePaper.objects.filter(reimbursement=row).exists():
        raise Refused("reimbursement.no_paper", N_("请先上传发票和验收材料的照片"))
    return move(actor, now, row, "review")


@operation("settlement.reimbursement.approve", label=N_("复核通过"))
def approve_reimbursement(*, actor: Actor, now: datetime, reimbursement_id: Id, seen: Seen = None) -> Reimbursement:
    """Second approval, by a person who neither entered nor reviewed it: the subsidy is posted and owed; the excess is only recorded."""
    row = _taken(actor, reimbursement_id, seen, "approve")
    household = _home(row.household_id, row.div)
    with scope(reader(row.div), savepoint=False):
        _check_once(row.entitlement, household, but=row.pk)
        scheme, line = row.entitlement.scheme, line_of(row)
    _check_stands(row)
    fund = line.fund if line else scheme.fund
    debit = Side(EXPENSE, row.subsidy_fen, "eldercare", fund, scheme.pk, service_day=row.accepted_on)
    posting = post(
        actor, now, key=f"reimbursement:{row.pk}", kind="reimbursement", text=f"{row.code} {scheme.name}", div=row.div, elder=row.elder_id,
        sides=[debit, replace(debit, account=OWED, amount=-row.subsidy_fen)],
    )  # fmt: skip
    pay_once(row.entitlement, row.div, row.subsidy_fen)
    return move(actor, now, row, "approve", posting_id=posting.pk)


@operation("settlement.reimbursement.return", label=N_("退回"))
def return_reimbursement(
    *, actor: Actor, now: datetime, reimbursement_id: Id, reason: Reason, seen: Seen = None
) -> Reimbursement:  # fmt: skip
    """Give a reimbursement up with a reason; it may be entered anew."""
    row = _taken(actor, reimbursement_id, seen, "return")
    return move(actor, now, row, "return", reason=reason)


@operation("settlement.reimbursement.contest", label=N_("提请撤销"))
def contest_reimbursement(
    *, actor: Actor, now: datetime, reimbursement_id: Id, reason: Reason, seen: Seen = None
) -> Reimbursement:  # fmt: skip
    """Ask for an approved reimbursement to be taken back, with the reason that the household will read."""
    return contest(actor, now, _taken(actor, reimbursement_id, seen, "contest"), reason)


@operation("settlement.reimbursement.uphold", label=N_("维持审定"))
def uphold_reimbursement(
    *, actor: Actor, now: datetime, reimbursement_id: Id, reason: Reason, seen: Seen = None
) -> Reimbursement:  # fmt: skip
    """Leave a contested reimbursement as it was approved."""
    return uphold(actor, now, _taken(actor, reimbursement_id, seen, "uphold"), reason)


@operation("settlement.reimbursement.revoke", label=N_("同意撤销"))
def revoke_reimbursement(*, actor: Actor, now: datetime, reimbursement_id: Id, seen: Seen = None) -> Reimbursement:
    """Take it back, by another person than who asked; the household is told why, and what it is to pay back."""
    row = revoke(actor, now, _taken(actor, reimbursement_id, seen, "revoke"), BOOKED)
    said = {"code": row.code, "why": row.revoke_reason, "fen": yuan(row.to_recover_fen)}
    text = N_("您家的报销 %(code)s 已撤销：%(why)s。可以改正后重新申请")
    if row.to_recover_fen:
        text = N_("您家的报销 %(code)s 已撤销：%(why)s。已付的 %(fen)s 元请退回，退回后可以改正重新申请")
    with scope(
        system_actor(row.div[:2]), savepoint=False
    ):  # who decides sees no representatives, and the elder may live elsewhere by now
        elder = Elder.objects.get(pk=row.elder_id)
        tell_elder_side(now=now, elder=elder, key=f"revoked:{row.pk}", title=N_("报销已撤销"), text=text % said)
    return row


@operation("settlement.reimbursement.collect", label=N_("登记追回到账"))
def collect_reimbursement(
    *, actor: Actor, now: datetime, reimbursement_id: Id, amount_fen: Back, voucher: Voucher, seen: Seen = None
) -> Reimbursement:  # fmt: skip
    """Book what a household paid back."""
    return collect(actor, now, _taken(actor, reimbursement_id, seen, "collect"), BOOKED, amount_fen, voucher)


def _free(row: Reimbursement, fen: int) -> None:
    take_back_once(row.entitlement, fen)


BOOKED = Booked(PREFIX, OWED, _free)


def _after_payment(actor: Actor, now: datetime, line: PayoutLine, posting: Posting | None) -> None:
    if posting is None:
        returned_by_bank(actor, now, _with_holder(locked(Reimbursement.objects.all(), number_of(line.key))), BOOKED)


follow_up(PREFIX, _after_payment)


def _taken(actor: Actor, reimbursement_id: int, seen: int | None, verb: str) -> Reimbursement:
    return _with_holder(taken_up(actor, Reimbursement.objects.all(), reimbursement_id, seen, verb))


def _with_holder(row: Reimbursement) -> Reimbursement:
    """Read the entitlement too. It goes with its elder, who may have moved away since; the area that promised still pays."""
    with scope(reader(row.div), savepoint=False):
        row.entitlement = Entitlement.objects.select_related("scheme").get(pk=row.entitlement_id)
    return row


def _draft(actor: Actor, reimbursement_id: int, seen: int | None, verb: str) -> Reimbursement:
    """Return the row, locked; after the first approval nothing of it may be changed."""
    row = _with_holder(locked(Reimbursement.objects.all(), reimbursement_id, seen))
    require(actor, f"settlement.reimbursement.{verb}", div=row.div)
    if row.state != GrantState.DRAFT:
        raise NotAllowed("reimbursement.not_draft", N_("初审以后不能修改明细，请退回后重新登记"))
    return row


def _check_stands(row: Reimbursement) -> Result:
    """Reckon anew; refuse what has changed meanwhile, and a reimbursement of nothing."""
    found = result_of(row)
    if (found.actual_fen, found.subsidy_fen) != (row.actual_fen, row.subsidy_fen):
        raise Refused("reimbursement.changed", N_("金额已变（同一发票另有报销，或者规则已变），请退回重新登记"))
    if found.subsidy_fen <= 0:
        raise Refused("reimbursement.nothing", N_("没有可以报销的金额，请先登记已完成的项目"))
    return found
