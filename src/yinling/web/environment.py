"""The Jinja2 environment of the pages and the renderer of the forms."""

from __future__ import annotations

from typing import Any

from django.forms.renderers import Jinja2 as DjangoJinja2
from jinja2 import Environment


def environment(**options: Any) -> Environment:
    """Return the environment of all pages."""
    return Environment(**options)  # noqa: S701 - Django switches autoescape on


class FormRenderer(DjangoJinja2):
    """Renders fields with our templates."""
