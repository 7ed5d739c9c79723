"""Taking an approved subsidy back that was wrong: asked for by one person, agreed by another, told to the body."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from yinling.accounts.operations import Message, Recipient, notify_each
from yinling.directory.deciding import taken_up
from yinling.directory.models import Grant
from yinling.directory.queries import system_actor
from yinling.directory.states import GrantState as Login
from yinling.entitlements.operations import spend
from yinling.ground.operation import locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.money import yuan
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.queries.subsidies import OWED, PREFIX
from yinling.settlement.models import PayoutLine, Posting
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
from yinling.settlement.queries.payables import number_of

explain_revocation("subsidy")


@operation("subsidies.subsidy.contest", label=N_("提请撤销"))
def contest_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, reason: Reason, seen: Seen = None) -> Subsidy:
    """Ask for an approved subsidy to be taken back, with the reason that the body will read."""
    return contest(actor, now, _taken(actor, subsidy_id, seen, "contest"), reason)


@operation("subsidies.subsidy.uphold", label=N_("维持审定"))
def uphold_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, reason: Reason, seen: Seen = None) -> Subsidy:
    """Leave a contested subsidy as it was approved."""
    return uphold(actor, now, _taken(actor, subsidy_id, seen, "uphold"), reason)


@operation("subsidies.subsidy.revoke", label=N_("同意撤销"))
def revoke_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, seen: Seen = None) -> Subsidy:
    """Take it back, by another person than who asked: the line is free again, or once the money has come back; the body is told why."""
    row = revoke(actor, now, _taken(actor, subsidy_id, seen, "revoke"), BOOKED)
    _tell_body(now, row)
    return row


@operation("subsidies.subsidy.collect", label=N_("登记追回到账"))
def collect_subsidy(
    *, actor: Actor, now: datetime, subsidy_id: Id, amount_fen: Back, voucher: Voucher, seen: Seen = None
) -> Subsidy:  # fmt: skip
    """Book what a body paid back, to the fund and year of its line; the line may spend it again."""
    return collect(actor, now, _taken(actor, subsidy_id, seen, "collect"), BOOKED, amount_fen, voucher)


def after_payment(actor: Actor, now: datetime, line: PayoutLine, posting: Posting | None) -> None:
    """Follow up what the bank says of a payment: one that it sends back after it was revoked has come back."""
    if posting is None:
        returned_by_bank(actor, now, locked(_rows(), number_of(line.key)), BOOKED)


def _rows() -> QuerySet[Subsidy]:
    return Subsidy.objects.select_related("line", "provider")


def _taken(actor: Actor, subsidy_id: int, seen: int | None, verb: str) -> Subsidy:
    return taken_up(actor, _rows(), subsidy_id, seen, verb)


def _free(row: Subsidy, fen: int) -> None:
    spend(row.line_id, -fen)


BOOKED = Booked(PREFIX, OWED, _free)


def _tell_body(now: datetime, row: Subsidy) -> None:
    """Leave a message with everybody who acts for the body."""
    said = {"code": row.code, "why": row.revoke_reason, "fen": yuan(row.to_recover_fen)}
    text = N_("补助 %(code)s 已撤销：%(why)s。可以改正后重新登记")
    if row.to_recover_fen:
        text = N_("补助 %(code)s 已撤销：%(why)s。已付的 %(fen)s 元请退回，退回后可以改正重新登记")
    with scope(system_actor(row.div[:2]), savepoint=False):
        users = Grant.objects.filter(organisation=row.provider_id, state=Login.ACTIVE, user__is_active=True)
        found = sorted(set(users.values_list("user_id", flat=True))) if row.provider_id else []
        notify_each(
            now=now,
            messages=[
                Message(row, Recipient(user_id=user), f"revoked:subsidy:{row.pk}:{user}", N_("补助已撤销"), text % said, f"/subsidies/{row.pk}/")
                for user in found
            ],
        )  # fmt: skip
