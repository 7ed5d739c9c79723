"""Reads of the hotline, one file per question."""

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
from yinling.hotline.queries.tickets import (
    LAST_TICKETS,
    TABS,
    due_of,
    queue,
    queue_counts,
    queue_tab,
    received_at,
    recountable_tickets,
    tickets_of,
)

__all__ = [
    "LAST_TICKETS", "STREAM_KEY", "TABS", "ContactLine", "Funding", "Pop", "calls_on_the_line", "contacts_of", "due_of", "made_up_callers",
    "pop", "pop_calls", "queue", "queue_counts", "queue_tab", "received_at", "recent_calls", "recountable_tickets",
    "simulated_calls_waiting", "tickets_of",
]  # fmt: skip
