"""Reading, one file per noun."""

from yinling.programmes.family_doctor.queries.calls import Groups, call_list, groups, groups_of
from yinling.programmes.family_doctor.queries.contracts import (
    Names,
    contracts,
    contracts_of_leavers,
    doctors_of,
    last_day,
    moved,
    names_of,
    signed_until,
    usage,
)

__all__ = [
    "Groups",
    "Names",
    "call_list",
    "contracts",
    "contracts_of_leavers",
    "doctors_of",
    "groups",
    "groups_of",
    "last_day",
    "moved",
    "names_of",
    "signed_until",
    "usage",
]
