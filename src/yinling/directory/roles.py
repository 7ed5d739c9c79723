"""Which role has which rights, with a sentence for people. The database stores grants of these roles, nothing finer."""

from __future__ import annotations

from dataclasses import dataclass

from yinling.directory.rights import RIGHTS
from yinling.kernel.words import N_


@dataclass(frozen=True)
class Role:
    """A role: its code, Chinese name, what it is for, its rights; ``anchor`` says what a grant of it names (area, organisation, self)."""

    code: str
    name: str
    purpose: str
    rights: frozenset[str]
    anchor: str = "area"
    home: str = "/"

    def __str__(self) -> str:
        return self.name


def _rights(*patterns: str) -> frozenset[str]:
    """Expand ``context.noun.*`` and ``context.*``; an unknown name is an error at start."""
    found: set[str] = set()
    for pattern in patterns:
        stem = pattern.removesuffix("*")
        hits = {right for right in RIGHTS if right == pattern or (pattern.endswith("*") and right.startswith(stem))}
        if not hits:
            message = f"unknown right {pattern}"
            raise KeyError(message)
        found |= hits
    return frozenset(found)


_EVERYBODY = (
    "accounts.notice.read", "accounts.user.adjust", "catalogue.item.view", "directory.organisation.view", "directory.area.view",
)  # fmt: skip
_TOKENS = ("directory.token.issue", "directory.token.end")
_TICKET_WORK = (
    "hotline.ticket.annotate", "hotline.ticket.resolve", "hotline.ticket.take", "hotline.ticket.transfer", "hotline.ticket.view",
)  # fmt: skip
_PEOPLE_WORK = (
    "people.elder.view", "people.elder.register", "people.elder.update", "people.elder.relocate", "people.elder.bury", "people.contact.*",
    "people.circumstance.*", "people.campaign.answer", "people.campaign.view", "people.consent.*", "people.health.end",
    "people.health.link", "people.health.record", "people.health.view", "people.elder.verify", "people.household.correct",
    "people.representative.*",
)  # fmt: skip
_DOUBLES = ("people.elder.merge", "people.elder.separate", "people.merge.undo")
_IMPORT = ("people.import.*", "people.line.decide", "people.source.save")
_WATCH = (
    "assessment.assessment.view", "people.elder.view", "orders.order.view", "visits.visit.view", "dispatch.assignment.view",
    "hotline.ticket.view", "entitlements.application.view", "entitlements.entitlement.view", "directory.staff.view",
    "indicators.value.view",
)  # fmt: skip
_APPLY = ("assessment.assessment.view", "assessment.request.apply", "assessment.request.view", "assessment.request.withdraw")  # fmt: skip
_LEARNED = ("dispatch.correction.confirm", "dispatch.correction.end", "dispatch.correction.reject", "dispatch.correction.view")  # fmt: skip
_CENTRE = (
    *_APPLY, "assessment.assessment.inspect", "assessment.assessment.record", "assessment.commission.*", "assessment.form.print",
    "assessment.recognition.*", "assessment.request.*",
)  # fmt: skip
_BENEFIT_DESK = (
    "entitlements.application.apply", "entitlements.application.attach", "entitlements.application.complete", "entitlements.application.view",
    "entitlements.application.withdraw", "entitlements.objection.raise",
)  # fmt: skip
_BENEFIT_REVIEW = (
    *_BENEFIT_DESK, "entitlements.application.review", "entitlements.budget.view", "entitlements.notice.publish", "entitlements.objection.reveal",
)  # fmt: skip
_BENEFIT_DECISION = (
    "entitlements.application.approve", "entitlements.application.refuse", "entitlements.application.withdraw", "entitlements.budget.*",
    "entitlements.notice.publish", "entitlements.objection.*",
)  # fmt: skip
_PEOPLE_OF_BODY = ("directory.absence.*", "directory.policy.*", "directory.staff.*")
_DOOR = (
    "directory.absence.report", "visits.visit.consult",
    "dispatch.assignment.accept", "dispatch.assignment.accept_all", "dispatch.assignment.refuse", "dispatch.assignment.release",
    "dispatch.assignment.view", "dispatch.order.claim",
    "visits.visit.abort", "visits.visit.attach", "visits.visit.depart", "visits.visit.finish", "visits.visit.start", "visits.visit.view",
    "visits.visit.inspect",
)  # fmt: skip
_AVOID = ("dispatch.avoidance.end", "dispatch.avoidance.record")
_OWN = (
    "dispatch.avoidance.ask",
    "dispatch.avoidance.end",
    "people.health.view",
    "people.health.reveal",
    *_APPLY,
    "orders.order.view",
    "orders.order.place",
    "orders.order.cancel",
    "visits.visit.view",
    "visits.visit.evaluate",
    "visits.visit.inspect",
    "hotline.ticket.open",
    "hotline.ticket.view",
    *(right for right in _BENEFIT_DESK if right.startswith("entitlements.application.")),
    "entitlements.entitlement.view",
    "people.consent.*",
    "people.elder.view",
    "settlement.order.view",
)

