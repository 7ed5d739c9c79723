"""Claims to insurers: what may be sent, what came back, and how long answers take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from yinling.directory.rules import require
from yinling.entitlements.queries import agreed, obstacle
from yinling.entitlements.rules import Agreed
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.settlement import remitting
from yinling.settlement.files import Problem, named
from yinling.settlement.models import Claim, ClaimLine, Deduction, Posting, Remittance, Statement, StatementLine
from yinling.settlement.queries.files import Opened
from yinling.settlement.queries.statements import given_up, whole, whole_taken
from yinling.settlement.remitting import Answer, Known
from yinling.settlement.states import ClaimLineState, ClaimState, DecisionState
from yinling.settlement.tables import Left, Table

AGES = (30, 60, 90)
"""Days after which an open claim moves into the next column of the ageing table."""


def claim_payers(div: str, day: date) -> list[str]:
    """The payers that pay by claim and answer."""
    return list(parameter("claims.payers", div, day))


def refusal_reasons(div: str, day: date) -> dict[str, str]:
    """The payers' numbered reasons."""
    return dict(parameter("claims.refusal_reasons", div, day))


def claims(actor: Actor) -> QuerySet[Claim]:
    """Claims the actor may see, newest first, with what was paid and what is open of each."""
    require(actor, "settlement.claim.view")
    rows = Claim.objects.visible_to(actor).select_related("statement", "provider", "submitted_by")
    return with_sums(rows).order_by("-submitted_at", "-id")


def with_sums(rows: QuerySet[Claim]) -> QuerySet[Claim]:
    """Add what was paid, refused and is open of each claim."""
    of = {"line_count": Count("lines"), "paid_fen": Coalesce(Sum("lines__paid_fen"), Value(0))}
    waiting = Q(lines__state__in=[ClaimLineState.SUBMITTED, ClaimLineState.APPEALED])
    return rows.annotate(
        **of,
        open_fen=Coalesce(Sum(F("lines__claimed_fen") - F("lines__paid_fen"), filter=waiting), Value(0)),
        refused_count=Count("lines", filter=Q(lines__state=ClaimLineState.REFUSED)),
    )


def claim_totals(rows: QuerySet[Claim]) -> dict[str, int]:
    """Sums of the claims of a list that were not withdrawn."""
    lines = ClaimLine.objects.filter(claim__in=rows.order_by().values("pk")).exclude(claim__state=ClaimState.WITHDRAWN)
    # What was sent again is counted once: in the claim that carries it now.
    rest = Q(state=ClaimLineState.RESUBMITTED)
    open_ = Q(state__in=[ClaimLineState.SUBMITTED, ClaimLineState.APPEALED])
    owed = F("claimed_fen") - F("paid_fen")
    found = lines.aggregate(
        count=Count("claim", distinct=True),
        again_fen=Coalesce(Sum(owed, filter=rest), Value(0)), open_fen=Coalesce(Sum(owed, filter=open_), Value(0)),
        refused_fen=Coalesce(Sum(owed, filter=Q(state=ClaimLineState.REFUSED)), Value(0)),
        abandoned_fen=Coalesce(Sum(owed, filter=Q(state=ClaimLineState.ABANDONED)), Value(0)),
        claimed_fen=Coalesce(Sum("claimed_fen"), Value(0)), paid_fen=Coalesce(Sum("paid_fen"), Value(0)),
    )  # fmt: skip
    return found | {"claimed_fen": found["claimed_fen"] - found["again_fen"]}


@dataclass(frozen=True)
class Age:
    """What one payer has not answered, by days since it was sent."""

    payer: str
    fen: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.fen)


def ageing(actor: Actor, now: datetime) -> list[Age]:
    """Open amounts by payer: up to 30, 60, 90 days, and older."""
    require(actor, "settlement.claim.view")
    today = local_date(now)
    rows = ClaimLine.objects.visible_to(actor).filter(state__in=[ClaimLineState.SUBMITTED, ClaimLineState.APPEALED])
    found: dict[str, list[int]] = {}
    sums = rows.values("claim__payer", "claim__submitted_at__date").annotate(fen=Sum(F("claimed_fen") - F("paid_fen")))
    for row in sums.order_by("claim__payer"):
        days = (today - row["claim__submitted_at__date"]).days
        place = sum(days > age for age in AGES)
        found.setdefault(row["claim__payer"], [0] * (len(AGES) + 1))[place] += row["fen"]
    return [Age(payer, tuple(fen)) for payer, fen in found.items()]


def claim_lines(row: Claim) -> QuerySet[ClaimLine]:
    """The lines of a claim with what a reader checks them by; to be read ``whole``."""
    rows = ClaimLine.objects.filter(claim=row)
    return rows.select_related("line__charge__order", "line__charge__line").order_by("number")


def claimable(actor: Actor) -> QuerySet[Statement]:
    """Approved statements of payers that are paid by claim, with no claim that stands."""
    require(actor, "settlement.claim.view")
    standing = Claim.objects.filter(~Q(state=ClaimState.WITHDRAWN), statement=OuterRef("pk"))
    rows = Statement.objects.visible_to(actor).filter(~Exists(standing), state=DecisionState.APPROVED)
    return rows.select_related("provider").order_by("month", "id")


OUTSIDE = "108"
"""The reason with which the platform itself refuses what lies outside an agreement."""


