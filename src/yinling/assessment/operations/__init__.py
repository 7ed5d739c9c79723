"""Writing assessments, one file per step."""

from yinling.assessment.operations.arranging import arrange_request, assign_assessors
from yinling.assessment.operations.concluding import (
    conclude_request,
    confirm_request,
    notice_request,
    return_request,
    review_request,
)
from yinling.assessment.operations.forms import save_form, submit_form
from yinling.assessment.operations.grades import grade_health
from yinling.assessment.operations.papers import print_form
from yinling.assessment.operations.policies import (
    commission_organisation,
    confirm_scale,
    end_commission,
    end_recognition,
    record_recognition,
    withdraw_confirmation,
)
from yinling.assessment.operations.requests import (
    reject_request,
    request_assessment,
    verify_request,
    withdraw_request,
)
from yinling.assessment.operations.results import follow_elders, inspect_answers, record_assessment

__all__ = [
    "arrange_request",
    "assign_assessors",
    "commission_organisation",
    "conclude_request",
    "confirm_request",
    "confirm_scale",
    "end_commission",
    "end_recognition",
    "follow_elders",
    "grade_health",
    "inspect_answers",
    "notice_request",
    "print_form",
    "record_assessment",
    "record_recognition",
    "reject_request",
    "request_assessment",
    "return_request",
    "review_request",
    "save_form",
    "submit_form",
    "verify_request",
    "withdraw_confirmation",
    "withdraw_request",
]
