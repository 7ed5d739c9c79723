"""Reads of the hotline, one file per question."""

from yinling.hotline.queries.articles import (
    Found,
    all_articles,
    due_for_review,
    find_articles,
    readable_articles,
    templates,
    valid_articles,
)
from yinling.hotline.queries.callbacks import (
    CALLBACK_TABS,
    callback_counts,
    callback_list,
    next_callbacks,
    overdue_callbacks,
)
from yinling.hotline.queries.calls import (
    STREAM_KEY,
    ContactLine,
    Funding,
    Pop,
    calls_on_the_line,
    contacts_of,
    made_up_callers,
    pop,
    pop_calls,
    recent_calls,
    simulated_calls_waiting,
)
from yinling.hotline.queries.contracts import contracts, operator_statements
from yinling.hotline.queries.exchange import Outgoing, exchanges, outgoing, platforms
from yinling.hotline.queries.figures import Span, line_measures, of_days, places, waiting_now, work_of_seats
from yinling.hotline.queries.line import (
    LineStep,
    due_steps,
    duty_number,
    free_rows,
    present_seats,
    transfer_targets,
    waiting_rows,
)
from yinling.hotline.queries.quality import criteria, results, samples
from yinling.hotline.queries.recordings import (
    broken_recordings,
    due_recordings,
    is_intact,
    is_open_to,
    listeners,
    recordings_of,
    sound_of,
)
from yinling.hotline.queries.rosters import (
    absence_effect,
    candidates,
    covered_until,
    duty_rules,
    faults_of,
    groups_running_out,
    holes_of,
    is_running_out,
    leave_effect,
    posts_of,
    published_holes,
    rosters,
    seat_leaves,
    seat_of_user,
    seats_of_group,
    shares_of,
    shifts_ahead,
    shifts_of,
    swaps,
    unchecked_shifts,
)
from yinling.hotline.queries.staffing import (
    StaffingDefaults,
    call_history,
    duty_posts,
    handling_seconds,
    on_duty,
    staffing_defaults,
)
from yinling.hotline.queries.tickets import (
    LAST_TICKETS,
    TABS,
    Beside,
    beside,
    due_of,
    queue,
    queue_counts,
    queue_tab,
    received_at,
    recountable_tickets,
    tickets_of,
    with_beside,
)
from yinling.hotline.queries.triage import TicketTriage, triage_of
from yinling.hotline.queries.urging import SUPERVISED, Up, supervisions, to_escalate, to_remind_of

__all__ = [
    "CALLBACK_TABS", "LAST_TICKETS", "STREAM_KEY", "SUPERVISED", "TABS", "Beside", "ContactLine", "Found", "Funding", "LineStep", "Outgoing",
    "Pop", "Span", "StaffingDefaults", "TicketTriage", "Up", "absence_effect", "all_articles", "beside", "broken_recordings", "call_history",
    "callback_counts", "callback_list", "calls_on_the_line", "candidates", "contacts_of", "contracts", "covered_until", "criteria",
    "due_for_review", "due_of", "due_recordings", "due_steps", "duty_number", "duty_posts", "duty_rules", "exchanges", "faults_of",
    "find_articles", "free_rows", "groups_running_out", "handling_seconds", "holes_of", "is_intact", "is_open_to", "is_running_out",
    "leave_effect", "line_measures", "listeners", "made_up_callers", "next_callbacks", "of_days", "on_duty", "operator_statements", "outgoing",
    "overdue_callbacks", "places", "platforms", "pop", "pop_calls", "posts_of", "present_seats", "published_holes", "queue", "queue_counts",
    "queue_tab", "readable_articles", "received_at", "recent_calls", "recordings_of", "recountable_tickets", "results", "rosters", "samples",
    "seat_leaves", "seat_of_user", "seats_of_group", "shares_of", "shifts_ahead", "shifts_of", "simulated_calls_waiting", "sound_of",
    "staffing_defaults", "supervisions", "swaps", "templates", "tickets_of", "to_escalate", "to_remind_of", "transfer_targets", "triage_of",
    "unchecked_shifts", "valid_articles", "waiting_now", "waiting_rows", "with_beside", "work_of_seats",
]  # fmt: skip