def outside_agreement(row: Statement, lines: Iterable[StatementLine]) -> set[int]:
    """The lines of a statement that its payer, which pays only under an agreement, has not agreed to pay this provider (R-LTC-05)."""
    if row.payer not in parameter("payers.needs_agreement", row.div, row.month):
        return set()
    found: dict[date, list[Agreed]] = {}
    outside = set()
    shown = StatementLine.objects.filter(pk__in=[line.pk for line in lines])
    with whole(row):
        services = list(shown.values_list("pk", "charge__service_day", "charge__line__item__code"))
    for pk, day, code in services:
        if day not in found:
            found[day] = agreed(row.provider_id, {row.payer}, day).get(row.payer, [])
        if obstacle(found[day], code):
            outside.add(pk)
    return outside


def claimed_amounts(row: Statement) -> dict[StatementLine, int]:
    """What is claimed for each line of a statement: less what was booked off it. What was refused of earlier ones is not claimed again."""
    with whole(row):
        live = StatementLine.objects.filter(statement=row, is_live=True).select_related("charge")
        lines = {line.pk: line for line in live}
    off = Counter(whole_taken(row))
    for pk, fen in Deduction.objects.filter(statement=row, line__in=lines).values_list("line", "amount_fen"):
        off[pk] += fen
    off.subtract(_never_paid(row, lines.values()))
    left = {line: line.charge.amount_fen - off[pk] for pk, line in sorted(lines.items())}
    return {line: fen for line, fen in left.items() if fen}


def _never_paid(row: Statement, lines: Iterable[StatementLine]) -> dict[int, int]:
    """What lines that take a charge back are less to a payer that had refused the charge: it never paid that, and is not asked again."""
    backs = StatementLine.objects.filter(
        pk__in=[line.pk for line in lines if line.charge.amount_fen < 0], charge__posting__reverses__isnull=False
    )
    columns = ("pk", "charge__posting__reverses", "charge__line", "charge__entitlement")
    with whole(row):
        places = {tuple(charge): pk for pk, *charge in backs.values_list(*columns)}
        refused = given_up(row, ClaimLineState.REFUSED).filter(
            line__charge__posting__in={posting for posting, *_charge in places}
        )
        columns = ("left_fen", "line__charge__posting", "line__charge__line", "line__charge__entitlement")
        return {places[tuple(charge)]: fen for fen, *charge in refused.values_list(*columns) if tuple(charge) in places}


def reversed_lines(lines: Iterable[ClaimLine]) -> list[ClaimLine]:
    """The lines whose service was taken back since: nobody is asked for it any more."""
    shown = {line.pk: line for line in lines}
    gone = Posting.objects.filter(reverses=OuterRef("line__charge__posting"))
    return [shown[pk] for pk in ClaimLine.objects.filter(Exists(gone), pk__in=shown).values_list("pk", flat=True)]


def number_of(code: str) -> int | None:
    """Return the claim that a code names by its number: C-2606-0012-1."""
    parts = code.split("-")
    place = 2
    fits = len(parts) == place + 2 and parts[place].isascii() and parts[place].isdigit() and len(parts[place]) <= 18  # noqa: PLR2004 - a bigint
    return int(parts[place]) if fits else None


def known_lines(answers: Iterable[Answer]) -> dict[tuple[str, int], ClaimLine]:
    """The lines that answers name, by claim code and number, as far as the actor may see them."""
    wanted = {pk for answer in answers if (pk := number_of(answer.claim)) is not None}
    rows = ClaimLine.objects.filter(claim__in=wanted).select_related("claim").order_by("pk")
    return {(row.claim.code, row.number): row for row in rows}


def as_known(rows: dict[tuple[str, int], ClaimLine]) -> dict[tuple[str, int], Known]:
    """Return lines as the rules see them."""
    return {
        address: Known(row.pk, row.claim.payer, str(row.state), row.claimed_fen, row.paid_fen, row.refusal) for address, row in rows.items()
    }  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """A file of answers as it would be read: its lines, every fault, and what it would pay."""

    answers: Sequence[Answer]
    problems: Sequence[Problem]
    lines: dict[tuple[str, int], ClaimLine]
    table: Table

    @property
    def left(self) -> Sequence[Left]:
        """The lines that answer nothing."""
        return self.table.left

    @property
    def paid_fen(self) -> int:
        """What the file pays beyond what is paid already."""
        return sum(self.new_fen(one) for one in self.answers)

    def new_fen(self, answer: Answer) -> int:
        """What one answer pays beyond what is paid already."""
        line = self.lines.get(answer.address)
        return answer.paid_fen - line.paid_fen if line else 0

    @property
    def refused_count(self) -> int:
        """How many lines are refused, in part or whole."""
        return sum(bool(one.refusal) for one in self.answers)


def preview_remittance(actor: Actor, payer: str, file: Opened, day: date) -> Preview:
    """Read a file without anything counting."""
    require(actor, "settlement.remittance.load")
    table = file.table()
    answers, problems = remitting.read(table)
    lines = known_lines(answers)
    found = remitting.check(answers, as_known(lines), payer=payer, reasons=refusal_reasons(actor.div or "", day))
    return Preview(answers, named(table, [*problems, *found]), lines, table)


def remittances(actor: Actor) -> QuerySet[Remittance]:
    """Files of answers that were read, newest first."""
    require(actor, "settlement.claim.view")
    return Remittance.objects.visible_to(actor).select_related("loaded_by").order_by("-loaded_at", "-id")


def refused_lines(actor: Actor) -> QuerySet[Any]:
    """Refused lines on which somebody has to decide, oldest first."""
    require(actor, "settlement.claim.view")
    rows = ClaimLine.objects.visible_to(actor).filter(state=ClaimLineState.REFUSED)
    return rows.select_related("claim", "provider", "line__charge__order", "line__charge__line").order_by(
        "claim_id", "number"
    )
