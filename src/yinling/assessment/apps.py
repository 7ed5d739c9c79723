"""Levels of ability and their validity."""

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    """Levels of ability and their validity."""

    name = "yinling.assessment"
