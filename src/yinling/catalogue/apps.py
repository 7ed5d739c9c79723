"""What can be ordered, by whom, at which price."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """What can be ordered, by whom, at which price."""

    name = "yinling.catalogue"
