"""The rules of supervision, one file each: expressions that run alike on the rows just touched and on everything."""

from yinling.supervision.rules import (
    above_list,
    deceased,
    distant_check_in,
    far_check_in,
    in_hospital,
    late_acceptance,
    no_check_in,
    no_entitlement,
    overlap,
    repeated_cancel,
    repeated_claim,
    same_photo,
    too_long,
    too_short,
)

RULES = {
    module.RULE.code: module.RULE
    for module in (
        late_acceptance, no_check_in, far_check_in, distant_check_in, too_short, too_long, overlap, deceased, in_hospital, same_photo,
        above_list, no_entitlement, repeated_cancel, repeated_claim,
    )
}  # fmt: skip
