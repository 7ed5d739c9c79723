"""Conditions, evidence and amounts of schemes in words, for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext as _

from yinling.assessment.inputs import SCALES
from yinling.assessment.rules import level_label
from yinling.entitlements.conditions import PLACES, Age, Amounts, Holds, Hukou, Kinds, Levels, Term
from yinling.entitlements.eligibility import Eligibility, Evidence, Reason
from yinling.kernel.money import yuan
from yinling.kernel.period import ONE_DAY
from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES
from yinling.web.show import day, label_of, tr

ABILITIES = {"disabled": N_("失能"), "semi_disabled": N_("半失能")}
UNITS = {
    "breakfast": N_("早餐每份"), "lunch": N_("午餐每份"), "dinner": N_("晚餐每份"), "delivery": N_("送餐每次"),
    "care_worker_visit": N_("护理员每次上门"), "medical_carer_visit": N_("医疗护理员每次上门"), "nurse_visit": N_("护士每次上门"),
    "family_care_day": N_("家人照护每天"), "visits_a_week": N_("每周上门次数"),
    "visits_a_month": N_("每月上门次数"), "hours_a_week": N_("每周小时数"), "hours_a_month": N_("每月小时数"),
    "breakfasts_a_day": N_("每天早餐份数"), "lunches_a_day": N_("每天午餐份数"), "dinners_a_day": N_("每天晚餐份数"),
}  # fmt: skip
PER_CENT_BP = 100


def listed(parts: list[str]) -> str:
    """Join words of a list."""
    return _("、").join(parts)


def kinds_in_words(kinds: frozenset[str]) -> str:
    """Name circumstances in the order of the register."""
    return listed([tr(label) for kind, label in CIRCUMSTANCES if kind in kinds])


def term_in_words(term: Term, schemes: Mapping[str, str]) -> str:
    """Write one condition as people read it; ``schemes`` are names by code."""
    if isinstance(term, Age):
        return _age(term)
    if isinstance(term, Kinds):
        kinds = kinds_in_words(term.kinds)
        if term.is_hardship:
            return _("经济困难（%(kinds)s）") % {"kinds": kinds}
        return _("同住的其他人中有：%(kinds)s") % {"kinds": kinds} if term.of_household else kinds
    if isinstance(term, Levels):
        return _levels(term)
    if isinstance(term, Holds):
        return _("正在享受“%(scheme)s”") % {"scheme": tr(schemes.get(term.code, term.code))}
    return _("本地户籍") if isinstance(term, Hukou) else _("本地常住")


def _age(term: Age) -> str:
    if term.least is not None and term.most is not None:
        return _("%(least)s至%(most)s周岁") % {"least": term.least, "most": term.most}
    return (
        _("满%(least)s周岁") % {"least": term.least}
        if term.least is not None
        else _("不超过%(most)s周岁") % {"most": term.most}
    )


def _levels(term: Levels) -> str:
    scales = []
    for scale, label in SCALES:
        levels = [level_label(scale, level) for name, level in sorted(term.results) if name == scale]
        if levels:
            scales.append(
                _("%(scale)s：%(levels)s") % {"scale": tr(label), "levels": listed([tr(level) for level in levels])}
            )
    text = _("；").join(scales)
    words = listed([tr(ABILITIES.get(word, word)) for word in term.ability.split("+") if word])
    return _("%(words)s（%(text)s）") % {"words": words, "text": text} if words else text


def evidence_in_words(found: Evidence, schemes: Mapping[str, str]) -> str:
    """Write by what a condition holds, and how long that is known to last."""
    if found.fact is not None:
        label = tr(schemes.get(found.fact.kind, "")) or label_of(found.fact.kind, CIRCUMSTANCES)
        text = _("%(what)s（%(body)s）") % {"what": label, "body": found.fact.body} if found.fact.body else label
    elif found.result is not None:
        result = found.result
        what = {
            "scale": label_of(result.scale, SCALES),
            "level": tr(level_label(result.scale, result.level)),
            "day": day(result.assessed_on),
        }
        text = _("%(scale)s %(level)s，%(day)s评估") % what
    else:
        text = term_in_words(found.term, schemes)
    if found.days is None:
        return text
    values = {"what": text, "first": day(found.days.from_), "last": day(found.days.last_day)}
    return _("%(what)s，%(first)s起至%(last)s") % values if found.days.last_day else _("%(what)s，%(first)s起") % values


def reason_in_words(reason: Reason, schemes: Mapping[str, str]) -> str:
    """Write a group: its words, or those of the exclusion."""
    return tr(reason.group.label) or listed([term_in_words(term, schemes) for term in reason.group.terms])


def last_day(to: date) -> date:
    """Return the last day of a half-open period, as people read it (D-17)."""
    return to - ONE_DAY


def amounts_in_words(amounts: Amounts) -> list[str]:
    """Write what a grade gives, line by line; a plan without numbers says so."""
    lines = []
    if amounts.share_bp is not None:
        lines.append(_("支付服务价格的 %(share)s %%") % {"share": f"{amounts.share_bp / PER_CENT_BP:g}"})
        cap = amounts.monthly_cap_fen
        lines.append(_("每月最高 %(sum)s 元") % {"sum": yuan(cap)} if cap is not None else _("不设每月上限"))
        lines += [
            _("%(place)s：支付 %(share)s %%") % {"place": tr(PLACES[place]), "share": f"{share / PER_CENT_BP:g}"}
            for place, share in amounts.places
        ]
    if amounts.once_fen is not None:
        lines.append(_("一次性，最高 %(sum)s 元") % {"sum": yuan(amounts.once_fen)})
    lines += [
        _("%(unit)s %(sum)s 元") % {"unit": tr(UNITS.get(unit, unit)), "sum": yuan(fen)} for unit, fen in amounts.units
    ]
    return lines + _counts(amounts) or [_("金额未配置")]


def limits_in_words(amounts: Amounts) -> list[str]:
    """Write how often and how much at most a grade gives, line by line."""
    cap = amounts.monthly_cap_fen
    return _counts(amounts) + ([_("每月最高 %(sum)s 元") % {"sum": yuan(cap)}] if cap is not None else [])


def _counts(amounts: Amounts) -> list[str]:
    lines = [
        _("%(unit)s %(count)s") % {"unit": tr(UNITS.get(unit, unit)), "count": count} for unit, count in amounts.counts
    ]
    for step in amounts.held:
        more = listed([f"{tr(UNITS.get(unit, unit))} {count}" for unit, count in (*step.counts, *step.extra)])
        lines.append(_("享受满 %(months)s 个月后另加：%(more)s") % {"months": step.after_months, "more": more})
    return lines


def when_in_words(answer: Eligibility) -> str:
    """Write until when an answer holds, as far as the facts on record say."""
    if answer.until is None:
        return _("按现有记录长期如此") if answer.is_eligible else ""
    if answer.is_eligible:
        return _("按现有记录至 %(last)s") % {"last": day(answer.until - ONE_DAY)}
    return _("%(first)s 起可以享受") % {"first": day(answer.until)}
