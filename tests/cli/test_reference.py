import ast

from yinling.cli import docs
from yinling.cli.reference_settings import defaults, known, settings_page
from yinling.cli.tables import table


def test_a_table_survives_bars_and_line_ends() -> None:
    assert table(("a", "b"), [("x|y", "one\ntwo")]) == "| a | b |\n|---|---|\n| x&#124;y | one two |\n"


def test_settings_are_read_from_the_source() -> None:
    tree = ast.parse('KNOWN = {"YINLING_A": "one"}\nA = os.environ.get("YINLING_A", ROOT / "var" / "data")')
    assert known(tree) == {"YINLING_A": "one"}
    assert defaults(tree) == {"YINLING_A": "var/data"}
    assert "`YINLING_KEY_FILE`" in settings_page()


def test_every_machine_of_the_platform_is_drawn() -> None:
    names = [machine.name for machine, _ in docs.machines()]
    assert len(names) == len(set(names))
    assert {"order", "ticket", "visit", "finding"} <= set(names)
    page = docs.state_page(*next(pair for pair in docs.machines() if pair[0].name == "visit"))
    assert "```mermaid\nstateDiagram-v2" in page


def test_every_operation_is_listed_with_its_address() -> None:
    page = docs.operation_page()
    assert "| `register_elder` | `people.elder.register` |" in page
