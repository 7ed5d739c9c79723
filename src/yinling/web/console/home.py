"""The first page of each role, the switch between one's roles, one's own settings and notices."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from yinling.accounts.models import Notice
from yinling.directory.roles import ROLES
from yinling.web.actions import action_form
from yinling.web.pages import Listing, own_page, public_page, render


@public_page
def home(request: Any) -> HttpResponse:
    """Send each role to its own first page, others to the public pages."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect("/login/")
    role = ROLES.get(request.actor.role)
    if role is None or role.home == "/":
        return render(request, "console/no_role.html")
    return HttpResponseRedirect(role.home)


@require_POST
@own_page
def switch(request: Any) -> HttpResponse:
    """Act in another of one's own grants from now on."""
    wanted = request.POST.get("grant", "")
    if any(str(row.pk) == wanted for row in request.grants):
        request.session["grant"] = int(wanted)
    return HttpResponseRedirect("/")


@own_page
def settings_page(request: Any) -> HttpResponse:
    """Language and size of type."""
    initial = {"language": request.user.language, "large_type": request.user.large_type}
    form = action_form(request, "adjust_own_login", initial, next="/settings/")
    return render(request, "console/settings.html", form=form, grants=request.grants)


@own_page
def notices(request: Any) -> HttpResponse:
    """One's notices, newest first."""
    listing = Listing(request, Notice.objects.filter(user_id=request.user.pk).order_by("-pk"))
    form = action_form(request, "read_notices", next="/notices/")
    return render(request, "console/notices.html", listing=listing, form=form)


@own_page
def unread(request: Any) -> HttpResponse:
    """How many notices were not read yet, for the bell."""
    return JsonResponse({"unread": Notice.objects.filter(user_id=request.user.pk, read_at=None).count()})


urlpatterns = [
    path("acting/", switch),
    path("settings/", settings_page),
    path("notices/", notices),
    path("notices/count/", unread),
]
