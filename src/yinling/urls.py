"""The addresses of the platform. Each area keeps its own table of full addresses from the root."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import include, path

from yinling.web import actions
from yinling.web.console import home

AREAS = (
    "console.home",
    "console.login",
    "console.admin",
    "console.journal",
    "console.system",
    "console.people",
    "console.directory",
    "console.hotline",
    "console.orders",
    "console.dispatch",
    "console.catalogue",
    "console.settlement",
    "console.supervision",
    "console.indicators",
    "mobile.urls",
    "elder.urls",
    "public.urls",
    "api.urls",
)


def _table(area: str) -> Any:
    try:  # TEMPORARY while the areas are being written
        return import_module(f"yinling.web.{area}").urlpatterns if find_spec(f"yinling.web.{area}") else []
    except ImportError as error:
        print(f"urls: {area}: {error}")
        return []


urlpatterns: list[Any] = [
    path("", home.home, name="home"),
    path("do/<slug:name>/", actions.perform, name="do"),
    *[path("", include(_table(area))) for area in AREAS if area != "console.home"],
    *home.urlpatterns,
]

handler400 = "yinling.web.refusals.bad_request"
handler403 = "yinling.web.refusals.forbidden"
handler404 = "yinling.web.refusals.not_found"
handler500 = "yinling.web.refusals.broken"
