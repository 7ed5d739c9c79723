"""Reading, one file per noun."""

from yinling.programmes.home_beds.queries.beds import (
    Basis,
    Sheet,
    basis_of,
    beds,
    beds_to_close,
    groups_for,
    last_day,
    present,
    sheet_of,
)
from yinling.programmes.home_beds.queries.stays import (
    Bill,
    billed_until,
    bills_of,
    elders_of,
    stays,
    stays_with_bills_due,
    unbilled,
)

__all__ = [
    "Basis",
    "Bill",
    "Sheet",
    "basis_of",
    "beds",
    "beds_to_close",
    "billed_until",
    "bills_of",
    "elders_of",
    "groups_for",
    "last_day",
    "present",
    "sheet_of",
    "stays",
    "stays_with_bills_due",
    "unbilled",
]
