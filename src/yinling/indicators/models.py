"""Values of the plans' indicators, computed from rows and kept with numerator, denominator and time."""

from __future__ import annotations

from django.db import models

from yinling.ground.models import Scoped, ScopedQuerySet


class Value(Scoped):
    """One indicator of one division and period as computed at one time. A denominator of 0 is "n/a", never 100 %."""

    code = models.CharField(max_length=40)
    period_from = models.DateField()
    period_to = models.DateField()
    numerator = models.BigIntegerField()
    denominator = models.BigIntegerField(null=True)
    version = models.CharField(max_length=20)
    computed_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["code", "div", "period_from"], name="value_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.div} {self.period_from}"