_LIST = [
    Role(
        "seat",
        N_("坐席"),
        N_("接听热线，登记工单，下单，回访"),
        _rights(
            *_EVERYBODY,
            "entitlements.application.view",
            "entitlements.objection.raise",
            *_APPLY,
            *_TICKET_WORK,
            "hotline.*",
            *_PEOPLE_WORK,
            "people.elder.reveal",
            "people.health.reveal",
            "orders.order.place",
            "orders.order.cancel",
            "orders.order.view",
            *_AVOID,
            "dispatch.assignment.view",
            "visits.visit.view",
            "visits.visit.evaluate",
            "entitlements.entitlement.view",
            "directory.staff.view",
        ),
        "area",
        "/desk/",
    ),
    Role(
        "dispatcher",
        N_("调度员"),
        N_("为订单选派人员，改派"),
        _rights(
            *_EVERYBODY,
            *_WATCH,
            "directory.absence.*",
            *_LEARNED,
            *_AVOID,
            "dispatch.claim.*",
            "dispatch.order.*",
            "dispatch.plan.*",
            "orders.order.cancel",
            "orders.order.place",
            "hotline.ticket.annotate",
        ),
        "area",
        "/dispatch/",
    ),
    Role("carer", N_("护理员"), N_("上门服务，签到签退"), _rights(*_EVERYBODY, *_DOOR), "organisation", "/m/"),
    Role("nurse", N_("护士"), N_("上门护理，签到签退"), _rights(*_EVERYBODY, *_DOOR), "organisation", "/m/"),
    Role("doctor", N_("医生"), N_("上门医疗，签到签退"), _rights(*_EVERYBODY, *_DOOR), "organisation", "/m/"),
    Role(
        "assessor",
        N_("评估员"),
        N_("上门或定点评估老年人能力，填写评估表"),
        _rights(*_EVERYBODY, "assessment.form.*", "assessment.request.view"),
        "organisation",
        "/assessments/",
    ),
    Role(
        "provider_manager",
        N_("服务商管理员"),
        N_("管理本机构的人员、价目、订单和对账"),
        _rights(
            *_EVERYBODY,
            "assessment.request.assign",
            "assessment.request.view",
            *_TOKENS,
            "orders.order.accept",
            "orders.order.refuse",
            "orders.order.view",
            *_AVOID,
            "dispatch.assignment.*",
            "dispatch.claim.*",
            *_LEARNED,
            "dispatch.order.*",
            "dispatch.plan.*",
            *_PEOPLE_OF_BODY,
            "catalogue.price_list.*",
            "visits.visit.view",
            "visits.visit.inspect",
            "settlement.statement.view",
            "settlement.order.view",
            "hotline.ticket.annotate",
            "hotline.ticket.resolve",
            "hotline.ticket.take",
            "hotline.ticket.view",
        ),
        "organisation",
        "/orders/",
    ),
    Role(
        "station",
        N_("服务站"),
        N_("社区服务站：登记老年人，代为下单"),
        _rights(
            *_EVERYBODY,
            *_BENEFIT_DESK,
            *_APPLY,
            *_PEOPLE_WORK,
            "orders.order.place",
            "orders.order.cancel",
            "orders.order.view",
            "hotline.ticket.open",
            "hotline.ticket.view",
            "entitlements.entitlement.view",
            "visits.visit.view",
        ),
        "area",
        "/elders/",
    ),
    Role(
        "visitor",
        N_("探访员"),
        N_("探访老年人，反映需求"),
        _rights(*_EVERYBODY, "people.elder.view", "hotline.ticket.open", "hotline.ticket.view"),
        "area",
        "/elders/",
    ),
    Role("volunteer", N_("志愿者"), N_("参加志愿服务"), _rights(*_EVERYBODY), "area", "/catalogue/"),
    Role("surveyor", N_("勘察员"), N_("入户勘察"), _rights(*_EVERYBODY, "people.elder.view"), "area", "/elders/"),
    Role(
        "community",
        N_("社区工作人员"),
        N_("管理本社区老年人档案"),
        _rights(*_EVERYBODY, *_APPLY, *_BENEFIT_DESK, *_PEOPLE_WORK, *_WATCH, "hotline.ticket.open", *_TICKET_WORK),
        "area",
        "/elders/",
    ),
    Role(
        "street",
        N_("街道工作人员"),
        N_("街道的档案、工单和待遇"),
        _rights(
            *_EVERYBODY,
            *_BENEFIT_REVIEW,
            *_APPLY,
            "assessment.assessment.record",
            *_PEOPLE_WORK,
            *_DOUBLES,
            *_IMPORT,
            "people.campaign.make",
            "assessment.health.grade",
            "people.elder.correct",
            *_WATCH,
            "hotline.ticket.open",
            *_TICKET_WORK,
            "entitlements.entitlement.*",
        ),
        "area",
        "/elders/",
    ),
    Role(
        "district",
        N_("区县管理员"),
        N_("区县的资源、待遇和指标"),
        _rights(
            *_EVERYBODY,
            *_BENEFIT_DECISION,
            *_CENTRE,
            *_TOKENS,
            *_PEOPLE_WORK,
            *_DOUBLES,
            *_IMPORT,
            "people.campaign.make",
            "assessment.health.grade",
            "people.health.review",
            "people.elder.correct",
            *_WATCH,
            *_TICKET_WORK,
            "hotline.ticket.open",
            "entitlements.entitlement.*",
            "directory.organisation.*",
            "directory.policy.*",
            "directory.service_area.*",
            "directory.site.register",
            "directory.site.update",
            "directory.staff.qualify",
            "supervision.finding.view",
            "settlement.statement.view",
            "settlement.recovery.view",
            "settlement.order.view",
            "indicators.value.compute",
        ),
        "area",
        "/indicators/",
    ),
    Role(
        "city",
        N_("市级管理员"),
        N_("全市的资源、清单、日历和指标"),
        _rights(
            *_EVERYBODY,
            "entitlements.budget.*",
            *_CENTRE,
            "assessment.scale.*",
            *_DOUBLES,
            *_TOKENS,
            *_IMPORT,
            "people.circumstance.*",
            "people.elder.bury",
            "people.elder.correct",
            "people.elder.register",
            "people.elder.relocate",
            *_WATCH,
            "people.campaign.make",
            "people.campaign.view",
            "people.health.view",
            "hotline.ticket.view",
            "hotline.call.view",
            "directory.organisation.*",
            "directory.service_area.*",
            "directory.site.register",
            "directory.site.update",
            *_PEOPLE_OF_BODY,
            "directory.calendar.*",
            "catalogue.*",
            "supervision.finding.view",
            "settlement.statement.view",
            "settlement.recovery.view",
            "settlement.order.view",
            "indicators.value.*",
            "directory.clock.move",
        ),
        "area",
        "/indicators/",
    ),
    Role(
        "supervisor",
        N_("监管员"),
        N_("核查预警，解除或认定"),
        _rights(
            *_EVERYBODY,
            *_WATCH,
            "people.health.review",
            "supervision.finding.acknowledge",
            "supervision.finding.release",
            "supervision.finding.uphold",
            "supervision.finding.view",
            "visits.visit.inspect",
            "visits.visit.review",
            "hotline.call.view",
            "settlement.order.view",
        ),
        "area",
        "/findings/",
    ),
    Role(
        "inspector",
        N_("检查员"),
        N_("查看预警和服务记录"),
        _rights(*_EVERYBODY, *_WATCH, "supervision.finding.view", "visits.visit.inspect"),
        "area",
        "/findings/",
    ),
    Role(
        "finance",
        N_("财务人员"),
        N_("结算，对账单初审和复核"),
        _rights(
            *_EVERYBODY,
            "entitlements.application.view",
            "entitlements.budget.confirm",
            "entitlements.budget.view",
            "orders.order.view",
            "visits.visit.view",
            "settlement.*",
            "indicators.value.view",
            "entitlements.entitlement.view",
        ),
        "area",
        "/settlement/",
    ),
    Role(
        "auditor",
        N_("审计人员"),
        N_("查看账目、预警和日志"),
        _rights(
            *_EVERYBODY,
            "entitlements.budget.view",
            *_WATCH,
            "settlement.statement.view",
            "settlement.recovery.view",
            "settlement.order.view",
            "supervision.finding.view",
            "visits.visit.inspect",
            "accounts.journal.view",
        ),
        "area",
        "/settlement/",
    ),
    Role(
        "adviser",
        N_("养老顾问"),
        N_("提供咨询"),
        _rights(*_EVERYBODY, "people.elder.view", "hotline.ticket.open", "hotline.ticket.view"),
        "area",
        "/catalogue/",
    ),
    Role(
        "evaluator",
        N_("第三方评估"),
        N_("查看服务评价和指标"),
        _rights(*_EVERYBODY, "indicators.value.view", "visits.visit.view", "orders.order.view"),
        "area",
        "/indicators/",
    ),
    Role("elder", N_("老年人"), N_("预约服务，查看和评价自己的服务"), _rights(*_EVERYBODY, *_OWN), "self", "/e/"),
    Role("family", N_("家属"), N_("为家中老人预约、查看和评价服务"), _rights(*_EVERYBODY, *_OWN), "self", "/e/"),
    Role(
        "system_admin",
        N_("系统管理员"),
        N_("开设账号，维护字典，查看系统状态"),
        _rights(
            *_EVERYBODY,
            "directory.area.rename",
            "directory.user.register",
            "directory.system.view",
            "directory.clock.move",
            "directory.calendar.*",
            "catalogue.item.*",
            "directory.organisation.view",
        ),
        "area",
        "/system/",
    ),
    Role(
        "security_admin",
        N_("安全管理员"),
        N_("授权与终止授权，二人复核"),
        _rights(*_EVERYBODY, "directory.grant.*", "directory.token.*", "directory.system.view"),
        "area",
        "/grants/",
    ),
    Role(
        "audit_admin",
        N_("审计管理员"),
        N_("查看审计日志"),
        _rights(*_EVERYBODY, "accounts.journal.view", "directory.system.view"),
        "area",
        "/journal/",
    ),
    Role(
        "system",
        N_("系统任务"),
        N_("后台任务：派单超时、结算、预警、指标"),
        _rights(
            "assessment.request.withdraw",
            "dispatch.order.*",
            "dispatch.plan.balance",
            "dispatch.assignment.*",
            "dispatch.correction.propose",
            "dispatch.correction.replace",
            "settlement.order.settle",
            "supervision.finding.write",
            "supervision.finding.view",
            "indicators.value.*",
            "orders.order.*",
            "hotline.*",
            "settlement.statement.draft",
            "settlement.recovery.draft",
            "settlement.recovery.lift",
            "settlement.recovery.return",
            "entitlements.application.call_up",
            "entitlements.application.recount",
            "entitlements.application.withdraw",
            "entitlements.entitlement.end",
            "entitlements.entitlement.stop",
            "assessment.health.grade",
            "people.elder.view",
            "visits.visit.view",
        ),
        "area",
        "/",
    ),
]

ROLES: dict[str, Role] = {role.code: role for role in _LIST}
EXCLUSIVE = frozenset({"system_admin", "security_admin", "audit_admin"})
DEMO_ROLES = tuple(code for code in ROLES if code != "system")
