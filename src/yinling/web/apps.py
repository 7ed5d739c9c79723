"""Screens and API."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """App of the templates, static files and messages."""

    name = "yinling.web"
