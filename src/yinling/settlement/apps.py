"""Who pays whom."""

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    """Who pays whom."""

    name = "yinling.settlement"
