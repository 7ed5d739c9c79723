"""Scales as data: what never changes once used, what is monotone, what a label pack may say, and a form's way there and back."""

import hashlib
import json
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yinling.assessment.forms import (
    answers_of,
    counted_events,
    ends_early,
    event_kinds,
    facts_of,
    open_questions,
    picked_of,
    questions,
    sections,
    to_score,
    window,
)
from yinling.assessment.labels import LabelError, Pack, load_pack, load_packs
from yinling.assessment.scoring import check_case, combined_level, scale, scales, score
from yinling.kernel.refusals import Refused

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "assessment_boundaries.yaml").read_text("utf-8"))["cases"]
GB, MZ, LTC = "gbt42195_2022", "mzt039_2013", "ltc_2021_37"
WORDS = {
    "zh",
    "en",
    "confidence",
    "confidence_zh",
    "trap_zh",
    "issued",
    "direction",
    "where",
    "note",
    "trap",
    "wording",
    "rule",
    "answers",
    "reasons",
}
SHIPPED = {
    "barthel@1": "99e14c23113572b6",
    "cq6@1": "2df42b661882141d",
    "gbt42195_2022@1": "ff588400529b7d2e",
    "home_needs_2020@1": "970f863a46502e4e",
    "ltc_2021_37@1": "4285cf49efb4bb02",
    "mna_sf@1": "06f2d0c7795234c9",
    "morse@1": "d5d2859bc235c90e",
    "mzt039_2013@1": "28abcff3085dc6f7",
    "selfcare65@1": "6a75fe04d9772c38",
    "tcm33@1": "62a589dfa3b94590",
}
"""What decides a level, by version. A change here needs a new version: old results are computed again from the old one."""
FIRST_LEVEL = {
    "adl": ([10, 5, 5, 10, 10, 10, 10, 15, 15, 10], [10, 0, 5, 10, 10, 10, 10, 15, 15, 10], [10, 0, 5, 5, 10, 10, 5, 5, 5, 5], [0] * 10),
    "mental": ([0, 0, 0], [1, 0, 0], [1, 1, 0], [2, 2, 0]),
    "perception": ([0, 0, 0, 0], [0, 2, 0, 0], [0, 3, 0, 0], [0, 4, 0, 0]),
    "social": ([0] * 5, [1, 1, 1, 0, 0], [2, 2, 2, 1, 1], [3, 3, 3, 3, 2]),
}  # fmt: skip
"""MZ/T 039: answers that give level 0, 1, 2 and 3 of each domain."""


@pytest.mark.req("X-ASM")
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_boundary_or_refusal(case: dict[str, Any]) -> None:
    checked = check_case(case)
    assert checked.ok, (case["title"], checked)


def test_the_boundaries_cover_every_band_of_every_scale() -> None:
    for name in scales():
        form = scale(name)
        reached = {
            str(case["expect"].get("final", case["expect"].get("level", case["expect"].get("grade"))))
            for case in CASES
            if case["scale"] == name and not case["expect"].get("error")
        }
        assert {str(band["level"]) for band in form.get("levels", [])} <= reached, name
        refused = [case for case in CASES if case["scale"] == name and case["expect"].get("error")]
        assert len(refused) >= 4, name
    assert all(case["title"] and case["clause"] for case in CASES)


def deciding(value: Any) -> Any:
    """Leave out everything that is only read by people."""
    if isinstance(value, dict):
        return {key: deciding(one) for key, one in value.items() if key not in WORDS}
    return [deciding(one) for one in value] if isinstance(value, list) else value


@pytest.mark.req("R-ASM-03", "X-ASM")
def test_a_scale_in_use_does_not_change_without_a_new_version() -> None:
    found = {
        f"{name}@{scale(name)['version']}": hashlib.sha256(
            json.dumps(deciding(scale(name)), ensure_ascii=False, sort_keys=True).encode()
        ).hexdigest()[:16]
        for name in scales()
    }
    assert found == SHIPPED


