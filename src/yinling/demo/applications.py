"""A few applications in every state, played by the demonstration's own logins through the operations, so that their pages have content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from yinling.demo.elders import People
from yinling.demo.logins import actor_of
from yinling.directory.queries import ancestors
from yinling.entitlements.models import Application, Entitlement, Scheme
from yinling.entitlements.operations import (
    apply_for,
    approve_application,
    confirm_budget,
    publish_notice,
    raise_objection,
    refuse_application,
    review_application,
    set_budget,
    verdict,
    withdraw_application,
)
from yinling.entitlements.queries.procedures import procedure_of
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.people.models import Circumstance, Elder

CODE, KIND, PLACES = "government_purchase", "dibao", 2
WANTED = 13


class Clerks:
    """The demonstration's logins, acting so many days ago. Their grants do not change meanwhile: each is read once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.known: dict[str, Actor] = {}

    def actor(self, username: str) -> Actor:
        """Return a login as actor."""
        if username not in self.known:
            self.known[username] = actor_of(username, self.now)
        return self.known[username]

    def act(self, username: str, days_ago: float, operation: Any, **arguments: Any) -> Any:
        """Let a login carry out an operation."""
        moment = self.now - timedelta(days=days_ago)
        actor = self.actor(username)
        with scope(actor):
            return operation(actor=actor, now=moment, **arguments)

    def applied(self, elder: Elder, days_ago: float, **values: Any) -> Application:
        """Take an application down at the street's desk."""
        asked = {"elder_id": elder.pk, "scheme_code": CODE, "applied_as": "self"} | values
        return self.act("street", days_ago, apply_for, **asked)  # type: ignore[no-any-return]

    def reviewed(
        self, elder: Elder, days_ago: float, outcome: str = "pass", findings: str = "已入户核实，情况属实"
    ) -> Application:
        """Take one down and look into it three days later."""
        row = self.applied(elder, days_ago)
        return self.act(  # type: ignore[no-any-return]
            "street", days_ago - 3, review_application, application_id=row.pk, outcome=outcome, findings=findings
        )


def load_applications(people: People, now: datetime) -> int:
    """Play the applications of the demonstration's own street; return how many. A city without the scheme gets none."""
    assert people.demo is not None  # noqa: S101 - made by the steps before
    div, clerks = people.demo.div[:9], Clerks(now)
    scheme = Scheme.objects.filter(code=CODE, div__in=ancestors(div)).first()
    if scheme is None or procedure_of(CODE, div, local_date(now)) is None:
        return 0
    found = list(_candidates(scheme, people, div, now))
    if len(found) < WANTED:
        return 0
    year = local_date(now).year
    for one in (year, year + 1):
        row = clerks.act(
            "district",
            45,
            set_budget,
            scheme_code=CODE,
            div=people.demo.div[:6],
            year=one,
            heads=PLACES,
            document="演示用预算（虚构）",
        )
        clerks.act("finance", 44, confirm_budget, budget_id=row.pk)
    _play(clerks, scheme, iter(found))
    return Application.objects.filter(scheme=scheme).count()


def _candidates(scheme: Scheme, people: People, div: str, now: datetime) -> Iterator[Elder]:
    """Elders of the street who hold nothing of the scheme and meet its conditions, once they are on dibao."""
    since = local_date(now) - timedelta(days=200)
    held = set(Entitlement.objects.filter(scheme=scheme).values_list("elder_id", flat=True))
    near = [
        one
        for one in people.elders
        if one.div.startswith(div) and one.pk not in held and not one.died_on and one is not people.demo
    ]
    count = 0
    for elder in near:
        if count == WANTED:
            return
        if not Circumstance.objects.filter(elder=elder, kind=KIND, recorded_to=None).exists():
            Circumstance.objects.create(
                div=elder.div,
                elder=elder,
                kind=KIND,
                body="民政部门",
                valid_from=since,
                recorded_from=now - timedelta(days=199),
            )
        if all(verdict(elder, scheme, local_date(now) - timedelta(days=ago)).is_eligible for ago in (0, 60)):
            count += 1
            yield elder


def _play(clerks: Clerks, scheme: Scheme, elders: Iterator[Elder]) -> None:
    """Two approved and one waiting for a place; one that can be approved and one with an objection; and one or two of each state before."""
    early = [clerks.reviewed(next(elders), 30) for _ in range(PLACES + 2)]
    _publish(clerks, scheme, early, 26)
    for row in early[:-1]:
        clerks.act("district", 12, approve_application, application_id=row.pk)
    hanging = [clerks.reviewed(next(elders), 10) for _ in range(2)]
    _publish(clerks, scheme, hanging, 2)
    clerks.act(
        "seat", 1, raise_objection, application_id=hanging[0].pk, name="匿名群众", text="听说此户子女在外地有两套住房，请核实（虚构）",
    )  # fmt: skip
    clerks.reviewed(next(elders), 8)
    clerks.reviewed(next(elders), 7, "return", "缺低保证复印件")
    refused = clerks.reviewed(next(elders), 25)
    clerks.act("district", 15, refuse_application, application_id=refused.pk, reason="核对发现名下有经营性房产（虚构）")
    withdrawn = clerks.applied(next(elders), 9)
    clerks.act("street", 6, withdraw_application, application_id=withdrawn.pk, reason="本人改由子女照料")
    clerks.applied(next(elders), 24)
    clerks.applied(next(elders), 1)


def _publish(clerks: Clerks, scheme: Scheme, rows: list[Application], days_ago: float) -> None:
    clerks.act(
        "street",
        days_ago,
        publish_notice,
        scheme_id=scheme.pk,
        application_ids=[row.pk for row in rows],
        place="街道便民服务中心公示栏",
    )
