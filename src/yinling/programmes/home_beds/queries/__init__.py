"""Reading, one file per noun."""

from yinling.programmes.home_beds.queries.beds import (
    Basis,
    basis_of,
    beds,
    beds_of_leavers,
    insurance_of,
    last_day,
    present,
    staff_of,
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
    "basis_of",
    "beds",
    "beds_of_leavers",
    "billed_until",
    "bills_of",
    "elders_of",
    "insurance_of",
    "last_day",
    "present",
    "staff_of",
    "stays",
    "stays_with_bills_due",
    "unbilled",
]
