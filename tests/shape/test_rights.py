"""Every right is asked for somewhere, every operation asks for one that exists, and every role can be explained."""

import re

from tests.shape.houses import constants

from yinling.cli.docs import load_operations
from yinling.cli.paths import SOURCE
from yinling.directory.rights import RIGHTS
from yinling.directory.roles import EXCLUSIVE, ROLES
from yinling.ground.operation import REGISTRY

DECLARED = {SOURCE / "directory" / "rights.py", SOURCE / "directory" / "roles.py"}
TEMPLATE_RIGHT = re.compile(r"""["']([a-z_]+\.[a-z_]+\.[a-z_]+)["']""")
NAME = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+")


def test_every_right_is_used() -> None:
    used = constants(outside=DECLARED)
    used |= {word for path in SOURCE.rglob("*.html") for word in TEMPLATE_RIGHT.findall(path.read_text("utf-8"))}
    assert sorted(set(RIGHTS) - used) == []


def test_every_operation_asks_for_a_known_right() -> None:
    load_operations()
    assert {one.name: one.right for one in REGISTRY.values() if one.right not in RIGHTS} == {}


def test_every_operation_has_a_label_and_described_arguments() -> None:
    load_operations()
    assert [
        one.name for one in REGISTRY.values() if one.label and not all(part.input.label for part in one.arguments)
    ] == []


def test_every_right_is_held_by_a_role() -> None:
    held = {right for role in ROLES.values() for right in role.rights}
    assert sorted(set(RIGHTS) - held) == []


def test_rights_are_named_and_in_order() -> None:
    assert list(RIGHTS) == sorted(RIGHTS)
    assert [right for right in RIGHTS if not NAME.fullmatch(right)] == []
    assert [right for right, label in RIGHTS.items() if not label] == []


def test_every_role_has_its_sentence() -> None:
    assert [
        role.code for role in ROLES.values() if not (role.name and role.purpose and role.home.startswith("/"))
    ] == []


def test_no_role_of_administration_holds_the_rights_of_another() -> None:
    own = {
        code: {right for right in ROLES[code].rights if right.split(".")[0] in ("directory", "accounts")}
        for code in EXCLUSIVE
    }
    everybody = set.intersection(*own.values())
    assert own["security_admin"] & own["audit_admin"] - everybody - {"directory.system.view"} == set()
    assert {right for right in own["system_admin"] if "grant" in right or "token" in right} == set()
