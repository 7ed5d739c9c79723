"""Checked in away from the home, but near enough for a mistake of the position."""

from ibis.expr.types import Table

from yinling.kernel.words import N_
from yinling.supervision.rules.rule import WARNING, Rule


def find(services: Table, _photos: Table) -> Table:
    """Over the radius and not over the distance that blocks (X-SUP-01: the accuracy is already taken off)."""
    far = services.filter(
        services.distance_m > services.checkin_radius_m, services.distance_m <= services.checkin_block_m
    )
    return far.select(
        subject_id=far.visit_id, order_id=far.order_id, visit_id=far.visit_id, staff_id=far.staff_id, happened_at=far.started_at,
        distance_m=far.distance_m, limit_m=far.checkin_radius_m,
    )  # fmt: skip


RULE = Rule(
    code="far_check_in",
    title=N_("签到位置偏离"),
    severity=WARNING,
    basis="无锡市推进“锡心医养”332计划 二(三)4；X-SUP-01、X-SUP-02",
    parameters=("checkin.radius_m", "checkin.block_m"),
    find=find,
)