def test_every_item_and_option_has_its_chinese_words_except_mna_sf() -> None:
    for name in scales():
        texts = [
            text for one in questions(scale(name)) for text in (one.text, *(option.text for option in one.options))
        ]
        assert all(text == "" for text in texts) if name == "mna_sf" else all(texts), name
        assert [band for band in scale(name).get("levels", []) if not band["zh"]] == []
        for domain in scale(name).get("domains", []):
            assert all(band["zh"] for band in domain.get("levels", []))
        assert all(fact.text and fact.where for fact in facts_of(scale(name)))


def best(name: str) -> dict[str, int]:
    """The option of the most points for every item."""
    return {
        one.code: max(range(len(one.options)), key=lambda place, one=one: int(one.options[place].value))
        for one in questions(scale(name))
    }


def picks(name: str) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries({one.code: st.integers(0, len(one.options) - 1) for one in questions(scale(name))})


def worse(name: str, code: str, picked: dict[str, int]) -> list[dict[str, int]]:
    """Every form that differs in one item and is worse there."""
    low_is_bad = name not in {"selfcare65", "morse"} and not (name == MZ and not code.startswith("1."))
    question = next(one for one in questions(scale(name)) if one.code == code)
    now = question.options[picked[code]].value
    return [
        picked | {code: place}
        for place, option in enumerate(question.options)
        if (option.value < now if low_is_bad else option.value > now)
    ]


def severity(name: str, picked: dict[str, int], facts: dict[str, Any] | None = None) -> int:
    outcome = score(name, answers_of(scale(name), picked) | ({"facts": facts} if facts else {}))
    for value in (outcome.final, outcome.grade, outcome.level):
        if value is not None:
            return ["full", "partial", "lost"].index(value) if isinstance(value, str) else value
    raise AssertionError(outcome)


@pytest.mark.req("X-ASM")
@pytest.mark.parametrize("name", [name for name in scales() if scale(name).get("levels")])
@given(data=st.data())
def test_a_worse_answer_never_gives_a_better_level(name: str, data: Any) -> None:
    picked = data.draw(picks(name))
    facts = data.draw(st.sampled_from([None, {"risk_events_30d": {"fall": 2}}])) if name in {GB, MZ} else None
    code = data.draw(st.sampled_from(sorted(picked)))
    before = severity(name, picked, facts)
    assert all(severity(name, one, facts) >= before for one in worse(name, code, picked))


@given(answers=st.lists(st.integers(1, 5), min_size=33, max_size=33), place=st.integers(0, 32))
def test_more_of_a_sign_never_lessens_a_constitution(answers: list[int], place: int) -> None:
    order = {"否": 0, "倾向是": 1, "是": 2}
    more = [*answers[:place], min(5, answers[place] + 1), *answers[place + 1 :]]
    before, after = score("tcm33", {"answers": answers}).result, score("tcm33", {"answers": more}).result
    assert before is not None
    assert after is not None
    assert all(order[after[name]] >= order[before[name]] for name in scale("tcm33")["types"])


@pytest.mark.req("X-ASM")
@pytest.mark.parametrize("name", scales())
@given(data=st.data())
def test_an_old_result_computed_again_from_what_is_stored_is_the_same(name: str, data: Any) -> None:
    picked = data.draw(picks(name))
    answers = answers_of(scale(name), picked)
    stored = json.loads(json.dumps(answers))
    assert score(name, stored) == score(name, answers)
    assert answers_of(scale(name), picked_of(scale(name), stored)) == answers
    assert open_questions(scale(name), stored) == []


def test_all_256_combinations_of_2013_through_whole_forms() -> None:
    for levels in product(range(4), repeat=4):
        form = {key: FIRST_LEVEL[key][level] for key, level in zip(FIRST_LEVEL, levels, strict=True)}
        outcome = score(MZ, form)
        assert outcome.domain_levels == list(levels)
        assert outcome.final == outcome.initial == combined_level(levels[0], levels[1:])


