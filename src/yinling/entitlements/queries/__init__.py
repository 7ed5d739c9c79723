"""Reading what an elder may have, what is left of it, and who may have what."""

from yinling.entitlements.queries.agreements import (
    agreed,
    agreements,
    bought,
    ending_agreements,
    obstacle,
    purchases,
)
from yinling.entitlements.queries.exceptions import without_purchase
from yinling.entitlements.queries.funding import changes_of_terms, entitlements_of, funding_for, schemes
from yinling.entitlements.queries.lines import bearing_lines, entry_on, lines_shown, lottery_checks, planned_lines
from yinling.entitlements.queries.stops import last_day_of, resting_payers, to_be_stopped

__all__ = [
    "agreed",
    "agreements",
    "bearing_lines",
    "bought",
    "changes_of_terms",
    "ending_agreements",
    "entitlements_of",
    "entry_on",
    "funding_for",
    "last_day_of",
    "lines_shown",
    "lottery_checks",
    "obstacle",
    "planned_lines",
    "purchases",
    "resting_payers",
    "schemes",
    "to_be_stopped",
    "without_purchase",
]
