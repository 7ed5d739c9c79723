import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.machine import Machine, State, Transition
from yinling.kernel.refusals import NotAllowed


class S(State):
    DRAFT = "draft", "草稿"
    PLACED = "placed", "已下单"
    SERVED = "served", "已服务"
    CANCELLED = "cancelled", "已取消"


ROWS = [
    ("place", {S.DRAFT}, S.PLACED, "下单"),
    ("note", {S.PLACED}, S.PLACED, "备注"),
    ("mark_served", {S.PLACED}, S.SERVED, None),
    ("cancel", {S.DRAFT, S.PLACED}, S.CANCELLED, "取消"),
]
ORDER = Machine("order", S, S.DRAFT, ROWS)


def test_a_state_is_its_value_and_carries_a_label() -> None:
    assert {S.PLACED} == {"placed"}
    assert str(S.PLACED) == f"{S.PLACED}" == "placed"
    assert S.PLACED.label == "已下单"
    assert S("placed") is S.PLACED
    assert pickle.loads(pickle.dumps(S.PLACED)) is S.PLACED  # noqa: S301 - our own


def test_a_state_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="lost needs a label"):

        class Bare(State):
            LOST = "lost"


def test_choices_are_plain_strings_in_order() -> None:
    assert ORDER.choices == [("draft", "草稿"), ("placed", "已下单"), ("served", "已服务"), ("cancelled", "已取消")]
    assert {type(value) for value, _ in ORDER.choices} == {str}


def test_pairs_leave_out_loops() -> None:
    assert ORDER.pairs() == {
        (S.DRAFT, S.PLACED),
        (S.PLACED, S.SERVED),
        (S.DRAFT, S.CANCELLED),
        (S.PLACED, S.CANCELLED),
    }


def test_screens_are_offered_only_labelled_verbs() -> None:
    assert [transition.verb for transition in ORDER.verbs("placed")] == ["note", "cancel"]
    assert ORDER.verbs(S.SERVED) == ()
    assert ORDER.verbs(S.DRAFT)[0] == Transition("place", frozenset({S.DRAFT}), S.PLACED, "下单")


def test_a_verb_without_label_answers_with_its_name() -> None:
    assert ORDER.verb_label("cancel") == "取消"
    assert ORDER.verb_label("mark_served") == "mark_served"


def test_refusal_names_state_and_verb() -> None:
    with pytest.raises(NotAllowed) as caught:
        ORDER.target("cancel", "served")
    assert caught.value.code == "state.not_allowed"
    assert caught.value.detail == "当前状态是“已服务”，不能“取消”。请刷新页面，查看现在可以做的操作。"
    assert (caught.value.values["verb"], caught.value.values["state"]) == ("cancel", "served")


@pytest.mark.parametrize(("verb", "state"), [("fly", "draft"), ("cancel", "flown")])
def test_what_the_table_does_not_know_is_an_error(verb: str, state: str) -> None:
    with pytest.raises(ValueError, match=r"fly|flown"):
        ORDER.target(verb, state)


def test_a_verb_may_lead_to_different_states() -> None:
    machine = Machine(
        "order",
        S,
        S.DRAFT,
        [
            ("go", {S.DRAFT}, S.PLACED, None),
            ("go", {S.PLACED}, S.SERVED, "前进"),
            ("stop", {S.SERVED}, S.CANCELLED, "停止"),
        ],
    )
    assert (machine.target("go", S.DRAFT), machine.target("go", S.PLACED)) == (S.PLACED, S.SERVED)
    assert machine.verb_label("go") == "前进"


class Other(State):
    FOREIGN = "foreign", "外来"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:3], "no way leads from draft to cancelled"),
        ([*ROWS, ("place", {S.DRAFT}, S.SERVED, "下单")], "place leaves draft twice"),
        ([*ROWS, ("cancel", {S.SERVED}, S.CANCELLED, "作废")], "two labels"),
        ([*ROWS, ("undo", set(), S.DRAFT, "恢复")], "at least one source"),
        ([*ROWS, ("un do", {S.SERVED}, S.DRAFT, "恢复")], "needs a name"),
        ([*ROWS, ("leave", {S.SERVED}, Other.FOREIGN, "离开")], "foreign state"),
        ([*ROWS, ("enter", {Other.FOREIGN}, S.DRAFT, "进入")], "foreign state"),
    ],
)
def test_a_wrong_table_does_not_load(rows: list[tuple[str, set[State], State, str | None]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine("order", S, S.DRAFT, rows)


def test_the_drawing_shows_every_state_and_every_change() -> None:
    assert ORDER.mermaid() == (
        "stateDiagram-v2\n"
        '    state "草稿" as draft\n'
        '    state "已下单" as placed\n'
        '    state "已服务" as served\n'
        '    state "已取消" as cancelled\n'
        "    [*] --> draft\n"
        "    draft --> placed: 下单\n"
        "    placed --> placed: 备注\n"
        "    placed --> served: mark_served\n"
        "    draft --> cancelled: 取消\n"
        "    placed --> cancelled: 取消\n"
        "    served --> [*]\n"
        "    cancelled --> [*]\n"
    )


@given(st.lists(st.sampled_from(["place", "note", "mark_served", "cancel"])))
def test_no_walk_leaves_the_table(verbs: list[str]) -> None:
    state = ORDER.start
    for verb in verbs:
        if ORDER.allows(verb, state):
            after = ORDER.target(verb, state)
            assert after == state or (state, after) in ORDER.pairs()
            state = after
        else:
            with pytest.raises(NotAllowed):
                ORDER.target(verb, state)
    assert state in S
