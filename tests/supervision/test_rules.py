"""The rules against worked examples: each catches what it must and lets a near miss pass."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from yinling.ground.parameters import parameters
from yinling.kernel.period import SHANGHAI
from yinling.supervision.engine import Hit, compiled, run
from yinling.supervision.rules import RULES
from yinling.supervision.rules.rule import FACTS, HIT, PARAMETERS

FILE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "supervision.yaml").read_text("utf-8"))
CASES = FILE["cases"]
TEN = int(datetime(2026, 6, 15, 10, tzinfo=SHANGHAI).timestamp())
MOMENTS = {
    "starts": "starts_at", "ends": "ends_at", "started": "started_at", "ended": "ended_at", "offered": "offered_at", "accepted": "accepted_at",
    "accept_due": "accept_due_at", "assignment_ended": "assignment_ended_at", "order_accept_due": "order_accept_due_at",
    "order_accepted": "order_accepted_at", "death_over": "death_over_at", "now": "as_of",
    "hospital_from": "hospital_from_at", "hospital_to": "hospital_to_at", "placed": "placed_at", "cancelled": "cancelled_at",
    "claimed_again": "claimed_again_at",
}  # fmt: skip
THRESHOLDS = {
    "checkin_radius_m": 200, "checkin_block_m": 1000, "visit_late_minutes": 30, "visit_min_share": Decimal("0.8000"),
    "visit_max_share": Decimal("2.0000"), "cancel_days": 7, "cancel_elder_least": 3, "cancel_provider_least": 4,
    "double_most": 3,
}  # fmt: skip


def moment(minutes: int | None) -> int | None:
    return None if minutes is None else TEN + minutes * 60


def service(case: dict[str, Any], number: int) -> dict[str, Any]:
    row = {**FILE["usual"], "assignment": case["order"], "staff": 100 + number, **case}
    is_assigned = row["assignment"] is not None
    flat = {name: moment(row.get(key)) for key, name in MOMENTS.items()}
    if not is_assigned:
        flat |= dict.fromkeys(("offered_at", "accept_due_at", "accepted_at", "started_at", "ended_at"))
    return {
        **flat, **THRESHOLDS, "order_id": row["order"], "assignment_id": row["assignment"], "visit_id": row["order"] if is_assigned else None,
        "staff_id": row["staff"] if is_assigned else None, "order_state": row["order_state"], "distance_m": row["distance_m"],
        "assignment_state": row.get("assignment_state", "accepted" if row["accepted"] is not None else "offered") if is_assigned else None,
        "is_current": True, "is_first": True, "slot": row.get("slot", 1), "is_first_visit": row.get("first_visit", True),
        "first_offered_at": flat["offered_at"], "standard_minutes": row["standard_minutes"],
        "provider_id": row.get("provider", 1), "elder_id": row.get("elder", 1), "div": "3202", "charged_fen": row.get("charged_fen"),
        "allowed_fen": row.get("allowed_fen"), "unfunded_fen": row.get("unfunded_fen"), "is_declined": row.get("declined", False),
        "claimed_again_month": row.get("claimed_again_month"), "claimed_again_count": row.get("claimed_again_count", 0),
    }  # fmt: skip


def photo(case: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "photo_id": number, "visit_id": case["visit"], "order_id": case["visit"], "staff_id": 7, "sha256": case["sha256"],
        "received_at": moment(case["received"]),
    }  # fmt: skip


def hits(case: dict[str, Any]) -> list[Hit]:
    rows = [service(one, number) for number, one in enumerate(case.get("services", []))]
    photos = [photo(one, number) for number, one in enumerate(case.get("photos", []))]
    return run(rows, photos, codes=[case["rule"]])


@pytest.mark.req("X-SUP", "R-SUP-06")
@pytest.mark.parametrize("case", CASES, ids=[f"{one['rule']}-{number}" for number, one in enumerate(CASES)])
def test_a_rule_catches_these_rows_and_no_other(case: dict[str, Any]) -> None:
    assert {hit.order_id: hit.subject_id for hit in hits(case)} == case["caught"]


@pytest.mark.req("R-SUP-06")
@pytest.mark.parametrize("code", RULES)
def test_every_rule_has_a_hit_and_a_near_miss(code: str) -> None:
    rule = RULES[code]
    ours = [case for case in CASES if case["rule"] == code]
    rows = sum(len(case.get("services", case.get("photos", []))) for case in ours)
    caught = sum(len(case["caught"]) for case in ours)
    assert caught > 0
    assert rows > caught
    assert rule.code == code
    assert rule.severity in {"warning", "block"}
    assert rule.title
    assert "X-SUP" in rule.basis
    assert set(rule.parameters) <= set(PARAMETERS) <= set(parameters().keys())


def test_facts_of_hits_have_labels_for_people() -> None:
    found = {name for case in CASES for hit in hits(case) for name in hit.facts}
    assert found <= set(FACTS)
    assert not found & set(HIT)


def test_an_overlap_names_the_visit_it_collides_with() -> None:
    (second, third) = hits(next(case for case in CASES if case["situation"].startswith("A long visit")))
    assert (second.facts["earlier_visit_id"], third.facts["earlier_visit_id"]) == (1, 1)
    assert third.facts["earlier_ended_at"] == moment(300)


def test_two_rules_share_one_boundary_without_gap_or_doubling() -> None:
    rows = [service({"order": metres, "distance_m": metres}, metres) for metres in (999, 1000, 1001, 1002)]
    found = run(rows, [], codes=["far_check_in", "distant_check_in"])
    assert sorted((hit.order_id, hit.rule.severity) for hit in found) == [
        (999, "warning"), (1000, "warning"), (1001, "block"), (1002, "block")
    ]  # fmt: skip


def test_an_assignment_that_no_longer_counts_is_no_absence() -> None:
    old = service({"order": 1, "order_state": "served"}, 1) | {
        "started_at": None,
        "visit_id": None,
        "is_current": False,
    }
    assert run([old], [], codes=["no_check_in"]) == []


def test_of_two_carers_each_is_missed_alone_and_what_concerns_the_order_counts_once() -> None:
    came = service({"order": 1, "assignment": 1, "started": 0, "unfunded_fen": 100, "order_state": "in_service"}, 1)
    missing = service(
        {"order": 1, "assignment": 2, "slot": 2, "started": None, "order_state": "in_service", "now": 31, "first_visit": False}, 2
    )  # fmt: skip
    late = service({"order": 2, "assignment": 4, "slot": 2, "started": 5, "unfunded_fen": 100, "first_visit": False}, 4)
    (absent,) = run([came, missing], [], codes=["no_check_in"])
    assert (absent.order_id, absent.key, absent.staff_id) == (1, "no_check_in:-1", missing["staff_id"])
    aborted = missing | {"assignment_state": "done"}
    assert run([came, aborted], [], codes=["no_check_in"]) == []
    assert [hit.key for hit in run([came, late], [], codes=["no_entitlement"])] == ["no_entitlement:1"]


def test_keys_tell_rule_and_subject() -> None:
    (hit,) = run([service({"order": 5, "distance_m": 300}, 1)], [])
    assert hit.key == "far_check_in:5"


def test_nothing_in_nothing_out() -> None:
    assert run([], []) == []


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_compiled_once(code: str) -> None:
    assert compiled(code) is compiled(code)
