"""Screens and API."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.conf import settings


class WebConfig(AppConfig):
    """App of the templates, static files and messages."""

    name = "yinling.web"

    def ready(self) -> None:
        """Load the operations of every context, so that the registry of forms and API is complete."""
        for context in settings.CONTEXTS:
            module = f"yinling.{context}.operations"
            if find_spec(module):
                import_module(module)
