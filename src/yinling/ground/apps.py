"""The Django side of the kernel."""

from django.apps import AppConfig


class GroundConfig(AppConfig):
    """App of the tables that know no domain word."""

    name = "yinling.ground"
