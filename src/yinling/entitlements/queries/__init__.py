"""Reading what an elder may have, what is left of it, and who may have what."""

from yinling.entitlements.queries.funding import entitlements_of, funding_for, remaining, schemes
from yinling.entitlements.queries.stops import last_day_of, resting_payers, to_be_stopped

__all__ = [
    "entitlements_of",
    "funding_for",
    "last_day_of",
    "remaining",
    "resting_payers",
    "schemes",
    "to_be_stopped",
]
