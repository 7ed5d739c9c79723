"""`./run docs`: the reference that the code itself can write. `check` says which page no longer tells the truth."""

import importlib
import os
from pathlib import Path
from typing import Any

import django

from yinling.cli.check import ENVIRONMENT
from yinling.cli.paths import ROOT, SOURCE
from yinling.cli.reference_settings import settings_page
from yinling.cli.tables import note, table
from yinling.kernel.machine import Machine

REFERENCE = ROOT / "docs" / "reference"
WRITTEN = ("states/*.md", "*.md")


def main(_argv: list[str]) -> int:
    os.environ.update(ENVIRONMENT)
    django.setup()
    for path in stale():
        path.unlink()
        print(f"- {path.relative_to(ROOT)}")
    for path, text in pages().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"+ {path.relative_to(ROOT)}")
    return 0


def check() -> list[str]:
    """Say which page differs from the code. Django must be set up."""
    wrong = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    return [f"{path.relative_to(ROOT)}: 请运行 ./run docs run ./run docs" for path in sorted([*wrong, *stale()])]


def stale() -> list[Path]:
    """Return pages of things that are gone."""
    written = set(pages())
    return [path for pattern in WRITTEN for path in REFERENCE.glob(pattern) if path not in written]


def pages() -> dict[Path, str]:
    """Return every generated page by its place."""
    found = {f"states/{machine.name}.md": state_page(machine, module) for machine, module in machines()}
    found |= {
        "states/README.md": state_index(),
        "rights-and-roles.md": rights_page(),
        "parameters.md": parameter_page(),
        "operations.md": operation_page(),
        "settings.md": settings_page(),
    }
    return {REFERENCE / name: text for name, text in found.items()}


def machines() -> list[tuple[Machine[Any], str]]:
    """Every state table of the platform with the module that declares it."""
    found = []
    for path in sorted(SOURCE.glob("**/states.py")):
        name = ".".join(["yinling", *path.relative_to(SOURCE).with_suffix("").parts])
        module = importlib.import_module(name)
        found += [(one, name) for one in vars(module).values() if isinstance(one, Machine)]
    return sorted(found, key=lambda pair: pair[0].name)


def heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def state_page(machine: Machine[Any], module: str) -> str:
    rows = [
        (f"`{one.verb}`", ", ".join(sorted(map(str, one.sources))), str(one.target), one.label or "(a later step)")
        for one in machine.transitions
    ]
    states = table(("state", "label"), ((f"`{state}`", state.label) for state in machine.states))
    verbs = table(("verb", "from", "to", "label"), rows)
    drawing = f"```mermaid\n{machine.mermaid()}```\n"
    return "\n".join([f"# States: {heading(machine.name).lower()}\n", note(module), drawing, states, verbs])


def state_index() -> str:
    rows = [(f"[{machine.name}]({machine.name}.md)", f"`{module}`") for machine, module in machines()]
    return "\n".join(
        ["# State tables\n", note("the states.py of every context"), table(("machine", "declared in"), rows)]
    )


def rights_page() -> str:
    from yinling.directory.rights import RIGHTS  # noqa: PLC0415 - a page of its own
    from yinling.directory.roles import ROLES  # noqa: PLC0415 - as above

    roles = table(
        ("role", "name", "purpose", "granted for", "first page"),
        ((f"`{one.code}`", one.name, one.purpose, one.anchor, f"`{one.home}`") for one in ROLES.values()),
    )
    holders = {right: [one.code for one in ROLES.values() if right in one.rights] for right in RIGHTS}
    rights = table(
        ("right", "label", "roles"),
        ((f"`{right}`", label, ", ".join(holders[right]) or "none") for right, label in RIGHTS.items()),
    )
    return "\n".join(
        [
            "# Rights and roles\n",
            note("directory/rights.py and directory/roles.py"),
            "## Roles\n",
            roles,
            "## Rights\n",
            rights,
        ]
    )


def parameter_page() -> str:
    from yinling.ground.parameters import parameters  # noqa: PLC0415 - needs settings

    known = parameters()
    rows = []
    for key in known.keys():  # noqa: SIM118 - not a dict
        entries = known.entries(key)
        if not entries:
            rows.append((f"`{key}`", "product", "(each city says)", "", "", "", ""))
        rows += [
            (
                f"`{key}`",
                where(one),
                f"`{one.value}`",
                one.valid.from_.isoformat(),
                one.valid.last_day.isoformat() if one.valid.last_day else "",
                f"{one.document} {one.clause}",
                one.note,
            )
            for one in entries
        ]
    head = ("key", "area", "value", "from", "to (inclusive)", "source", "note")
    return "\n".join(
        ["# Parameters\n", note("the parameters/*.yaml of the contexts and of cities/"), table(head, rows)]
    )


def where(entry: Any) -> str:
    """Return product, or the area and the profile that speaks of it."""
    return f"{entry.area} {Path(entry.file).parents[1].name}" if entry.area else "product"


def operation_page() -> str:
    from yinling.ground.operation import REGISTRY  # noqa: PLC0415 - needs Django
    from yinling.web.api.verbs import address  # noqa: PLC0415 - as above

    load_operations()
    rows = []
    for one in sorted(REGISTRY.values(), key=lambda operation: (operation.right, operation.name)):
        arguments = ", ".join(argument.name + ("" if argument.required else "?") for argument in one.arguments)
        rows.append((f"`{one.name}`", f"`{one.right}`", one.label, f"`POST /api/v1{address(one)}`", arguments))
    text = (
        "Screens post the same operations to `/do/<name>/`. A question mark marks an argument that may be left out. "
        "Every write by the API carries an `Idempotency-Key`.\n"
    )
    head = ("operation", "right", "label", "API", "arguments")
    return "\n".join(["# Operations\n", note("the operations.py of the contexts"), text, table(head, rows)])


def load_operations() -> None:
    """Import every module that may register an operation."""
    for path in sorted([*SOURCE.glob("*/operations.py"), *SOURCE.glob("*/operations/*.py")]):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        importlib.import_module(".".join(["yinling", *(part for part in parts if part != "__init__")]))
