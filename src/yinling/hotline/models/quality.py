"""How well the line is run: samples of calls, contracts with operator companies, and their monthly statements."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.accounts.models import User
from yinling.directory.models import Organisation
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet, Versioned
from yinling.hotline.models.calls import Call
from yinling.hotline.states import OPERATOR_STATEMENT, SAMPLE


class QualitySample(Scoped, Versioned):
    """A call drawn for listening: points by criterion, and what the seat says to it."""

    call = models.OneToOneField(Call, models.PROTECT, related_name="+")
    seat = models.ForeignKey(User, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    state = state_field(SAMPLE)
    drawn_at = models.DateTimeField()
    points = models.JSONField(default=dict)
    total = models.PositiveSmallIntegerField(null=True, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)
    scored_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    objection = models.CharField(max_length=500, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["div", "-drawn_at"], name="sample_div")]
        constraints = [
            state_check(SAMPLE, "sample_state"),
            models.CheckConstraint(
                condition=Q(state="drawn", total=None) | (~Q(state="drawn") & Q(total__isnull=False)),
                name="sample_score_pair",
            ),
        ]
        triggers = state_guards(SAMPLE)

    def __str__(self) -> str:
        return f"{self.call_id} {self.total}"


class LineContract(Scoped, Versioned):
    """What a city pays a company for running the line (委托专业公司运作, R-CALL-12), and what it deducts below its targets."""

    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    number = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField()
    monthly_fen = models.BigIntegerField()
    per_call_fen = models.BigIntegerField(default=0)
    deduct_bp_per_point = models.PositiveIntegerField(default=0)
    """Ten-thousandths of the month's sum for each whole percentage point below a target."""
    most_deduct_bp = models.PositiveIntegerField(default=1000)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(monthly_fen__gte=0, per_call_fen__gte=0), name="line_contract_sums"),
            models.CheckConstraint(condition=Q(valid_to__gt=models.F("valid_from")), name="line_contract_span"),
            models.UniqueConstraint(fields=["div", "number"], name="line_contract_number"),
        ]

    def __str__(self) -> str:
        return self.number


class OperatorStatement(Scoped, Versioned):
    """A month of an operator company: figures of the line, the sum, the deductions with their reasons. Frozen when confirmed."""

    contract = models.ForeignKey(LineContract, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    month = models.DateField()
    state = state_field(OPERATOR_STATEMENT)
    figures = models.JSONField(default=dict)
    base_fen = models.BigIntegerField()
    calls_fen = models.BigIntegerField()
    deduction_fen = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    reasons = models.JSONField(default=list)
    objection = models.CharField(max_length=500, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            state_check(OPERATOR_STATEMENT, "operator_statement_state"),
            models.UniqueConstraint(fields=["contract", "month"], name="operator_statement_once"),
            models.CheckConstraint(
                condition=Q(total_fen=models.F("base_fen") + models.F("calls_fen") - models.F("deduction_fen"))
                & Q(deduction_fen__gte=0, total_fen__gte=0),
                name="operator_statement_sum",
            ),
        ]
        triggers = state_guards(OPERATOR_STATEMENT)

    def __str__(self) -> str:
        return f"{self.contract_id} {self.month:%Y-%m}"
