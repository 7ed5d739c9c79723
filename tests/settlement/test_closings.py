"""A month of a city's books is closed by two persons, in its turn, and then nothing is booked into it."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories import CITY, COMMUNITY, DISTRICT, actor, make_area_tree, make_organisation, system

from yinling.accounts.models import Journal
from yinling.ground.scope import OpenScope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refusal, Refused
from yinling.settlement.models import Closing, LedgerEntry, Statement
from yinling.settlement.operations import close_closing, post, propose_closing
from yinling.settlement.rules import Side, unbalanced

pytestmark = pytest.mark.usefixtures("wide")
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
IN_JUNE, IN_JULY = datetime(2026, 6, 15, 2, tzinfo=UTC), datetime(2026, 7, 3, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tree(wide: OpenScope) -> None:
    make_area_tree()


@pytest.fixture
def finance() -> Actor:
    return actor("finance", CITY)


def booked(fen: int = 500, at: datetime = IN_JUNE) -> None:
    sides = [Side("bank", fen, "eldercare", "general"), Side("donation.received", -fen, "eldercare", "general")]
    post(system(), at, key=f"{at}:{fen}", kind="donation", text="", div=COMMUNITY, sides=sides)


def propose(who: Actor, at: datetime = IN_JULY, month: date = JUNE, div: str = CITY) -> Closing:
    return propose_closing(actor=who, now=at, month=month, div=div)


def refuses(code: str, kind: type[Refusal] = Refused) -> pytest.RaisesExc:
    return pytest.raises(kind, check=lambda refusal: refusal.code == code)


@pytest.mark.req("R-FUN-10")
def test_one_proposes_another_closes_and_late_items_go_to_the_next_month(finance: Actor) -> None:
    booked()
    row = propose(finance)
    assert row.figures == [
        {"account": "bank", "business": "eldercare", "fund": "general", "unit": "fen", "moved": 500, "balance": 500, "count": 1},
        {"account": "donation.received", "business": "eldercare", "fund": "general", "unit": "fen", "moved": -500, "balance": -500, "count": 1},
    ]  # fmt: skip
    with refuses("closing.two_persons"):
        close_closing(actor=finance, now=IN_JULY, closing_id=row.pk)
    other = actor("finance", CITY)
    closed = close_closing(actor=other, now=IN_JULY, closing_id=row.pk, seen=row.version)
    assert (closed.closed_by_id, closed.closed_at) == (other.user_id, IN_JULY)
    booked(7)
    assert set(LedgerEntry.objects.filter(posting__key=f"{IN_JUNE}:7").values_list("period", flat=True)) == {JULY}
    assert Journal.objects.filter(event__startswith="settlement.closing.", is_refused=False).count() == 2
    with refuses("closing.closed", NotAllowed):
        propose(finance)
    with refuses("closing.closed", NotAllowed):
        close_closing(actor=other, now=IN_JULY, closing_id=row.pk)


def test_figures_that_changed_are_proposed_again(finance: Actor) -> None:
    booked()
    row = propose(finance)
    booked(9)
    with refuses("closing.changed"):
        close_closing(actor=actor("finance", CITY), now=IN_JULY, closing_id=row.pk)
    row.refresh_from_db()
    assert row.closed_at is None
    again = propose(actor("finance", CITY))
    assert again.pk == row.pk
    close_closing(actor=finance, now=IN_JULY, closing_id=row.pk)
    assert Closing.objects.get().closed_by_id == finance.user_id


def test_months_close_in_their_order_after_their_end_and_with_all_statements_decided(finance: Actor) -> None:
    booked()
    booked(3, IN_JULY)
    with refuses("closing.not_over"):
        propose(finance, IN_JUNE)
    with refuses("closing.earlier"):
        propose(finance, datetime(2026, 8, 2, 2, tzinfo=UTC), JULY)
    body = make_organisation()
    Statement.objects.create(
        div=body.div, provider=body, payer="voucher", month=JUNE, total_fen=1, line_count=1, drafted_at=IN_JULY, drafted_by_id=finance.user_id,
        created_at=IN_JULY, changed_at=IN_JULY,
    )  # fmt: skip
    with refuses("closing.statements"):
        propose(finance)
    assert not Closing.objects.exists()


def test_books_close_by_city_and_only_whoever_answers_for_it_closes_them(finance: Actor) -> None:
    booked()
    with refuses("closing.city"):
        propose(finance, div=DISTRICT)
    with pytest.raises(Denied):
        propose(actor("finance", DISTRICT))
    with pytest.raises(Denied):
        propose(actor("auditor", CITY))
    with pytest.raises(Denied):
        close_closing(actor=actor("auditor", CITY), now=IN_JULY, closing_id=propose(finance).pk)
    assert Closing.objects.get().closed_at is None


def test_movements_that_do_not_cancel_out_are_named() -> None:
    rows = [{"unit": "fen", "moved": 5}, {"unit": "fen", "moved": -4}, {"unit": "minute", "moved": 0}]
    assert unbalanced(rows) == {"fen": 1}


def test_proposing_and_closing_wait_in_the_same_order(finance: Actor) -> None:
    """First for the row, then for the books: two who wait the other way round wait for each other."""
    booked()
    row = propose(finance)
    for act in (
        lambda: propose(finance),
        lambda: close_closing(actor=actor("finance", CITY), now=IN_JULY, closing_id=row.pk),
    ):
        with CaptureQueriesContext(connection) as seen:
            act()
        sql = [one["sql"] for one in seen.captured_queries]
        first = next(place for place, one in enumerate(sql) if "FOR UPDATE" in one and "settlement_closing" in one)
        assert first < next(place for place, one in enumerate(sql) if "hashtext('settlement.closing')" in one)
