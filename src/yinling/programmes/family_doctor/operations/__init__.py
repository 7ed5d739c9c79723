"""Writing, one file per noun."""

from yinling.programmes.family_doctor.operations.contracts import (
    cancel_contract,
    draft_contract,
    end_contract,
    follow_elders,
    sign_contract,
    stop_after_leaving,
    stop_contract,
)

__all__ = [
    "cancel_contract",
    "draft_contract",
    "end_contract",
    "follow_elders",
    "sign_contract",
    "stop_after_leaving",
    "stop_contract",
]
