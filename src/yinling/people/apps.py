"""The elders, their households, contacts and circumstances."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The elders, their households, contacts and circumstances."""

    name = "yinling.people"
