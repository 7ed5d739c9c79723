"""Why a visit was left out, and what was wrong with the input: a stable code and a sentence for the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping

from yinling.kernel.words import N_

LEFT: Mapping[str, str] = {
    "after_missing": N_("须排在另一单 %(visit)s 之后，而那一单没有排上，请先安排那一单"),
    "capacity": N_("符合条件的护理员在可用时段内都排满了，请增派人手、放宽时间或调整优先级"),
    "lock_conflict": N_("锁定的护理员、时间或顺序互相矛盾，请解除其中一项锁定"),
    "nobody_may": N_("没有护理员符合 %(task)s 的条件，请查看各护理员的排除原因"),
    "pair_needs_two": N_("双人服务要两名护理员，符合条件的只有一名，请再安排一名"),
    "place_unknown": N_("地址没有定位，算不出路程，请先补上位置"),
    "shift": N_("符合条件的护理员的班次都容不下这一单，请调整班次或服务时间"),
    "tasks": N_("一单只能有一项或两项任务，请拆成几单"),
    "visit_twice": N_("编号 %(visit)s 出现了两次，只排了第一次，请核对"),
    "window": N_("服务时间有误或没有人能按时到，请更正最早与最晚开始时间"),
}
"""Codes of ``Left``."""

NOTES: Mapping[str, str] = {
    "break_impossible": N_("护理员 %(worker)s 的休息时间有误，没有安排休息"),
    "carer_hours": N_("护理员 %(worker)s 的班次时间有误，没有派单"),
    "carer_place": N_("护理员 %(worker)s 的出发或收工地点没有定位，没有派单"),
    "carer_twice": N_("护理员 %(worker)s 出现了两次，只用了第一次"),
    "sequence_unknown": N_("锁定顺序中有不存在的护理员或单 %(visit)s，已略过"),
    "ways_missing": N_("有些地点之间没有路程，已按不可达处理"),
}
"""Codes of ``Plan.notes``; a note is its code, a colon and whom it is about."""


def sentence(code: str, values: Mapping[str, object] | None = None) -> str:
    """Return the sentence of a code of ``Left``, in the source language."""
    return LEFT[code] % dict(values or {})


def note_sentence(note: str) -> str:
    """Return the sentence of one of ``Plan.notes``, in the source language."""
    code, _, about = note.partition(":")
    return NOTES[code] % {"worker": about, "visit": about}
