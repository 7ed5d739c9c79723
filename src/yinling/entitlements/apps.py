"""Who may have what at whose cost."""

from django.apps import AppConfig


class EntitlementsConfig(AppConfig):
    """Who may have what at whose cost."""

    name = "yinling.entitlements"
