"""Rights that go together, shared by the roles, and how a role's rights are written."""

from __future__ import annotations

from yinling.directory.rights import RIGHTS


def rights_of(*patterns: str) -> frozenset[str]:
    """Expand ``context.noun.*`` and ``context.*``; a leading minus takes a right away again. An unknown name is an error at start."""
    found: set[str] = set()
    for pattern in sorted(patterns, key=lambda one: one.startswith("-")):
        name = pattern.removeprefix("-")
        stem = name.removesuffix("*")
        hits = {right for right in RIGHTS if right == name or (name.endswith("*") and right.startswith(stem))}
        if not hits:
            message = f"unknown right {pattern}"
            raise KeyError(message)
        found = found - hits if pattern.startswith("-") else found | hits
    return frozenset(found)


EVERYBODY = (
    "accounts.notice.read", "accounts.user.adjust", "catalogue.item.view", "directory.organisation.view", "directory.area.view",
)  # fmt: skip
TOKENS = ("directory.token.issue", "directory.token.end")
TICKET_WORK = (
    "hotline.supervision.answer", "hotline.supervision.view", "hotline.ticket.annotate", "hotline.ticket.remind", "hotline.ticket.resolve",
    "hotline.ticket.take", "hotline.ticket.transfer", "hotline.ticket.view",
)  # fmt: skip
PEOPLE_WORK = (
    "people.elder.view", "people.elder.register", "people.elder.update", "people.elder.relocate", "people.elder.bury", "people.contact.*",
    "people.circumstance.*", "people.campaign.answer", "people.campaign.view", "people.consent.*", "people.health.end",
    "people.health.link", "people.health.record", "people.health.view", "people.elder.verify", "people.household.correct",
    "people.optout.*", "people.representative.*",
)  # fmt: skip
DOUBLES = ("people.elder.merge", "people.elder.separate", "people.merge.undo")
IMPORT = ("people.import.*", "people.line.decide", "people.source.save")
WATCH = (
    "assessment.assessment.view", "people.elder.view", "orders.order.view", "visits.visit.view", "dispatch.assignment.view",
    "hotline.ticket.view", "entitlements.application.view", "entitlements.entitlement.view", "directory.staff.view",
    "indicators.value.view", "devices.alarm.view", "devices.device.view",
)  # fmt: skip
APPLY = ("assessment.assessment.view", "assessment.request.apply", "assessment.request.view", "assessment.request.withdraw")  # fmt: skip
LEARNED = ("dispatch.correction.confirm", "dispatch.correction.end", "dispatch.correction.reject", "dispatch.correction.view")  # fmt: skip
CENTRE = (
    *APPLY, "assessment.assessment.inspect", "assessment.assessment.record", "assessment.commission.*", "assessment.form.print",
    "assessment.recognition.*", "assessment.request.*",
)  # fmt: skip
BENEFIT_DESK = (
    "entitlements.application.apply", "entitlements.application.attach", "entitlements.application.complete", "entitlements.application.view",
    "entitlements.application.withdraw", "entitlements.objection.raise",
)  # fmt: skip
BENEFIT_REVIEW = (
    *BENEFIT_DESK, "entitlements.application.review", "entitlements.budget.view", "entitlements.notice.publish", "entitlements.objection.reveal",
)  # fmt: skip
BENEFIT_DECISION = (
    "entitlements.application.approve", "entitlements.application.refuse", "entitlements.application.withdraw", "entitlements.budget.*",
    "entitlements.notice.publish", "entitlements.objection.*",
)  # fmt: skip
PEOPLE_OF_BODY = ("directory.absence.*", "directory.policy.*", "directory.staff.*")
DOOR = (
    "directory.absence.report", "visits.visit.consult",
    "dispatch.assignment.accept", "dispatch.assignment.accept_all", "dispatch.assignment.refuse", "dispatch.assignment.release",
    "dispatch.assignment.view", "dispatch.order.claim",
    "visits.visit.abort", "visits.visit.attach", "visits.visit.depart", "visits.visit.finish", "visits.visit.start", "visits.visit.view",
    "visits.visit.inspect",
)  # fmt: skip
AVOID = ("dispatch.avoidance.end", "dispatch.avoidance.record")
OWN = (
    "dispatch.avoidance.ask",
    "dispatch.avoidance.end",
    "people.health.view",
    "people.health.reveal",
    *APPLY,
    "orders.order.view",
    "orders.order.place",
    "orders.order.cancel",
    "visits.visit.view",
    "visits.visit.evaluate",
    "visits.visit.inspect",
    "hotline.ticket.open",
    "hotline.ticket.view",
    *(right for right in BENEFIT_DESK if right.startswith("entitlements.application.")),
    "entitlements.entitlement.view",
    "people.consent.*",
    "people.elder.view",
    "people.optout.end",
    "people.optout.record",
    "settlement.order.view",
    "devices.alarm.view",
    "devices.device.view",
)
SEAT = (
    "hotline.activity.set", "hotline.article.draft", "hotline.article.revise", "hotline.article.use", "hotline.article.view",
    "hotline.call.abandon", "hotline.call.answer", "hotline.call.dial", "hotline.call.hand_over", "hotline.call.hang_up",
    "hotline.call.hold", "hotline.call.identify", "hotline.call.receive", "hotline.call.resume", "hotline.call.transfer",
    "hotline.call.view", "hotline.callback.arrange", "hotline.callback.finish", "hotline.callback.give_up", "hotline.callback.take",
    "hotline.callback.try_again", "hotline.callback.view", "hotline.emergency.advance", "hotline.exchange.export", "hotline.exchange.load",
    "hotline.exchange.retry", "hotline.exchange.view", "hotline.handover.inform", "hotline.handover.view", "hotline.leave.ask",
    "hotline.leave.cancel", "hotline.offer.end", "hotline.phone.use", "hotline.roster.view", "hotline.sample.object", "hotline.sample.view",
    "hotline.seat.pause", "hotline.seat.resume", "hotline.seat.sign_in", "hotline.seat.sign_out", "hotline.swap.agree", "hotline.swap.ask",
    "hotline.swap.cancel", "hotline.swap.refuse", "hotline.template.end", "hotline.template.save", "hotline.ticket.*",
)  # fmt: skip
"""What a seat does on the line."""
MESSAGES = ("accounts.message.resend", "accounts.message.view", "accounts.wording.*", "people.optout.*")
"""Who answers for what leaves the house by text message and WeChat."""
BODY_TICKETS = (
    "hotline.supervision.answer", "hotline.supervision.view", "hotline.ticket.annotate", "hotline.ticket.resolve", "hotline.ticket.take",
    "hotline.ticket.view",
)  # fmt: skip
"""What a body does with the tickets it was given."""
LINE_ABOVE = ("hotline.article.*", "hotline.exchange.view", "hotline.supervision.order", "hotline.supervision.view")
"""What district and city do above the line: orders in writing, and the second pair of eyes on the knowledge base."""
LEADER = (
    "hotline.*", "-hotline.handover.accept", "-hotline.handover.open", "-hotline.line_contract.end", "-hotline.line_contract.sign",
    "-hotline.operator_statement.approve", "-hotline.operator_statement.confirm", "-hotline.operator_statement.object",
    "-hotline.supervision.order",
)  # fmt: skip
"""The leader of the line: rosters, groups, quality and the wall besides; what is paid for it, others decide."""
OPERATOR = (
    "hotline.figure.view", "hotline.line_contract.view", "hotline.operator_statement.confirm", "hotline.operator_statement.object",
    "hotline.operator_statement.view", "hotline.sample.view",
)  # fmt: skip
"""The contracted company's own view of its line: figures, quality and statements, never who called."""
LINE_CITY = (
    "hotline.figure.view", "hotline.line_contract.*", "hotline.operator_statement.approve", "hotline.operator_statement.draft",
    "hotline.operator_statement.send", "hotline.operator_statement.view", "hotline.sample.view",
)  # fmt: skip
"""What a city does as the one who pays for the line."""
ALARM_WORK = (
    "devices.alarm.acknowledge", "devices.alarm.contact", "devices.alarm.depart", "devices.alarm.dismiss", "devices.alarm.resolve",
    "devices.alarm.view", "devices.device.view",
)  # fmt: skip
"""What somebody does who answers for alarms."""
DEVICE_WORK = (
    "devices.device.fence", "devices.device.import", "devices.device.install", "devices.device.pause", "devices.device.register",
    "devices.device.rekey", "devices.device.remove", "devices.device.update", "devices.device.view", "devices.task.close",
)  # fmt: skip
"""The register of devices and what is done about them."""
DEVICE_DESK = (*ALARM_WORK, *DEVICE_WORK)
ALARM_SEAT = (*ALARM_WORK, "devices.device.locate")
GREEN = ("hotline.handover.accept", "hotline.handover.open", "hotline.handover.view")
"""What a medical body does with an emergency that is handed to it."""
LINE_WATCH = ("hotline.call.view", "hotline.figure.view", "hotline.recording.listen", "hotline.sample.view")
"""What supervision sees of the line; a recording only with a reason."""
PLATFORM = (*TOKENS, "devices.event.report")
"""A platform of devices hands messages over, and sees nothing."""
SYSTEM = (
    "assessment.request.withdraw", "dispatch.order.*", "dispatch.plan.balance", "dispatch.assignment.*", "dispatch.correction.propose",
    "dispatch.correction.replace", "settlement.order.settle", "supervision.finding.write", "supervision.finding.view", "indicators.value.*",
    "orders.order.*", "hotline.*", "devices.*", "settlement.statement.draft", "settlement.recovery.draft", "settlement.recovery.lift",
    "settlement.recovery.return", "entitlements.application.call_up", "entitlements.application.recount",
    "entitlements.application.withdraw", "entitlements.entitlement.end", "entitlements.entitlement.stop", "assessment.health.grade",
    "people.elder.view", "visits.visit.view",
)  # fmt: skip
"""What the platform's own jobs do."""
