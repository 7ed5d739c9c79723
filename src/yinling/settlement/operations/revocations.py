"""Taking back money that two persons granted and that was wrong: what is unpaid at once, what was paid once it has come back.

The plain steps for all that is ``Revocable``; each noun has its own operations around them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from yinling.directory.deciding import move
from yinling.directory.rules import required_text
from yinling.ground.operation import explain_constraint
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.money import MOST_FEN, yuan
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.settlement.models import PayoutLine, Posting
from yinling.settlement.operations.ledger import post, sides_of, wait_for
from yinling.settlement.rules import BANK, TO_RECOVER, Side, opposite
from yinling.settlement.states import GrantState, PayoutLineState

REVOKED, BACK = "revocation", "recovered"
"""The kinds of the postings that take a grant back, and by which what was paid of it came back."""
TWO_PERSONS = N_("提请撤销的人不能复核，请由另一位有权限的人员办理")
Back = Annotated[
    int, Input(N_("到账金额（元）"), help=N_("可以分几次退回，按实际到账登记"), least=1, most=MOST_FEN, widget="yuan")
]
Voucher = Annotated[
    str, Input(N_("到账凭证号"), help=N_("银行回单或缴款书的号码；一项追回里同一号码只登记一次"), max_length=40)
]


@dataclass(frozen=True)
class Booked:
    """How the grants of one noun are booked: how their keys begin, what they are owed on, and how their budget is freed."""

    prefix: str
    owed: str
    free: Callable[[Any, int], None]


def explain_revocation(noun: str) -> None:
    """Give the constraint that stands behind ``revoke`` its sentence."""
    explain_constraint(f"{noun}_revoked_by_two", "revocation.two_persons", TWO_PERSONS)


def contest(actor: Actor, now: datetime, row: Any, reason: str) -> Any:
    """Ask for a grant to be taken back: nothing of it is paid until that is decided. Plain, as all here; the row is locked."""
    why = required_text(reason, "reason", most=500)
    return move(actor, now, row, "contest", why=why, revoke_reason=why)


def uphold(actor: Actor, now: datetime, row: Any, reason: str) -> Any:
    """Leave a grant as it was: it is paid as before."""
    why = required_text(reason, "reason", most=500)
    return move(actor, now, row, "uphold", why=why, revoke_reason="", contested_by_id=None, contested_at=None)


def revoke(actor: Actor, now: datetime, row: Any, booked: Booked) -> Any:
    """Take a grant back, by another person than who asked: unpaid, its posting is reversed and its budget freed; paid, it is to come back."""
    if actor.user_id == row.contested_by_id:
        raise Refused("revocation.two_persons", TWO_PERSONS)
    is_paid = _is_paid(row, booked)
    sides = opposite(sides_of(row.posting))
    if is_paid:
        sides = [replace(side, account=TO_RECOVER) if side.amount > 0 else side for side in sides]
    post(
        actor, now, key=f"{booked.prefix}:{row.pk}:revoked", kind=REVOKED, text=N_("撤销 %(code)s") % {"code": row.code}, div=row.div,
        sides=sides, provider=row.posting.provider_id, elder=row.posting.elder_id, reverses=row.posting,
    )  # fmt: skip
    if not is_paid:
        booked.free(row, row.granted_fen)
    verb = "recover" if is_paid else "revoke"
    return move(actor, now, row, verb, why=row.revoke_reason, event=f"{_noun(row)}.revoke")


def _noun(row: Any) -> str:
    return f"{row._meta.app_label}.{row._meta.model_name}"  # noqa: SLF001 - Django's own names


def _owed(posting: Posting) -> Side:
    """The side by which a grant was owed, or was paid at once by the treasury itself."""
    return next(side for side in sides_of(posting) if side.amount < 0)


def _is_paid(row: Any, booked: Booked) -> bool:
    """Whether a grant has gone out. Refused while it stands in a batch: nobody knows yet. What the treasury pays itself has gone out at once.

    The payment is not locked: the bank's answer holds it and then waits for the grant (``returned_by_bank``).
    """
    if _owed(row.posting).account != booked.owed:
        return True
    with scope(reader(row.div), savepoint=False):  # the batch may be the city's
        line = PayoutLine.objects.filter(key=f"{booked.prefix}:{row.pk}", is_live=True).first()
    if line is not None and line.state != PayoutLineState.PAID:
        raise NotAllowed(
            "revocation.in_batch", N_("这笔款已列入拨付批次。请先移出批次；已送银行的，等银行回单以后再办")
        )
    return line is not None


def collect(actor: Actor, now: datetime, row: Any, booked: Booked, fen: int, voucher: str) -> Any:
    """Book what came back of a revoked payment, to the fund, year and budget it went out of; with the last fen the grant is cleared."""
    paper = required_text(voucher, "voucher", most=40)
    if not 0 < fen <= row.to_recover_fen:
        raise Refused(
            "revocation.too_much", N_("还应退回 %(left)s 元，请核对到账金额"), field="amount_fen", left=yuan(row.to_recover_fen)
        )  # fmt: skip
    key = f"{booked.prefix}:{row.pk}:{paper}"
    wait_for(key)
    if Posting.objects.filter(key=key).exists():
        raise Refused("revocation.voucher", N_("这张到账凭证已经登记过，请核对"), field="voucher")
    owed = _owed(row.posting).account
    return _come_back(actor, now, row, booked, fen, key=key, account=BANK if owed == booked.owed else owed, why=paper)


def returned_by_bank(actor: Actor, now: datetime, row: Any, booked: Booked) -> None:
    """The bank sends a payment back that was revoked by then: it has come back, and is not owed again."""
    if row.state == GrantState.RECOVERING:
        key = f"{booked.prefix}:{row.pk}:bank"
        _come_back(actor, now, row, booked, row.to_recover_fen, key=key, account=booked.owed, why=N_("银行退回"))


def _come_back(
    actor: Actor, now: datetime, row: Any, booked: Booked, fen: int, *, key: str, account: str, why: str
) -> Any:  # fmt: skip
    side = _owed(row.posting)
    sides = [replace(side, account=account, amount=fen), replace(side, account=TO_RECOVER, amount=-fen)]
    post(
        actor, now, key=key, kind=BACK, text=N_("追回 %(code)s %(why)s") % {"code": row.code, "why": why}, div=row.div, sides=sides,
        provider=row.posting.provider_id, elder=row.posting.elder_id,
    )  # fmt: skip
    booked.free(row, fen)
    verb = "clear" if fen == row.to_recover_fen else "collect"
    return move(actor, now, row, verb, why=why, event=f"{_noun(row)}.collect", recovered_fen=row.recovered_fen + fen)
