"""Which roles hold the rights on the map, results and entitlements: the whole matrix, so that a change is seen."""

import pytest

from yinling.directory.rights import RIGHTS
from yinling.directory.roles import EXCLUSIVE, ROLES

MATRIX = {
    "assessment.assessment.inspect": {"city", "district"},
    "assessment.assessment.record": {"city", "district", "street"},
    "assessment.commission.award": {"city", "district"},
    "assessment.commission.end": {"city", "district"},
    "assessment.form.save": {"assessor"},
    "assessment.form.submit": {"assessor"},
    "assessment.recognition.end": {"city", "district"},
    "assessment.recognition.record": {"city", "district"},
    "assessment.request.apply": {
        "city",
        "community",
        "district",
        "elder",
        "family",
        "line_leader",
        "seat",
        "station",
        "street",
    },
    "assessment.request.arrange": {"city", "district"},
    "assessment.request.assign": {"city", "district", "provider_manager"},
    "assessment.request.conclude": {"city", "district"},
    "assessment.request.verify": {"city", "district"},
    "assessment.scale.confirm": {"city"},
    "assessment.scale.withdraw": {"city"},
    "directory.area.rename": {"system_admin"},
    "directory.calendar.load": {"city", "system_admin"},
    "directory.calendar.unload": {"city", "system_admin"},
    "directory.clock.move": {"city", "system_admin"},
    "directory.grant.confirm": {"security_admin"},
    "directory.grant.end": {"security_admin"},
    "directory.grant.propose": {"security_admin"},
    "directory.grant.view": {"security_admin"},
    "directory.organisation.register": {"city", "district"},
    "directory.organisation.update": {"city", "district"},
    "directory.service_area.assign": {"city", "district"},
    "directory.site.register": {"city", "district"},
    "directory.staff.qualify": {"city", "district", "provider_manager"},
    "directory.staff.register": {"city", "provider_manager"},
    "directory.user.register": {"system_admin"},
    "entitlements.entitlement.end": {"district", "street", "system"},
    "entitlements.entitlement.grant": {"district", "street"},
}


@pytest.mark.req("R-ROL-07")
@pytest.mark.parametrize("right", sorted(MATRIX))
def test_who_holds_a_right(right: str) -> None:
    assert {role.code for role in ROLES.values() if right in role.rights} == MATRIX[right]


@pytest.mark.req("X-DJ-03", "R-ROL-07")
def test_what_each_administrator_can_the_others_cannot() -> None:
    own = {code: ROLES[code].rights for code in EXCLUSIVE}
    assert "accounts.journal.view" in own["audit_admin"]
    for code in EXCLUSIVE:
        writes = {right for right in own[code] if right.split(".")[2] not in {"view", "adjust", "read"}}
        for other in EXCLUSIVE - {code}:
            assert not writes & own[other]


def test_rights_are_listed_in_order_and_have_a_sentence() -> None:
    assert list(RIGHTS) == sorted(RIGHTS)
    assert all(RIGHTS.values())
