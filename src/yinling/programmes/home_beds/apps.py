"""Home sickbeds from application to withdrawal, and stays paid by the day."""

from django.apps import AppConfig


class HomeBedsConfig(AppConfig):
    """Home sickbeds from application to withdrawal, and stays paid by the day."""

    name = "yinling.programmes.home_beds"
