"""What a result may say and how long it holds, who may assess, and which department takes which result. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from yinling.assessment.inputs import ABILITY_SCALES, LEVELS
from yinling.assessment.scoring import Outcome, scale
from yinling.kernel.period import ONE_DAY, DayPeriod, add_months, last_day_of_span
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

ORDER = ("intact", "mild", "moderate", "severe", "total")
GBT_FROM = date(2022, 12, 30)
MOST_POINTS = 90
_GBT_BANDS = ((90, "intact"), (66, "mild"), (46, "moderate"), (30, "severe"), (0, "total"))
"""GB/T 42195-2022: the least points of each level."""


def level_by_points(points: int) -> str:
    """Return the level that the points alone give by GB/T 42195-2022."""
    if not 0 <= points <= MOST_POINTS:
        raise Refused("assessment.points", N_("总分应在0到90之间，请核对"), field="points")
    return next(level for least, level in _GBT_BANDS if points >= least)


def check_result(*, scale: str, level: str, points: int | None, assessed_on: date, today: date) -> None:
    """Refuse a result from the future, by a standard not yet in force, or of a better level than its points.

    A worse level is possible: coma, dementia and risk events raise it.
    """
    if assessed_on > today:
        raise Refused("assessment.in_future", N_("评估日期晚于今天，请核对"), field="assessed_on")
    if scale != "gbt42195_2022":
        if level == "total":
            raise Refused("assessment.level", N_("该标准没有“完全失能”这一级，请核对"), field="level")
        return
    if assessed_on < GBT_FROM:
        raise Refused("assessment.before_standard", N_("评估日期早于该标准实施之日，请核对"), field="assessed_on")
    if points is None:
        raise Refused("assessment.no_points", N_("请填写总分"), field="points")
    if ORDER.index(level) < ORDER.index(level_by_points(points)):
        raise Refused("assessment.level_points", N_("等级轻于总分对应的等级，请核对总分和等级"), field="level")


def validity(assessed_on: date, months: int) -> DayPeriod:
    """Return the days on which a result holds: from the day of the assessment through the corresponding day (D-17)."""
    return DayPeriod(assessed_on, last_day_of_span(assessed_on, months=months) + ONE_DAY)


# Levels as codes of their own scale


def level_codes(scale_id: str) -> dict[str, str]:
    """Return code and name of every level of a scale, the best first. A constitution has no level."""
    levels = scale(scale_id).get("levels", [])
    if scale_id in ABILITY_SCALES:
        return dict(LEVELS[: len(levels)])
    return {str(one["level"]): str(one["zh"]) for one in levels}


def level_label(scale_id: str, code: str) -> str:
    """Return the name of a level in its scale."""
    return level_codes(scale_id).get(code, code)


def level_code(outcome: Outcome) -> str:
    """Return the level of an outcome as the code stored; empty for a scale that gives types and no level."""
    if outcome.final is not None:
        return ORDER[outcome.final]
    given = outcome.grade if outcome.grade is not None else outcome.level
    return "" if given is None else str(given)


def points_of(outcome: Outcome) -> int | None:
    """Return the number beside the level: the total, or of the six abilities how many are lost."""
    return outcome.total if outcome.total is not None else outcome.not_achieved


# Who may assess (R-ASM-04 to -06)


@dataclass(frozen=True)
class Process:
    """What one scale asks of its process in one city on one day: every value a dated parameter."""

    qualifications: tuple[str, ...]
    worst_skill_level: int
    assessors_home: int
    assessors_fixed: int
    medical_home: int
    experts: int
    expert_qualifications: tuple[str, ...]
    separation: str
    commission: bool
    organisation_assessors: int
    declarations: tuple[str, ...]
    informant: bool
    reviewer: bool
    confirming_experts: int
    notice_levels: tuple[str, ...]
    notice_days: int
    severe_levels: tuple[str, ...]
    reassess_after_months: int
    appeal_is_final: bool
    warn_days: int


@dataclass(frozen=True)
class Person:
    """Who assesses: the row, whose it is, in what capacity, which certificates hold on the day, and the level of skill."""

    staff_id: int
    name: str
    capacity: str
    certificates: frozenset[str] = frozenset()
    skill_level: int | None = None


MEDICAL = frozenset({"doctor", "nurse"})


def qualified_by(person: Person, process: Process) -> str:
    """Return the certificate by which a person may assess. Of levels of skill the smaller number is the better (X-STF-01).

    Raises Refused ``assessor.junior`` and ``assessor.not_qualified``.
    """
    accepted = process.expert_qualifications if person.capacity in ("expert", "confirming") else process.qualifications
    held = [kind for kind in accepted if kind in person.certificates]
    if held and held[0] != "care_worker":
        return held[0]
    if not held:
        raise Refused(
            "assessor.not_qualified", N_("%(name)s 没有当日有效的评估资格证书，请另选人员"), name=person.name, field="assessors"
        )  # fmt: skip
    if person.skill_level is None or person.skill_level > process.worst_skill_level:
        raise Refused(
            "assessor.junior", N_("%(name)s 的养老护理员等级不够，须%(level)s级及以上（数字越小等级越高）"), name=person.name,
            level=process.worst_skill_level, field="assessors",
        )  # fmt: skip
    return held[0]


def check_people(people: Iterable[Person], process: Process, mode: str) -> None:
    """Refuse an assessment by too few, unqualified or wrongly composed people; the same person twice counts once."""
    distinct = {person.staff_id: person for person in people if person.capacity in ("assessor", "expert")}
    for person in distinct.values():
        qualified_by(person, process)
    experts = sum(person.capacity == "expert" for person in distinct.values())
    if experts < process.experts:
        raise Refused("request.no_expert", N_("现场须有%(least)s名评估专家签名"), least=process.experts, field="signed")
    least = process.assessors_home if mode == "home" else process.assessors_fixed
    if len(distinct) < least:
        code = "request.one_assessor" if mode == "home" else "request.no_assessor"
        raise Refused(
            code, N_("现场评估人员不得少于%(least)s名（同一人只算一名），现有%(given)s名"), least=least, given=len(distinct), field="signed",
        )  # fmt: skip
    medical = sum(bool(person.certificates & MEDICAL) for person in distinct.values())
    if mode == "home" and medical < process.medical_home:
        raise Refused("request.no_medical", N_("上门评估人员中须有%(least)s名医护人员"), least=process.medical_home, field="signed")  # fmt: skip


def check_independence(process: Process, mode: str, *, serves_area: bool, delivers_care: bool) -> None:
    """Refuse an organisation that would judge those whom it serves."""
    if process.separation == "never" or (process.separation == "home" and mode != "home"):
        return
    if serves_area or delivers_care:
        raise Refused(
            "organisation.serves",
            N_("该机构在老人所在地提供照护服务，不能同时评估，请另选机构"),
            field="organisation_id",
        )


def check_declared(declared: Mapping[str, Any], informant: str, process: Process) -> None:
    """Refuse a form without what the scale asks the assessors to declare, and without the person who gave the information."""
    sentences = {
        "no_interest": N_("评估人员须声明与老人没有亲属或利害关系；有关系的须回避"),
        "guardian_present": N_("评估时须有监护人或代理人在场"),
        "video": N_("评估须全程录像"),
    }
    for name in process.declarations:
        if declared.get(name) is not True:
            raise Refused(f"request.{name}", sentences[name], field="declared")
    if process.informant and not informant.strip():
        raise Refused("request.no_informant", N_("请填写信息提供者并请其签名"), field="informant")


def check_reviewers(process: Process, reviewers: int, confirming: int) -> None:
    """Refuse to conclude before others have looked at it: a reviewer who assessed nothing, or the confirming experts."""
    if process.reviewer and not reviewers:
        raise Refused("request.not_reviewed", N_("请先由评估人员以外的人复核"))
    if confirming < process.confirming_experts:
        raise Refused(
            "request.not_confirmed", N_("须由%(least)s名未到现场的专家确认，现有%(given)s名"), least=process.confirming_experts, given=confirming,
        )  # fmt: skip


def check_notice(process: Process, level: str, *, notice_to: date | None, today: date) -> None:
    """Refuse to conclude a level that gives benefits before its public notice has run."""
    if level not in process.notice_levels:
        return
    if notice_to is None:
        raise Refused("request.not_noticed", N_("该等级可以享受待遇，须先公示"))
    if today < notice_to:
        raise Refused("request.notice_runs", N_("公示期未满，%(day)s 起可以认定"), day=notice_to.isoformat())


# When a second assessment is in order (R-ASM-01, -08, -10)


@dataclass(frozen=True)
class Held:
    """A result on record, as the rules see it."""

    scale: str
    level: str
    assessed_on: date
    valid: DayPeriod
    purpose: str = ""
    is_provisional: bool = False


def check_occasion(scale_id: str, mode: str, purpose: str) -> None:
    """Refuse a scale that is made for one occasion on another: the needs of a home are seen in the home, for its adaptation (R-ASM-11)."""
    form = scale(scale_id)
    if mode not in form.get("modes", (mode,)):
        raise Refused("request.mode", N_("这项评估须到老人家中进行，请选“上门评估”"), field="mode")
    if purpose not in form.get("purposes", (purpose,)):
        raise Refused("request.purpose", N_("这项评估只用于居家适老化改造，请选这一用途"), field="purpose")


def check_second(
    held: Sequence[Held], *, scale_id: str, reason: str, change_declared: str, on: date, process: Process
) -> None:
    """Refuse a second assessment for a purpose that a valid result already serves, unless a change is declared.

    ``held`` are the results that serve the purpose, the recognised ones among them. A routine one may come when the result soon expires.
    """
    valid = [one for one in held if one.valid.contains(on)]
    if reason == "appeal" or not valid:
        return
    newest = max(valid, key=lambda one: one.assessed_on)
    if reason == "immediate":
        if not change_declared.strip():
            raise Refused("request.no_change", N_("有效期内再次评估，请写明情况有什么变化"), field="change_declared")
        earliest = add_months(newest.assessed_on, process.reassess_after_months)
        if newest.scale == scale_id and on < earliest:
            raise Refused(
                "request.too_soon", N_("上次评估后须满%(months)s个月，%(day)s 起可以申请"), months=process.reassess_after_months,
                day=earliest.isoformat(), field="reason",
            )  # fmt: skip
        return
    last = newest.valid.last_day
    if reason == "routine" and last is not None and (last - on).days <= process.warn_days:
        return
    raise Refused(
        "request.valid_result", N_("已有对此用途有效的评估结果（有效至 %(day)s），不必重复评估；情况有变化的请选“即时评估”"),
        day="—" if last is None else last.isoformat(), field="purpose",
    )  # fmt: skip


def check_appeal(former: Held | None, *, scale_id: str, was_appeal: bool, process: Process, on: date) -> None:
    """Refuse an appeal without a result of this scale in force, and a second appeal where the first one is final."""
    if former is None or former.scale != scale_id or not former.valid.contains(on):
        raise Refused("request.no_former", N_("请从有疑问的、仍在有效期内的评估结果提出复评"), field="reason")
    if was_appeal and process.appeal_is_final:
        raise Refused("request.final", N_("这是复评的结论，为最终结论，不能再次复评"), field="reason")


def check_six_abilities(kinds: Collection[str], groups: Collection[str], *, is_recognised: bool) -> None:
    """Refuse the six-ability test for those whom the plan does not send to it (R-ASM-10)."""
    if "destitute" in kinds and is_recognised:
        raise Refused("request.recognised", N_("分散供养特困人员已认定为失能的，不再重复评估"), field="scale")
    if not set(kinds) & set(groups):
        raise Refused("request.other_group", N_("六项指标只用于建档立卡对象，请选其他评估标准"), field="scale")


def station(reason: str, home_div: str, hukou_div: str, rule: str) -> str:
    """Return the division an application goes to: a dynamic re-assessment to the station of the registered residence (R-ASM-08)."""
    return hukou_div if reason == "immediate" and rule == "hukou" and hukou_div else home_div


# Recognition by record, never by arithmetic


@dataclass(frozen=True)
class Accepts:
    """What a department accepts: results of a scale at some levels for a purpose, by a document."""

    department: str
    from_scale: str
    from_levels: frozenset[str]
    purpose: str
    accepted_as: str
    legal_basis: str
    max_age_months: int | None = None
    needs_consent: bool = True


@dataclass(frozen=True)
class Recognised:
    """The answer: whether a department takes a result, as what, and why or why not."""

    is_recognised: bool
    reason: str
    accepted_as: str = ""
    legal_basis: str = ""


def recognised(
    held: Held, *, department: str, purpose: str, on: date, policies: Iterable[Accepts], has_consent: bool
) -> Recognised:
    """Say whether a department takes a result for a purpose on a day. Without a record on a document it does not."""
    policy = next(
        (one for one in policies if (one.department, one.purpose, one.from_scale) == (department, purpose, held.scale)),
        None,
    )
    if policy is None:
        return Recognised(False, N_("没有互认依据：该部门未规定认可此标准用于此用途"))  # noqa: FBT003
    reason = ""
    if held.is_provisional:
        reason = N_("该等级为暂定，未经确认，不能作为依据")
    elif held.level not in policy.from_levels:
        reason = N_("该等级不在互认范围内")
    elif not held.valid.contains(on):
        reason = N_("结果当日不在有效期内")
    elif policy.max_age_months is not None and on > add_months(held.assessed_on, policy.max_age_months):
        reason = N_("结果超过互认规定的期限")
    elif policy.needs_consent and not has_consent:
        reason = N_("没有本人同意共享评估结果的记录")
    if reason:
        return Recognised(False, reason, legal_basis=policy.legal_basis)  # noqa: FBT003
    return Recognised(True, N_("按互认文件认可"), policy.accepted_as, policy.legal_basis)  # noqa: FBT003


# What the answers say somebody needs (R-ASM-09)


def scores_of(scale_id: str, answers: Mapping[str, Any]) -> dict[str, int]:
    """Return the score of every item by its number, as far as answered."""
    form = scale(scale_id)
    if "domains" not in form:
        given = answers.get("scores") or answers.get("achieved") or answers.get("answers") or []
        items = form.get("items") or [{"code": str(number)} for number in range(1, len(given) + 1)]
        return {str(item["code"]): int(value) for item, value in zip(items, given, strict=False) if value is not None}
    found: dict[str, int] = {}
    flat = list(answers.get("scores") or [])
    for domain in form["domains"]:
        size = len(domain["items"])
        given, flat = (
            (flat[:size], flat[size:]) if "scores" in answers else (answers.get(domain.get("key")) or [], flat)
        )
        found |= {
            str(item["code"]): value
            for item, value in zip(domain["items"], given, strict=False)
            if isinstance(value, int)
        }
    return found


def needed_families(scores: Mapping[str, int], table: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the families of service that the answers speak for, in the order of the table: any item at or beyond its mark."""
    return [
        str(row["family"])
        for row in table
        if any(
            (scores[code] <= row["at_most"] if "at_most" in row else scores[code] >= row["at_least"])
            for code in map(str, row["items"])
            if code in scores
        )
    ]