def test_all_16_cells_of_the_insurance_matrix_and_its_gate() -> None:
    activities, thinking = {0: 100, 1: 80, 2: 50, 3: 20}, {0: 16, 1: 9, 2: 2, 3: 1}
    adl = {100: [10, 10, 5, 10, 10, 10, 15, 15, 10, 5], 80: [10, 10, 0, 10, 10, 10, 15, 15, 0, 0], 50: [10, 5, 5, 5, 5, 5, 5, 5, 5, 0],
           20: [5, 5, 0, 5, 5, 0, 0, 0, 0, 0]}  # fmt: skip
    cognition = {16: [4] * 4, 9: [3, 2, 2, 2], 2: [1, 1, 0, 0], 1: [1, 0, 0, 0]}
    matrix = scale(LTC)["combination"]["matrix"]
    for row, column in product(range(4), repeat=2):
        form = {"adl": adl[activities[row]], "cognition": cognition[thinking[column]], "perception": [4, 4, 4]}
        outcome = score(LTC, form)
        assert (outcome.grade, outcome.is_provisional) == (matrix[row][column], True)
        assert row == 3 or matrix[row + 1][column] >= matrix[row][column]
        assert column == 3 or matrix[row][column + 1] >= matrix[row][column]


def test_a_form_has_the_sections_of_the_paper() -> None:
    found = sections(scale(GB))
    assert [(section.text, len(section.questions)) for section in found] == [
        ("自理能力", 8), ("基础运动能力", 4), ("精神状态", 9), ("感知觉与社会参与", 5)
    ]  # fmt: skip
    assert [one.index for one in questions(scale(GB))] == list(range(26))
    assert [one.place for one in questions(scale(MZ))][9:11] == ["adl", "mental"]
    assert [option.points for option in sections(scale("cq6"))[0].questions[0].options] == [None, None]


def test_stupor_and_coma_are_told_apart_on_the_way_back() -> None:
    picked = best(GB)
    for place, key in ((2, "stupor"), (3, "coma")):
        answers = answers_of(scale(GB), picked | {"3.9": place})
        assert answers["keys"] == {"3.9": key}
        assert picked_of(scale(GB), answers)["3.9"] == place


def test_an_open_form_names_what_is_open_and_coma_of_2013_closes_it() -> None:
    answers = answers_of(scale(GB), {"1.1": 0})
    assert [one.code for one in open_questions(scale(GB), answers)][:2] == ["1.2", "1.3"]
    assert len(open_questions(scale(GB), {})) == 26
    assert picked_of(scale(GB), {"scores": [7]}) == {}
    coma, stupor = answers_of(scale(MZ), {"3.1": 3}), answers_of(scale(MZ), {"3.1": 2})
    assert open_questions(scale(MZ), coma) == []
    assert len(open_questions(scale(MZ), stupor)) == 21
    assert ends_early(scale(GB), {"3.9": 3}) is False


def test_of_a_form_ended_by_coma_only_the_ending_is_read() -> None:
    day, form = date(2026, 6, 15), scale(MZ)
    begun = answers_of(form, {"1.1": 0, "3.1": 3})
    assert to_score(form, begun, {"coma": True}, day) == {"perception": [3], "facts": {"coma": True}}
    assert score(MZ, to_score(form, begun, {}, day)).final == 3
    whole = answers_of(form, {one.code: 0 for one in questions(form)} | {"3.1": 3})
    assert to_score(form, whole, {}, day) == whole
    stupor = answers_of(form, {"3.1": 2})
    assert to_score(form, stupor, {}, day) == stupor


def test_what_stands_beside_the_facts_is_not_scored() -> None:
    day = date(2026, 6, 15)
    facts = {"coma": False, "events": [{"kind": "fall", "on": "2026-06-01"}], "notes": "x", "signatures": {"1": "y"}}
    assert to_score(scale(GB), {"scores": []}, facts, day)["facts"] == {"coma": False, "risk_events_30d": {"fall": 1}}
    assert to_score(scale("barthel"), {"scores": []}, {"events": [], "notes": ""}, day) == {"scores": []}


