"""The rules of supervision, one file each: expressions that run alike on the rows just touched and on everything."""

from yinling.supervision.rules import (
    deceased,
    distant_check_in,
    far_check_in,
    late_acceptance,
    no_check_in,
    overlap,
    same_photo,
    too_short,
)

RULES = {
    module.RULE.code: module.RULE
    for module in (
        late_acceptance, no_check_in, far_check_in, distant_check_in, too_short, overlap, deceased, same_photo,
    )
}  # fmt: skip
