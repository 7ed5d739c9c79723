"""States of an application for an assessment and of its form. Review and confirmation are rows beside the application."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class RequestState(State):
    """From the application at the station to the result on record (R-ASM-08)."""

    APPLIED = "applied", N_("待核实")
    VERIFIED = "verified", N_("待安排")
    ARRANGED = "arranged", N_("待评估")
    SUBMITTED = "submitted", N_("待认定")
    NOTICED = "noticed", N_("公示中")
    DONE = "done", N_("已出结果")
    REJECTED = "rejected", N_("不予受理")
    WITHDRAWN = "withdrawn", N_("已撤回")


R = RequestState
OPEN = (R.APPLIED, R.VERIFIED, R.ARRANGED, R.SUBMITTED, R.NOTICED)
REQUEST = Machine(
    "request",
    RequestState,
    R.APPLIED,
    [
        ("verify", {R.APPLIED}, R.VERIFIED, N_("核实受理")),
        ("arrange", {R.VERIFIED, R.ARRANGED}, R.ARRANGED, N_("安排评估")),
        ("submit", {R.ARRANGED}, R.SUBMITTED, None),
        ("return", {R.SUBMITTED, R.NOTICED}, R.ARRANGED, N_("退回重评")),
        ("notice", {R.SUBMITTED}, R.NOTICED, N_("开始公示")),
        ("conclude", {R.SUBMITTED, R.NOTICED}, R.DONE, N_("认定结果")),
        ("reject", {R.APPLIED, R.VERIFIED}, R.REJECTED, N_("不予受理")),
        ("withdraw", {R.APPLIED, R.VERIFIED, R.ARRANGED}, R.WITHDRAWN, N_("撤回申请")),
    ],
)


class FormState(State):
    """A form is written until it is signed; a returned one is written again."""

    DRAFT = "draft", N_("填写中")
    SUBMITTED = "submitted", N_("已提交")


FORM = Machine(
    "form",
    FormState,
    FormState.DRAFT,
    [
        ("save", {FormState.DRAFT}, FormState.DRAFT, N_("保存草稿")),
        ("submit", {FormState.DRAFT}, FormState.SUBMITTED, N_("提交评估")),
        ("return", {FormState.SUBMITTED}, FormState.DRAFT, None),
    ],
)
