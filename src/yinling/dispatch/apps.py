"""Who goes when."""

from django.apps import AppConfig


class DispatchConfig(AppConfig):
    """Who goes when."""

    name = "yinling.dispatch"
