"""Levels of ability and their validity."""

from django.apps import AppConfig
from django.core.checks import register


class AssessmentConfig(AppConfig):
    """Levels of ability and their validity."""

    name = "yinling.assessment"

    def ready(self) -> None:
        """Let the label packs be checked at start."""
        from yinling.assessment.wording import check_packs  # noqa: PLC0415 - needs the settings

        register(check_packs)
