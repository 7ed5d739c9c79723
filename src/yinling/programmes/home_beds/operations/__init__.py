"""Writing, one file per noun."""

from yinling.programmes.home_beds.operations.beds import (
    apply_for_bed,
    approve_bed,
    assign_bed,
    cancel_bed,
    check_home,
    refuse_bed,
    reveal_diagnosis,
    stop_after_leaving,
    stop_bed,
    withdraw_bed,
)
from yinling.programmes.home_beds.operations.beds import follow_elders as follow_beds
from yinling.programmes.home_beds.operations.stays import admit_to_bed, bill_stay, discharge_stay
from yinling.programmes.home_beds.operations.stays import follow_elders as follow_stays

__all__ = [
    "admit_to_bed",
    "apply_for_bed",
    "approve_bed",
    "assign_bed",
    "bill_stay",
    "cancel_bed",
    "check_home",
    "discharge_stay",
    "follow_beds",
    "follow_stays",
    "refuse_bed",
    "reveal_diagnosis",
    "stop_after_leaving",
    "stop_bed",
    "withdraw_bed",
]
