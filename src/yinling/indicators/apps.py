"""The figures of the plans, computed from rows."""

from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    """The figures of the plans, computed from rows."""

    name = "yinling.indicators"
