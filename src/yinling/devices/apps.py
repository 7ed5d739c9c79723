"""Things that call for help: devices, what they report, alarms and their escalation."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Things that call for help: devices, what they report, alarms and their escalation."""

    name = "yinling.devices"
