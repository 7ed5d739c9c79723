"""What a death or a move, known late, takes back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from yinling.directory.models import Organisation
from yinling.entitlements.models import PAYERS
from yinling.ground.guards import state_check, state_field, state_guards
from yinling.ground.models import Scoped, ScopedQuerySet
from yinling.kernel.period import local_date
from yinling.orders.models import Order, PayerShare
from yinling.people.models import Elder
from yinling.settlement.models.decided import Decided
from yinling.settlement.states import RECOVERY

RECOVERY_KINDS = [("recover", "追回"), ("reject", "拒付")]


class Recovery(Decided):
    """What one death or move, known late, takes back from services performed after it. ``stopped_at`` is the moment that counts.

    The system draws it up; two persons decide it.
    """

    MACHINE, AUTHOR = RECOVERY, ""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    cause = models.CharField(max_length=60)
    stopped_at = models.DateTimeField()
    state = state_field(RECOVERY)
    recover_fen = models.BigIntegerField(default=0)
    reject_fen = models.BigIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    drafted_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta(Decided.Meta):
        indexes = [
            models.Index(fields=["div", "state"], name="recovery_div"),
            models.Index(fields=["elder"], name="recovery_elder"),
        ]
        constraints = [
            *Decided.Meta.constraints,
            state_check(RECOVERY, "recovery_state"),
            models.UniqueConstraint(
                fields=["elder", "cause", "div"], condition=Q(state="draft"), name="recovery_one_draft"
            ),
        ]
        triggers = state_guards(RECOVERY)

    @property
    def code(self) -> str:
        """The number people read aloud."""
        return f"R-{local_date(self.drafted_at):%y%m}-{self.pk:04d}"

    @property
    def cause_text(self) -> str:
        """How the holds of its orders name it."""
        return f"recovery:{self.pk}"

    def __str__(self) -> str:
        return self.code


class RecoveryLine(Scoped):
    """One payer's part of one service on a recovery list: to be recovered because it was paid, or rejected because it was not yet."""

    recovery = models.ForeignKey(Recovery, models.PROTECT, related_name="lines")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+")
    share = models.ForeignKey(PayerShare, models.PROTECT, related_name="+")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.CharField(max_length=20, choices=PAYERS)
    amount_fen = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=RECOVERY_KINDS)
    began_at = models.DateTimeField()
    is_live = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["recovery"], name="recovery_line"),
            models.Index(fields=["order"], name="recovery_line_order"),
        ]
        constraints = [models.UniqueConstraint(fields=["share"], condition=Q(is_live=True), name="recovery_line_once")]

    def __str__(self) -> str:
        return f"{self.recovery_id} {self.amount_fen}"
