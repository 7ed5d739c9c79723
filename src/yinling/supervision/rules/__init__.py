"""The rules of supervision, one file each: expressions that run alike on the rows just touched and on everything."""

from yinling.kernel.words import N_
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
from yinling.supervision.rules.rule import BLOCK, ByHand

RULES = {
    module.RULE.code: module.RULE
    for module in (
        late_acceptance, no_check_in, far_check_in, distant_check_in, too_short, too_long, overlap, deceased, in_hospital, same_photo,
        above_list, no_entitlement, repeated_cancel, repeated_claim,
    )
}  # fmt: skip

BY_HAND = {
    one.code: one for one in (ByHand("site_check", N_("现场核查不相符"), BLOCK, "X-PAY-04（民政部门现场核查消费券）"),)
}
"""What people find: no expression catches it."""
