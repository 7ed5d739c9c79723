"""The base of all writing: one transaction, one right, one journal row, and one row for a refusal."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from yinling.accounts.models import Journal
from yinling.accounts.operations import digest_of, record
from yinling.directory.rules import require
from yinling.ground.idempotency import once
from yinling.ground.models import CalendarDay, IdempotencyKey
from yinling.ground.operation import REGISTRY, changed, locked, operation
from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused, Stale
from yinling.people.models import Household

NOW = datetime(2026, 2, 13, 1, 0, tzinfo=UTC)
RIGHT = "people.elder.update"
CLERK = Actor(None, "张三", "community", frozenset({RIGHT}), div="3202")


@pytest.fixture(autouse=True)
def _own_registry() -> None:
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def build(body, name="try_it"):
    def try_it(
        *, actor: Actor, now: datetime, elder_id: Id, note: Annotated[str, Input("说明")] = "", seen: Seen = None
    ):
        require(actor, RIGHT, div="320205")
        return body(actor, now, elder_id, note, seen)

    try_it.__name__ = name
    return operation(RIGHT, label="修改")(try_it)


def test_two_operations_never_share_a_name():
    build(lambda *_: None)
    with pytest.raises(ValueError, match="try_it"):
        build(lambda *_: None)


def home() -> Household:
    return Household.objects.create(
        div="320205001001", address="示例路1号", door_code="a", created_at=NOW, changed_at=NOW
    )


@pytest.mark.django_db(transaction=True)
def test_an_operation_writes_its_row_and_its_journal_row() -> None:
    def move(actor, now, _elder, note, seen):
        row = locked(Household.objects.all(), home().pk, seen)
        changes = changed(row, now=now, address="示例路2号")
        record(actor=actor, now=now, event=RIGHT, subject=row, changes=changes, reason=note)
        return row

    with scope(CLERK):
        row = build(move)(actor=CLERK, now=NOW, elder_id=1, note="搬家")
        written = Journal.objects.get()
    assert row.version == 1
    assert (written.event, written.role, written.reason, written.subject_id) == (RIGHT, "community", "搬家", row.pk)
    assert written.changes == {"address": ["示例路1号", "示例路2号"]}
    assert bytes(written.digest) == digest_of(written)
    assert written.is_refused is False


@pytest.mark.django_db(transaction=True)
def test_a_refusal_leaves_one_journal_row_and_nothing_else() -> None:
    def refuse(_actor, _now, _elder, _note, _seen):
        home()
        raise Refused("elder.reason", "不可以：%(n)s", n=3)

    with pytest.raises(Refused), scope(CLERK):
        build(refuse)(actor=CLERK, now=NOW, elder_id=7, note="秘密")
    with scope(CLERK):
        assert Household.objects.count() == 0
        written = Journal.objects.get()
    assert (written.is_refused, written.code, written.subject_id, written.elder_id) == (True, "elder.reason", 7, 7)
    assert written.changes == {"asked": {"elder_id": 7}, "why": {"n": 3}}
    assert "秘密" not in str(written.changes)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_caught_by_a_screen_is_journalled_after_the_screens_own_transaction() -> None:
    def refuse(_actor, _now, _elder, _note, _seen):
        raise Refused("elder.reason", "不可以")

    with scope(CLERK):
        with pytest.raises(Refused):
            build(refuse)(actor=CLERK, now=NOW, elder_id=7)
        assert Journal.objects.count() == 0
    with scope(CLERK):
        assert Journal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_operation_inside_another_leaves_the_refusal_to_the_outer_one() -> None:
    def refuse(_actor, _now, _elder, _note, _seen):
        raise Refused("inner", "不可以")

    inner = build(refuse)

    def call(actor, now, elder, _note, _seen):
        return inner(actor=actor, now=now, elder_id=elder)

    outer = build(call, "try_again")
    with pytest.raises(Refused), scope(CLERK):
        outer(actor=CLERK, now=NOW, elder_id=7)
    with scope(CLERK):
        assert Journal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_right_the_sentence_names_who_could() -> None:
    nobody = Actor(None, "李四", "volunteer", frozenset(), div="3202")
    with pytest.raises(Denied) as caught, scope(nobody):
        build(lambda *_: None)(actor=nobody, now=NOW, elder_id=1)
    assert caught.value.code == "right.missing"
    assert "社区工作人员" in caught.value.detail


@pytest.mark.django_db
def test_an_operation_that_forgets_its_journal_row_is_a_fault() -> None:
    with pytest.raises(RuntimeError, match="journal"), scope(CLERK):
        build(lambda *_: None)(actor=CLERK, now=NOW, elder_id=1)


@pytest.mark.django_db
def test_a_stale_page_and_a_missing_row_are_told_apart() -> None:
    with scope(CLERK):
        row = home()
        changed(row, now=NOW, address="示例路3号")
        with pytest.raises(Stale), transaction.atomic():
            locked(Household.objects.all(), row.pk, 0)
        with pytest.raises(NotFound), transaction.atomic():
            locked(Household.objects.all(), row.pk + 1)
        assert locked(Household.objects.all(), row.pk, 1).pk == row.pk
        with pytest.raises(NotFound):
            locked(Household.objects.exclude(door_code="a"), row.pk)


@pytest.mark.django_db
def test_what_the_database_refuses_becomes_a_sentence() -> None:
    def twice(actor, now, _elder, _note, _seen):
        row = home()
        record(actor=actor, now=now, event=RIGHT, subject=row)
        return home()

    with pytest.raises(Refused) as caught, scope(CLERK):
        build(twice)(actor=CLERK, now=NOW, elder_id=1)
    assert caught.value.code == "database.twice"


@pytest.mark.django_db
def test_the_journal_cannot_be_changed() -> None:
    with scope(CLERK):
        record(actor=CLERK, now=NOW, event=RIGHT, subject=home())
        for change in (lambda: Journal.objects.update(reason="x"), lambda: Journal.objects.all().delete()):
            with pytest.raises(Exception, match=r"permission denied|Cannot"), transaction.atomic():
                change()
        assert Journal.objects.get().reason == ""


def test_arguments_are_read_from_annotations() -> None:
    build(lambda *_: None)
    arguments = {one.name: one for one in REGISTRY["try_it"].arguments}
    assert list(arguments) == ["elder_id", "note", "seen"]
    assert arguments["elder_id"].required
    assert arguments["note"].input.label == "说明"
    assert REGISTRY["try_it"].row_argument == "elder_id"


def test_an_argument_without_input_is_a_fault() -> None:
    @operation(RIGHT)
    def wrong(*, actor: Actor, now: datetime, elder: int) -> None:
        """Never called."""

    with pytest.raises(TypeError, match="Input"):
        _ = REGISTRY["wrong"].arguments


@pytest.mark.django_db
def test_not_allowed_is_a_conflict() -> None:
    assert (NotAllowed.status, Stale.status, Refused.status, Denied.status, NotFound.status) == (
        409,
        409,
        422,
        403,
        404,
    )
    assert CalendarDay.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_refusal_inside_another_persons_scope_is_journalled_as_the_one_who_asked() -> None:
    def refuse(_actor, _now, _elder, _note, _seen):
        raise Refused("inner", "不可以")

    nobody = Actor(None, "手机", "family", CLERK.rights)
    with scope(nobody), pytest.raises(Refused), scope(CLERK):
        build(refuse)(actor=CLERK, now=NOW, elder_id=7)
    with scope(CLERK):
        assert Journal.objects.get().code == "inner"


@pytest.mark.django_db(transaction=True)
def test_inside_once_a_refusal_undoes_everything_and_leaves_the_connection_usable() -> None:
    def fail(actor, now, _elder, _note, _seen):
        CalendarDay.objects.create(day="2031-01-01", kind="holiday", name="元旦", source="t")
        raise Refused("no", "不")

    run = build(fail)
    with scope(CLERK), pytest.raises(Refused):
        once(user_id=1, key="k", route="/x", body={}, perform=lambda: (200, run(actor=CLERK, now=NOW, elder_id=1)))
    with scope(CLERK):
        assert not CalendarDay.objects.exists()
        assert not IdempotencyKey.objects.exists()
        assert Journal.objects.filter(is_refused=True, code="no").count() == 1


@pytest.mark.django_db(transaction=True)
def test_inside_once_an_operation_takes_no_savepoint_of_its_own_but_those_inside_it_do() -> None:
    def write(actor, now, _elder, note, _seen):
        record(actor=actor, now=now, event=RIGHT, subject=Household(pk=1, div="320205001001"), changes={})
        return note == "outer" and inner(actor=actor, now=now, elder_id=1)

    inner, outer = build(write, "inner_one"), build(write, "outer_one")

    def savepoints(run):
        with scope(CLERK), CaptureQueriesContext(connection) as asked:
            run()
        return sum(one["sql"].startswith("SAVEPOINT") for one in asked)

    def both():
        return outer(actor=CLERK, now=NOW, elder_id=1, note="outer")

    assert savepoints(both) == 2
    assert savepoints(lambda: once(user_id=1, key="k", route="/x", body={}, perform=lambda: (200, both()))) == 2


@pytest.mark.django_db(transaction=True)
def test_inside_once_a_step_refused_in_a_scope_of_its_own_undoes_nothing_else() -> None:
    """As what follows on a screen's operation: a job's steps, of which one that is refused waits for the next round."""

    def write(actor, now, elder_id, note, _seen):
        CalendarDay.objects.create(day=f"2031-01-0{elder_id}", kind="holiday", name="元旦", source="t")
        record(actor=actor, now=now, event=RIGHT, subject=Household(pk=1, div="320205001001"), changes={})
        if note == "late":
            raise Refused("late", "晚")

    run = build(write)

    def effect():
        run(actor=CLERK, now=NOW, elder_id=1)
        done = [tried(CLERK, NOW, run, elder_id=pk, note=note) for pk, note in ((2, "late"), (3, ""))]
        return 200, {"done": done}

    with scope(CLERK):
        assert once(user_id=1, key="k", route="/x", body={}, perform=effect)[1] == {"done": [False, True]}
    with scope(CLERK):
        assert [str(row.day) for row in CalendarDay.objects.order_by("day")] == ["2031-01-01", "2031-01-03"]
        assert Journal.objects.filter(is_refused=True, code="late").count() == 1
        assert IdempotencyKey.objects.get().answer == {"done": [False, True]}
