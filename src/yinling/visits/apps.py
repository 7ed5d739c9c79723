"""What happened at the door and how good it was."""

from django.apps import AppConfig


class VisitsConfig(AppConfig):
    """What happened at the door and how good it was."""

    name = "yinling.visits"
