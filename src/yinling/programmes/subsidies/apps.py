"""Money for organisations: canteens, awards, building, running, training; donations."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    """Money for organisations: canteens, awards, building, running, training; donations."""

    name = "yinling.programmes.subsidies"
