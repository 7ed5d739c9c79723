"""Rights that go together, shared by the roles."""

EVERYBODY = (
    "accounts.notice.read", "accounts.user.adjust", "catalogue.item.view", "directory.organisation.view", "directory.area.view",
)  # fmt: skip
TOKENS = ("directory.token.issue", "directory.token.end")
TICKET_WORK = (
    "hotline.ticket.annotate", "hotline.ticket.resolve", "hotline.ticket.take", "hotline.ticket.transfer", "hotline.ticket.view",
)  # fmt: skip
PEOPLE_WORK = (
    "people.elder.view", "people.elder.register", "people.elder.update", "people.elder.relocate", "people.elder.bury", "people.contact.*",
    "people.circumstance.*", "people.campaign.answer", "people.campaign.view", "people.consent.*", "people.health.end",
    "people.health.link", "people.health.record", "people.health.view", "people.elder.verify", "people.household.correct",
    "people.representative.*",
)  # fmt: skip
DOUBLES = ("people.elder.merge", "people.elder.separate", "people.merge.undo")
IMPORT = ("people.import.*", "people.line.decide", "people.source.save")
WATCH = (
    "assessment.assessment.view", "people.elder.view", "orders.order.view", "visits.visit.view", "dispatch.assignment.view",
    "hotline.ticket.view", "entitlements.application.view", "entitlements.entitlement.view", "directory.staff.view",
    "indicators.value.view",
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
    "settlement.order.view",
)
SEAT = (
    "hotline.activity.set", "hotline.article.view", "hotline.call.answer", "hotline.call.hand_over", "hotline.call.hang_up",
    "hotline.call.identify", "hotline.call.receive", "hotline.call.abandon", "hotline.call.view", "hotline.emergency.advance",
    "hotline.ticket.*",
)  # fmt: skip
"""What a seat does on the line."""
LEADER = ("hotline.*",)
"""The leader of the line: rosters, groups, quality and the wall besides."""
OPERATOR = ("hotline.call.view",)
"""The contracted company's own view of its line."""
