"""Results of assessments: scale, level and validity, recognised by all departments."""

from __future__ import annotations

from django.db import models

from yinling.directory.models import Organisation
from yinling.ground.models import DatedFact, Scoped, ScopedQuerySet, no_overlap
from yinling.people.models import Elder


class Assessment(Scoped, DatedFact):
    """A result: never compared by number across scales, so scale and level code stand together."""

    LEVELS = [
        ("intact", "能力完好"),
        ("mild", "轻度失能"),
        ("moderate", "中度失能"),
        ("severe", "重度失能"),
        ("total", "完全失能"),
    ]
    SCALES = [("gbt42195_2022", "GB/T 42195-2022"), ("mzt039_2013", "MZ/T 039-2013")]

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    provider = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    scale = models.CharField(max_length=20, choices=SCALES)
    level = models.CharField(max_length=10, choices=LEVELS)
    points = models.PositiveSmallIntegerField(null=True, blank=True)
    assessed_on = models.DateField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["elder"], name="assessment_elder")]
        constraints = [no_overlap("assessment_no_overlap", "elder", "scale")]

    def __str__(self) -> str:
        return f"{self.scale} {self.level}"
