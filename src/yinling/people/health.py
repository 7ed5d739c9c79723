"""Who reads what of the health-record part, and for which purpose (X-PIP-04, X-PIP-06, X-PIP-15). Pure."""

from __future__ import annotations

from collections.abc import Collection

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

OPEN = frozenset({"check", "vaccination", "grade"})
"""Kinds whose date and item whoever may open the page reads: follow-ups need them."""
PROTECTED = frozenset({"allergy", "diagnosis", "medication", "contraindication"})
"""Kinds of which others read only that there is a record."""
ALERT_LABELS = {"allergy": N_("有过敏，点击查看"), "contraindication": N_("有接种禁忌，点击查看")}
ALERTING = frozenset(ALERT_LABELS)
NAMED = frozenset({"check", "vaccination", "contraindication"})
"""Kinds with an item that is counted; of the others everything stands in the sealed text."""
NO_ALLERGY = "none"
"""Item of an allergy fact that says: asked, none known."""
EMERGENCY = "emergency"
PURPOSES = [
    ("service", N_("安排或提供服务")), ("follow_up", N_("健康随访")), ("own", N_("本人或代理人查看")), (EMERGENCY, N_("紧急救治（事后告知并复核）")),
]  # fmt: skip
EVERYTHING = OPEN | PROTECTED
READ_BY = {
    "seat": ALERTING,
    "nurse": EVERYTHING,
    "doctor": EVERYTHING,
    "elder": EVERYTHING,
    "family": EVERYTHING,
}
"""What a role reads in clear; a carer what the family of the service needs, others nothing."""
OWN_ROLES = frozenset({"elder", "family"})


def readable(role: str, purpose: str, *, at_door: Collection[str] = ()) -> frozenset[str]:
    """Return the kinds a role reads in clear: in an emergency all, a carer at the door those that the service needs."""
    if role == "carer":
        return frozenset(at_door)
    kinds = READ_BY.get(role, frozenset())
    return EVERYTHING if kinds and purpose == EMERGENCY else kinds


def check_consent(*, role: str, purpose: str, has_consent: bool) -> None:
    """Refuse to read without the separate consent to share health data, unless a life is at stake or it is one's own record."""
    if not has_consent and purpose != EMERGENCY and role not in OWN_ROLES:
        sentence = N_("老人没有同意健康信息共享，不能查看。抢救生命时请选“紧急救治”，事后要告知本人并接受复核")
        raise Refused("health.no_consent", sentence, field="purpose")


def check_fact(kind: str, item: str, content: str) -> None:
    """Refuse a fact without what it says, and a sensitive word in the part that is not sealed."""
    if kind == "grade":
        raise Refused("health.grade", N_("健康管理分级由系统计算，不能手工填写"), field="kind")
    if kind in NAMED and not item:
        raise Refused("health.item_missing", N_("请写明体检种类或疫苗名称"), field="item")
    if kind not in NAMED and item and not (kind == "allergy" and item == NO_ALLERGY):
        raise Refused("health.item", N_("过敏、诊断和用药请写在“内容”里，内容加密保存，“项目”请留空"), field="item")
    if kind in PROTECTED and not content and item != NO_ALLERGY:
        raise Refused("health.content_missing", N_("请写明内容；问过而没有过敏的，项目填 none"), field="content")
