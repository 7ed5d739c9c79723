"""The Jinja2 environment of the pages and the renderer of the forms."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import django
from django.contrib.messages import get_messages
from django.contrib.staticfiles.finders import find
from django.forms.renderers import Jinja2 as DjangoJinja2
from django.template import engines
from django.template.backends.jinja2 import Template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language, ngettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from jinja2.ext import InternationalizationExtension

from yinling.dispatch.queries.travel import engine_trouble
from yinling.web.shell import area_name, role_name
from yinling.web.show import FILTERS, in_language

FORM_WIDGETS = Path(django.__file__).parent / "forms" / "jinja2"
INPUT = "django/forms/widgets/input.html"
INPUTS = frozenset(
    f"django/forms/widgets/{kind}.html" for kind in ("checkbox", "date", "datetime", "file", "hidden", "number", "password", "search", "text")
)  # fmt: skip
"""Django's templates of these only include the one of any input."""


def environment(**options: Any) -> Environment:
    """Return the environment of all pages: strict, translated, with the macros of ``ui.html`` as the global ``ui``."""
    folders = options["loader"].searchpath
    options |= {
        "loader": FileSystemLoader([*folders, FORM_WIDGETS]),
        "undefined": StrictUndefined,
        "extensions": [InternationalizationExtension],
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    env = Environment(**options)  # noqa: S701 - Django switches autoescape on
    env.install_gettext_callables(in_language, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]
    env.filters.update(FILTERS)
    env.globals.update(
        static=static,
        vendor=vendor,
        url=reverse,
        language=get_language,
        messages_of=get_messages,
        area_name=area_name,
        engine_trouble=engine_trouble,
        roles_of=role_name,
    )
    env.globals["ui"] = env.get_template("ui.html").module
    return env


def pages() -> Environment:
    """Return the one environment in use."""
    return engines["jinja2"].env  # type: ignore[no-any-return, attr-defined]


@functools.cache
def vendor(path: str) -> str:
    """Return the address of a fetched browser file, or nothing where ``./run`` could not fetch it."""
    return static(f"vendor/{path}") if find(f"vendor/{path}") else ""


class FormRenderer(DjangoJinja2):
    """Renders forms and fields with our templates in our environment, widgets with Django's own in a lenient copy of it."""

    form_template_name = "form.html"
    field_template_name = "field.html"

    def get_template(self, template_name: str) -> Any:
        """Return a template; those of Django's widgets ask for names that may be missing."""
        engine: Any = engines["jinja2"]
        if not template_name.startswith("django/"):
            return engine.get_template(template_name)
        return Template(self.lenient.get_template(INPUT if template_name in INPUTS else template_name), engine)

    @cached_property
    def lenient(self) -> Environment:
        """The environment of the widgets."""
        return pages().overlay(undefined=Undefined)
