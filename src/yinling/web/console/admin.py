"""Grants, users, tokens: who may act as what (P26)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import User
from yinling.directory.models import ApiToken, Grant
from yinling.directory.rights import RIGHTS
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.directory.states import GRANT, GrantState
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render

PEOPLE = ("user", "organisation", "proposed_by", "confirmed_by")


def _grants(actor: Any) -> QuerySet[Grant]:
    """Grants in the area of the administrator, and those of organisations."""
    div = actor.div or ""
    rows = Grant.objects.filter(
        Q(div__gte=div, div__lt=div + ":")
        | Q(div="", organisation__div__gte=div, organisation__div__lt=div + ":")
        | Q(div="")
    )
    return rows.select_related(*PEOPLE).order_by("-pk")


@page("directory.grant.view")
def grants(request: Any) -> HttpResponse:
    """Every grant, with what two administrators do about it, and the form for a new one."""
    listing = Listing(
        request,
        _grants(request.actor),
        Filter(
            "q",
            _("姓名或账号"),
            lambda rows, text: rows.filter(Q(user__name__startswith=text) | Q(user__username=text)),
        ),
        Filter(
            "role",
            _("角色"),
            lambda rows, code: rows.filter(role=code),
            "choice",
            [(code, ROLES[code].name) for code in DEMO_ROLES],
        ),
        Filter("state", _("状态"), lambda rows, state: rows.filter(state=state), "choice", GRANT.choices),
    )
    return render(
        request, "console/grants.html", listing=listing, machine=GRANT, roles=ROLES, new=_propose(request),
        acts={row.pk: _acts(request, row) for row in listing},
    )  # fmt: skip


def _propose(request: Any) -> ActionForm:
    fields = {
        "user_id": {"options": "users", "widget": "choice"},
        "role": {"options": "roles", "widget": "choice"},
        "div": {"options": "streets_or_none", "widget": "choice"},
        "organisation_id": {"options": "organisations", "widget": "choice"},
    }
    return action_form(request, "propose_grant", next="/grants/", fields=fields, key_hint="Ctrl+Enter")


def _acts(request: Any, row: Grant) -> list[ActionForm]:
    seen = {"grant_id": row.pk, "seen": row.version}
    forms = []
    if row.state == GrantState.PROPOSED and row.proposed_by_id != request.actor.user_id:
        forms.append(action_form(request, "confirm_grant", seen, next="/grants/", tone="primary"))
    if GRANT.allows("end", row.state):
        forms.append(action_form(request, "end_grant", seen, next="/grants/", tone="danger"))
    return forms


@page("directory.grant.view")
def roles(request: Any) -> HttpResponse:
    """What each role is for and what it may do."""
    table = [(ROLES[code], [RIGHTS[right] for right in sorted(ROLES[code].rights)]) for code in DEMO_ROLES]
    return render(request, "console/roles.html", table=table)


@page("directory.user.register")
def users(request: Any) -> HttpResponse:
    """Logins, and the form for a new one."""
    listing = Listing(
        request,
        User.objects.filter(is_system=False).order_by("username"),
        Filter(
            "q",
            _("姓名或账号"),
            lambda rows, text: rows.filter(Q(name__startswith=text) | Q(username__startswith=text)),
        ),
    )
    form = action_form(request, "register_user", next="/users/", fields={"password": {"widget": "password"}})
    return render(request, "console/users.html", listing=listing, form=form)


@page("directory.token.issue")
def tokens(request: Any) -> HttpResponse:
    """One's own tokens of the API. A new one is shown once."""
    rows = ApiToken.objects.filter(user_id=request.user.pk).select_related("grant__organisation").order_by("-pk")
    listing = Listing(request, rows)
    ends = {
        row.pk: action_form(request, "end_token", {"token_id": row.pk}, next="/tokens/", tone="danger")
        for row in listing
        if row.ended_at is None
    }
    form = action_form(request, "issue_token", {"days": 90}, next="/tokens/")
    return render(request, "console/tokens.html", listing=listing, form=form, ends=ends, roles=ROLES)


urlpatterns = [
    path("grants/", grants),
    path("roles/", roles),
    path("users/", users),
    path("tokens/", tokens),
]
