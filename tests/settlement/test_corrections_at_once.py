"""Several people who correct money at the same moment: it is booked once, and nobody waits for who waits for them."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from tests.factories import NOW, WIDE, actor, city
from tests.settlement.stated import exported
from tests.settlement.test_distribution_corrections import AFTER, booked, corrected, owed_to_staff
from tests.settlement.test_distributions import body_with_two, draft
from tests.settlement.test_payouts_at_once import at_once
from tests.settlement.test_reimbursements import approved, promised, spent
from tests.settlement.test_revoking import WHY, with_account_of

from yinling.directory.models import Organisation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.settlement.models import PayoutLine
from yinling.settlement.operations import approve_distribution, contest_reimbursement, revoke_reimbursement
from yinling.settlement.operations.ledger import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"


def beside(pool: ThreadPoolExecutor, who: Actor, perform: Callable[[Actor], Any]) -> Future[list[str]]:
    """Begin a call in a transaction of its own; return when it is done, or waits for a lock that is held here."""
    call = pool.submit(at_once, [(who, perform)])
    with connection.cursor() as cursor:
        while not call.done():
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                break
            time.sleep(0.01)
    return call


def test_of_many_who_book_a_correction_one_does() -> None:
    with scope(WIDE):
        city()
        body, *_people = body_with_two()
        row = corrected(booked(draft(body)), cost_fen=7_000)
        people = [actor("finance") for _ in range(4)]
    calls = [(who, lambda who: approve_distribution(actor=who, now=AFTER, distribution_id=row.pk)) for who in people]
    assert at_once(calls) == ["done", *["state.not_allowed"] * 3]
    with scope(WIDE):
        assert owed_to_staff() == 15_400


def test_who_drafts_a_distribution_holds_nothing_that_who_books_one_needs() -> None:
    with scope(WIDE):
        city()
        body, *_people = body_with_two()
        who = actor("provider_manager", organisation=body)
    with ThreadPoolExecutor(1) as pool:
        with scope(WIDE), transaction.atomic():
            wait_for(f"distribution:{body.pk}")
            call = beside(pool, who, lambda who: draft(body, who))
            assert not call.done()
            list(Organisation.objects.select_for_update(nowait=True).filter(pk=body.pk))
        assert call.result() == ["done"]


def test_who_revokes_does_not_wait_for_the_banks_answer_which_waits_for_the_grant() -> None:
    with scope(WIDE):
        row = approved(spent(120_000, promised()))
        with_account_of(row.elder_id)
        line = exported([f"reimbursement:{row.pk}"]).lines.get()
        contest_reimbursement(actor=actor("finance"), now=NOW, reimbursement_id=row.pk, reason=WHY)
        who = actor("finance")
    with ThreadPoolExecutor(1) as pool, scope(WIDE), transaction.atomic():
        list(PayoutLine.objects.select_for_update().filter(pk=line.pk))
        call = beside(pool, who, lambda who: revoke_reimbursement(actor=who, now=NOW, reimbursement_id=row.pk))
        assert call.done()
        assert call.result() == ["revocation.in_batch"]
