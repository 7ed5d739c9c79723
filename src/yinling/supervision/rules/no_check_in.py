"""Nobody at the door: no check-in so many minutes after the booked start."""

from ibis import ifelse
from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule, absent


def find(services: Table, _photos: Table) -> Table:
    """Orders nobody has started yet, and those started too late. An order given up before (cancelled, failed) is no absence.

    Of two carers each is looked at alone, also when the other began the service.
    """
    t = services.filter(services.is_current)
    open_states = ["placed", "accepted", "assigned", "in_service"]
    waiting = t.started_at.isnull() & t.order_state.isin(open_states) & (t.assignment_state.fill_null("") != "done")
    moment = ifelse(waiting, t.as_of, t.started_at)
    late = t.filter(moment > t.starts_at + t.visit_late_minutes * 60)
    return late.select(
        subject_id=ifelse(late.slot > 1, -late.order_id, late.order_id), order_id=late.order_id, visit_id=late.visit_id,
        staff_id=ifelse(late.assignment_state.isin(["accepted", "done"]), late.staff_id, absent()),
        happened_at=late.starts_at + late.visit_late_minutes * 60, starts_at=late.starts_at, started_at=late.started_at,
        limit_minutes=late.visit_late_minutes,
    )  # fmt: skip


RULE = Rule(
    code="no_check_in",
    title=N_("逾期未签到"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-04",
    parameters=("visit.late_minutes",),
    find=find,
)
