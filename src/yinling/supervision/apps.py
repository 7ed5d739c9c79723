"""Abnormal orders, holds and releases."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    """Abnormal orders, holds and releases."""

    name = "yinling.supervision"
