"""The map: areas, organisations, sites, staff, grants."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """The map: areas, organisations, sites, staff, grants."""

    name = "yinling.directory"
