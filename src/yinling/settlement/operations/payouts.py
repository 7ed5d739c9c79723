"""Batches of payments: drawn up from what is owed, reviewed and approved by two persons, sent to the bank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.db.models import Count, Q, Sum

from yinling.accounts.operations import record
from yinling.directory.deciding import explain_hands, move, taken_up
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.settlement import bankfile
from yinling.settlement.models import BankAccount, Payout, PayoutLine
from yinling.settlement.payables import Payable
from yinling.settlement.queries.payables import payables
from yinling.settlement.queries.payouts import NOT_SENT, accounts_of, bank_file, held_lines
from yinling.settlement.states import PayoutState

explain_hands("payout")
explain_constraint("payout_line_once", "payout.line_twice", N_("有款项刚刚列入了另一个拨付批次，请刷新页面后重新勾选"))
MOST_LINES = 5000


@operation("settlement.payout.draft", label=N_("生成拨付批次"))
def draft_payout(
    *,
    actor: Actor,
    now: datetime,
    title: Annotated[str, Input(N_("批次名称"), max_length=120)],
    keys: Annotated[list[str], Input(N_("要拨付的款项"))],
) -> Payout:
    """Put what is owed into a batch. Each amount stands in one live batch only; a payee without a confirmed account is refused by name."""
    require(actor, "settlement.payout.draft", div=actor.div)
    if actor.div is None or actor.user_id is None:
        raise Refused("payout.area", N_("请用管辖一个区划的财务角色办理"))
    name = required_text(title, "title", most=120)
    chosen = _chosen(actor, keys)
    found = accounts_of(chosen, local_date(now))
    missing = [one.text for one in chosen if one.key not in found]
    if missing:
        raise Refused(
            "payout.no_account",
            N_("%(count)s 笔没有已确认的收款账户：%(names)s"),
            field="keys",
            count=len(missing),
            names="；".join(missing[:10]),
        )
    row = Payout.objects.create(
        div=actor.div, title=name, total_fen=sum(one.amount_fen for one in chosen), line_count=len(chosen), drafted_by_id=actor.user_id,
        drafted_at=now, created_at=now, changed_at=now,
    )  # fmt: skip
    PayoutLine.objects.bulk_create(_line(row, one, found[one.key], now) for one in chosen)
    changes = {"total_fen": [None, row.total_fen], "lines": [None, row.line_count]}
    record(actor=actor, now=now, event="settlement.payout.draft", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _chosen(actor: Actor, keys: Sequence[str]) -> list[Payable]:
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        raise Refused("payout.nothing", N_("请至少勾选一笔款项"), field="keys")
    if len(wanted) > MOST_LINES:
        raise Refused("payout.too_many", N_("一个批次最多 %(most)s 笔，请分批"), field="keys", most=MOST_LINES)
    owed = {one.key: one for one in payables(actor, actor.div or "")}
    gone = [key for key in wanted if key not in owed]
    if gone:
        raise Refused(
            "payout.gone", N_("有 %(count)s 笔已列入别的批次或不再应付，请刷新页面"), field="keys", count=len(gone)
        )
    return [owed[key] for key in wanted]


def _line(row: Payout, one: Payable, account: BankAccount, now: datetime) -> PayoutLine:
    return PayoutLine(
        div=row.div, payout=row, key=one.key, text=one.text[:200], provider_id=one.provider_id, elder_id=one.elder_id, account=account,
        payer=one.payer, fund=one.fund, scheme_id=one.scheme_id, business=one.business, owed_on=one.account, amount_fen=one.amount_fen,
        created_at=now, changed_at=now,
    )  # fmt: skip


@operation("settlement.payout.review", label=N_("初审通过"))
def review_payout(*, actor: Actor, now: datetime, payout_id: Id, seen: Seen = None) -> Payout:
    """First of the two approvals."""
    row = taken_up(actor, Payout.objects.all(), payout_id, seen, "review")
    _check_whole(row, now)
    return move(actor, now, row, "review")


@operation("settlement.payout.approve", label=N_("复核通过"))
def approve_payout(
    *,
    actor: Actor,
    now: datetime,
    payout_id: Id,
    count: Annotated[int, Input(N_("确认笔数"), help=N_("请输入本批次的笔数"), least=1, widget="number")],
    seen: Seen = None,
) -> Payout:
    """Second approval, by a person who neither drew it up nor reviewed it and who types how many payments there are."""
    row = taken_up(actor, Payout.objects.all(), payout_id, seen, "approve")
    if count != row.line_count:
        raise Refused("payout.count", N_("笔数与本批次不符，请核对后再确认"), field="count")
    _check_whole(row, now)
    return move(actor, now, row, "approve")


def _check_whole(row: Payout, now: datetime) -> None:
    """Refuse when the total is not the sum of the lines, an account was ended since, or something holds what is to be paid."""
    lines = PayoutLine.objects.filter(payout=row)
    sums = lines.aggregate(fen=Sum("amount_fen"), count=Count("id"))
    if (sums["fen"], sums["count"]) != (row.total_fen, row.line_count):
        raise Refused("payout.total", N_("明细与合计不相等，请退回批次重新生成"))
    today = local_date(now)
    ended = lines.filter(~Q(account__recorded_to=None) | Q(account__valid_to__lte=today)).first()
    if ended is not None:
        raise Refused("payout.account_ended", N_("%(text)s 的收款账户已停用，请移出这一笔或退回批次"), text=ended.text)
    if held := held_lines(row):
        raise Refused(
            "payout.held", N_("%(names)s 有订单被管制，应付已减少，或者审定正在撤销。请把这几笔移出批次，查清后再拨付"),
            names="；".join(line.text for line in held[:10]),
        )  # fmt: skip


@operation("settlement.payout_line.drop", label=N_("移出批次"))
def drop_payout_line(*, actor: Actor, now: datetime, payout_line_id: Id, reason: Reason) -> Payout:
    """Take one payment out of a batch that has not gone to the bank, as one that is held: it is owed as before, the others are paid."""
    line = PayoutLine.objects.filter(pk=payout_line_id).first()
    if line is None:
        raise NotFound("payout_line.gone", N_("批次里没有这一笔，请刷新页面"))
    row = locked(Payout.objects.all(), line.payout_id)
    require(actor, "settlement.payout_line.drop", div=row.div)
    if row.state not in NOT_SENT:
        raise NotAllowed("payout.sent", N_("批次已送银行，不能移出。请等银行回单"))
    if row.line_count == 1:
        raise Refused("payout.last_line", N_("批次里只有这一笔，请退回批次"))
    why = required_text(reason, "reason", most=500)
    if not PayoutLine.objects.filter(pk=line.pk).delete()[0]:
        raise NotFound("payout_line.gone", N_("批次里没有这一笔，请刷新页面"))
    changes = changed(row, now=now, total_fen=row.total_fen - line.amount_fen, line_count=row.line_count - 1)
    gone = {"key": [line.key, None], "text": [line.text, None]}
    record(actor=actor, now=now, event="settlement.payout_line.drop", subject=row, changes=changes | gone, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.payout.return", label=N_("退回"))
def return_payout(*, actor: Actor, now: datetime, payout_id: Id, reason: Reason, seen: Seen = None) -> Payout:
    """Give a batch up before it is approved; its amounts are owed as before."""
    row = taken_up(actor, Payout.objects.all(), payout_id, seen, "return")
    PayoutLine.objects.filter(payout=row).update(is_live=False)
    return move(actor, now, row, "return", reason=reason)


@operation("settlement.payout.export", label=N_("导出银行文件"))
def export_payout(*, actor: Actor, now: datetime, payout_id: Id) -> Payout:
    """Make the bank's file, unless something has come to hold a payment since. A second export must give the same bytes, or nothing."""
    row = taken_up(actor, Payout.objects.all(), payout_id, None, "export")
    if row.state == PayoutState.APPROVED:
        _check_whole(row, now)
    digest = bankfile.digest(bank_file(row))
    if row.file_digest and row.file_digest != digest:
        raise NotAllowed("payout.file_changed", N_("文件与首次导出的不同，请停止付款并联系管理员"))
    return move(actor, now, row, "export", file_digest=digest, exported_at=row.exported_at or now)
