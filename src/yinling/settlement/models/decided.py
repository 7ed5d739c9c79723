"""What all that two persons decide has in common, and what they may take back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.ground.models import Scoped, Versioned
from yinling.kernel.machine import Machine
from yinling.settlement.states import GrantState


class Decided(Scoped, Versioned):
    """Money that one person reviews and another one approves, neither of them who drew it up; or it is given back with a reason.

    What the class variables say is told by ``directory.deciding``, which makes the steps.
    """

    MACHINE: ClassVar[Machine[Any]]
    AUTHOR: ClassVar[str] = "drafted_by"
    """The column of who drew it up; empty where the system does."""
    TOPIC: ClassVar[str] = "settlement"
    SIGNED: ClassVar[Mapping[str, str]] = {"review": "reviewed", "approve": "approved"}
    WHY: ClassVar[str] = "return_reason"
    state: models.CharField[str, str]

    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=~Q(reviewed_by=F("approved_by")), name="%(class)s_two_persons")]

    @property
    def decided_in(self) -> str:
        """The division whose officers decide it."""
        return self.div

    @property
    def hands(self) -> frozenset[int]:
        """The users who drew it up or reviewed it; none of them may approve it."""
        author = getattr(self, f"{self.AUTHOR}_id") if self.AUTHOR else None
        return frozenset(user for user in (author, self.reviewed_by_id) if user is not None)


class Revocable(Decided):
    """Money granted to one receiver that turns out wrong: one person asks for it to be taken back, another agrees (``GrantState``).

    What was paid by then has to come back: ``recovered_fen`` says how much of it has. ``granted_fen`` is what was granted.
    """

    SIGNED: ClassVar[Mapping[str, str]] = {
        **Decided.SIGNED, "contest": "contested", "revoke": "revoked", "recover": "revoked",
    }  # fmt: skip

    contested_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    contested_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoke_reason = models.CharField(max_length=500, blank=True, default="")
    recovered_fen = models.BigIntegerField(default=0)

    class Meta(Decided.Meta):
        abstract = True
        constraints = [
            *Decided.Meta.constraints,
            models.CheckConstraint(condition=~Q(contested_by=F("revoked_by")), name="%(class)s_revoked_by_two"),
        ]

    @property
    def granted_fen(self) -> int:
        """What was granted."""
        raise NotImplementedError

    @property
    def to_recover_fen(self) -> int:
        """What of a revoked payment has not come back."""
        return self.granted_fen - self.recovered_fen if self.state == GrantState.RECOVERING else 0
