"""Where a need comes in: calls and tickets."""

from django.apps import AppConfig


class HotlineConfig(AppConfig):
    """Where a need comes in: calls and tickets."""

    name = "yinling.hotline"
