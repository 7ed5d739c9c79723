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
BED_VIEW = ("family_doctor.contract.view", "home_beds.bed.view", "home_beds.stay.view")
SITE_CHECKS = ("supervision.finding.view", "supervision.site_check.record", "supervision.site_check.view")
"""Civil affairs look on site at what vouchers paid for, and see what came of it."""
WATCH = (
    *BED_VIEW,
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
CONTRACT_DESK = (
    "family_doctor.contract.cancel", "family_doctor.contract.draft", "family_doctor.contract.end", "family_doctor.contract.sign",
    "family_doctor.contract.view",
)  # fmt: skip
CONTRACT_DOCTOR = ("family_doctor.contract.end", "family_doctor.contract.sign", "family_doctor.contract.view")
"""What the body of the family doctor does with a contract that was drafted."""
BED_DESK = (
    *BED_VIEW,
    "home_beds.bed.apply",
    "home_beds.bed.cancel",
    "home_beds.bed.assign",
    "home_beds.stay.admit",
    "home_beds.stay.discharge",
)
BED_BODY = (
    *BED_VIEW, *CONTRACT_DOCTOR, "home_beds.bed.assign", "home_beds.bed.check", "home_beds.bed.reveal", "home_beds.bed.withdraw",
)  # fmt: skip
"""The medical body at the bed: it checks the home and looks after it; an office approves."""
BED_OFFICE = (
    *BED_DESK, *CONTRACT_DESK, "home_beds.bed.approve", "home_beds.bed.refuse", "home_beds.bed.reveal", "home_beds.bed.withdraw",
    "home_beds.stay.bill",
)  # fmt: skip
BENEFIT_DESK = (
    *BED_DESK, *CONTRACT_DESK,
    "entitlements.application.apply", "entitlements.application.attach", "entitlements.application.complete", "entitlements.application.view",
    "entitlements.application.withdraw", "entitlements.objection.raise",
)  # fmt: skip
BENEFIT_REVIEW = (
    *BENEFIT_DESK, "entitlements.application.review", "entitlements.budget.view", "entitlements.notice.publish", "entitlements.objection.reveal",
)  # fmt: skip
BENEFIT_DECISION = (
    *BED_OFFICE,
    "entitlements.application.approve", "entitlements.application.refuse", "entitlements.application.withdraw", "entitlements.budget.*",
    "entitlements.notice.publish", "entitlements.objection.*",
)  # fmt: skip
PEOPLE_OF_BODY = ("directory.absence.*", "directory.policy.*", "directory.staff.*")
DOOR = (
    "orders.line.*", "directory.absence.report", "visits.visit.consult",
    "dispatch.assignment.accept", "dispatch.assignment.accept_all", "dispatch.assignment.refuse", "dispatch.assignment.release",
    "dispatch.assignment.view", "dispatch.order.claim",
    "visits.visit.abort", "visits.visit.attach", "visits.visit.depart", "visits.visit.finish", "visits.visit.start", "visits.visit.view",
    "visits.visit.inspect", "settlement.income.view",
)  # fmt: skip
AVOID = ("dispatch.avoidance.end", "dispatch.avoidance.record")
OWN = (
    "dispatch.avoidance.ask",
    "dispatch.avoidance.end",
    "people.health.view",
    "people.health.reveal",
    *APPLY,
    "orders.line.confirm",
    "orders.line.drop",
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
    *BED_VIEW,
    "people.consent.*",
    "people.elder.view",
    "people.optout.end",
    "people.optout.record",
    "settlement.bill_objection.raise",
    "settlement.order.view",
    "settlement.payment.ask",
    "settlement.payment.pay_from_balance",
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
    "hotline.operator_statement.view", "hotline.roster.view", "hotline.sample.view",
)  # fmt: skip
"""The contracted company's own view of its line: figures, rosters of its groups, quality and statements, never who called."""
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
AGREEMENTS = ("entitlements.agreement.*",)
"""Contracts of payers with providers."""
MONEY_WATCH = (
    "entitlements.agreement.view", "settlement.account.view", "settlement.claim.view", "settlement.closing.view",
    "settlement.distribution.view", "settlement.ledger.view", "settlement.payout.view", "settlement.score.view", "settlement.transfer.view",
)  # fmt: skip
MONEY_AUDIT = (*MONEY_WATCH, "settlement.try.view", "supervision.site_check.view")
"""Who watches where money goes: agreements, what staff get, who tried to charge twice."""
BODY_MONEY = (
    "entitlements.agreement.view", "settlement.account.propose", "settlement.account.view", "settlement.claim.view",
    "settlement.distribution.*", "settlement.invoice.*", "settlement.score.view", "settlement.statement.object",
    "subsidies.spending.record", "subsidies.subsidy.view",
)  # fmt: skip
"""What a body does with the share of its own people."""
PLATFORM = (*TOKENS, "devices.event.report")
"""A platform of devices hands messages over, and sees nothing."""
FUNDS_WATCH = (
    "entitlements.budget_line.view", "settlement.reimbursement.view", "subsidies.donation.view", "subsidies.subsidy.view",
)  # fmt: skip
"""Every fund's way from its line to the persons."""
FUNDS = (
    *FUNDS_WATCH, "entitlements.budget.fund", "entitlements.budget_line.*", "settlement.reimbursement.*", "subsidies.*",
)  # fmt: skip
"""Planning, approving and spending it; every step by another person."""
REIMBURSE = (
    "settlement.reimbursement.attach", "settlement.reimbursement.draft", "settlement.reimbursement.enter", "settlement.reimbursement.view",
)  # fmt: skip
"""A street takes down what a household spent."""
BILL_DESK = (
    "settlement.bill_objection.raise", "settlement.order.view", "settlement.payment.ask", "settlement.payment.pay_from_balance",
)  # fmt: skip
"""What is done for an elder who asks about a bill, on the phone or at the counter."""
CHANNEL = (
    "settlement.payment.link", "settlement.payment.match", "settlement.payment.take", "settlement.refund.fail", "settlement.refund.finish",
)  # fmt: skip
"""What a payment channel says and a job does with it: never done by hand."""
NOT_BY_HAND = tuple(f"-{right}" for right in CHANNEL)
SYSTEM = (
    "entitlements.entitlement.follow_grade", "family_doctor.contract.stop", "home_beds.bed.stop", "home_beds.stay.bill",
    *CHANNEL, "settlement.payment.close", "settlement.payment.refund", "settlement.payment_bill.load",
    "assessment.request.withdraw", "dispatch.order.*", "dispatch.plan.balance", "dispatch.assignment.*", "dispatch.correction.propose",
    "dispatch.correction.replace", "settlement.order.settle", "supervision.finding.write", "supervision.finding.view", "indicators.value.*",
    "supervision.site_check.draw",
    "orders.order.*", "hotline.*", "devices.*", "settlement.statement.draft", "settlement.recovery.draft", "settlement.recovery.lift",
    "settlement.recovery.return", "entitlements.application.call_up", "entitlements.application.recount",
    "entitlements.application.withdraw", "entitlements.entitlement.end", "entitlements.entitlement.stop", "assessment.health.grade",
    "people.elder.view", "visits.visit.view",
)  # fmt: skip
"""What the platform's own jobs do."""