@pytest.mark.parametrize("place", [-1, 5, True, "1", 1.0])
def test_a_place_without_an_option_is_refused(place: Any) -> None:
    with pytest.raises(Refused) as refused:
        answers_of(scale(GB), {"1.1": place})
    assert (refused.value.code, refused.value.field) == ("scale.illegal", "1.1")


def test_events_count_on_the_day_and_the_30_days_before_it() -> None:
    day = date(2026, 6, 15)
    assert window(day) == (date(2026, 5, 16), day)
    events = [{"kind": "fall", "on": on} for on in ("2026-06-15", "2026-05-16", "2026-05-15")]
    assert counted_events(scale(GB), events, day) == {"fall": 2}
    assert counted_events(scale(GB), events[1:], day) == {"fall": 1}
    assert counted_events(scale(GB), [], day) == {}
    assert event_kinds(scale("barthel")) == {}


@pytest.mark.parametrize(
    "event",
    [{"kind": "burn", "on": "2026-06-01"}, {"kind": "fall", "on": "2026-06-16"}, {"kind": "fall", "on": ""}, {}],
)
def test_an_event_of_the_future_or_of_no_kind_is_refused(event: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        counted_events(scale(GB), [event], date(2026, 6, 15))
    assert (refused.value.code, refused.value.field) == ("scale.events", "facts")


def pack_of(name: str) -> dict[str, Any]:
    """A pack that says 第…题 and 选项… everywhere."""
    items = {
        one.code: {
            "label": f"第{one.code}题",
            "options": {option.key or option.value: f"选项{option.key or option.value}" for option in one.options},
        }
        for one in questions(scale(name))
    }
    return {"scale": name, "version": "1", "source": "测试", "items": items}


def write(folder: Path, content: Any, name: str = "pack.yaml") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return path


@pytest.mark.parametrize("name", scales())
def test_a_pack_changes_words_and_nothing_else(name: str, tmp_path: Path) -> None:
    pack = load_pack(write(tmp_path, pack_of(name)))
    before = [one for section in sections(scale(name)) for one in section.questions]
    after = [one for section in sections(scale(name), pack.items) for one in section.questions]
    assert [one.text for one in after] == [f"第{one.code}题" for one in before]
    assert [[option.value for option in one.options] for one in after] == [
        [o.value for o in one.options] for one in before
    ]
    assert all(option.text.startswith("选项") for one in after for option in one.options)


def test_packs_of_a_folder_by_scale(tmp_path: Path) -> None:
    assert load_packs(tmp_path / "nowhere") == {}
    write(tmp_path, pack_of("mna_sf"), "a.yaml")
    assert isinstance(load_packs(tmp_path)["mna_sf"], Pack)
    write(tmp_path, pack_of("mna_sf"), "b.yaml")
    with pytest.raises(LabelError, match="two packs"):
        load_packs(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "scale, version"),
        ({"scale": "mine"}, "no such scale"),
        ({"version": "2"}, "版本"),
        ({"source": " "}, "source is empty"),
        ({"items": {}}, "items differ"),
        ({"A": {"label": "题"}}, "label, options"),
        ({"A": {"label": "题", "options": {0: "一", 1: "二"}}}, "options must be"),
        ({"A": {"label": "题", "options": {0: "一", 1: "二", 2: ""}}}, "characters"),
        ({"A": {"label": "长" * 501, "options": {0: "一", 1: "二", 2: "三"}}}, "characters"),
        ({"A": {"label": "题", "options": {0: 1, 1: "二", 2: "三"}}}, "characters"),
    ],
)
def test_a_pack_that_does_not_fit_its_scale_is_not_loaded(change: Any, sentence: str, tmp_path: Path) -> None:
    content = pack_of("mna_sf")
    if isinstance(change, dict):
        content["items"] |= {code: row for code, row in change.items() if code == "A"}
        content |= {key: row for key, row in change.items() if key != "A"}
    with pytest.raises(LabelError, match=sentence):
        load_pack(write(tmp_path, change if isinstance(change, str) else content))
