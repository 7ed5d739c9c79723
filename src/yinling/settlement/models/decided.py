"""What all that two persons decide has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from yinling.accounts.models import User
from yinling.ground.models import Scoped, Versioned
from yinling.kernel.machine import Machine


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
