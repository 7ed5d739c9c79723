"""Log-in (P01): name and password, then the second factor; setting one up; log-out; the language of a visitor."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from yinling.accounts.models import User
from yinling.accounts.operations import NATION, fail_sign_in, journal_session, sign_in_lock
from yinling.directory.queries import active_grants, cities
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.web import second_factor
from yinling.web.pages import own_page, public_page, render
from yinling.web.show import clock

PENDING = "pending"
PENDING_FOR = timedelta(minutes=10)
LOGINS = "yinling.demo.logins.rows"
"""By name, because the demo stands above the screens."""


class PasswordForm(forms.Form):
    """What is asked first."""

    username = forms.CharField(
        label=gettext_lazy("用户名"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=gettext_lazy("密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """What is asked second."""

    code = forms.CharField(
        label=gettext_lazy("验证码"), max_length=20, help_text=gettext_lazy("手机验证器上的 6 位数字，或一个备用码"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )  # fmt: skip


def _address(request: Any) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(request: Any, username: str) -> bytes:
    return hashlib.sha256(f"{username.casefold()}\n{_address(request)}".encode()).digest()


def _lock_sentence(request: Any, username: str) -> str:
    """Return the sentence of a lock-out in force; attempts of one pair of name and address wait for each other here."""
    until = sign_in_lock(_key(request, username), at=real_now())
    return (
        _("连续输错 5 次，已暂时锁定。请在 %(clock)s 之后再试，或联系管理员。")
        % {"clock": clock(until + timedelta(minutes=1))}
        if until
        else ""
    )


def _place(user: User | None, now: datetime) -> str:
    """Return the division whose audit administrator sees a log-in: of the user's role, else the city."""
    grant = active_grants(user.pk, now).first() if user is not None else None
    own = (grant.div or (grant.organisation.div if grant.organisation else "")) if grant else ""
    return own or cities().values_list("div", flat=True).first() or NATION


def _note(request: Any, act: str, user: User | None, code: str = "") -> None:
    place = _place(user, request.now)
    request_id = request.actor.request_id
    actor = (
        Actor(user.pk, user.name, "", div=place, request_id=request_id)
        if user and not code
        else replace(request.actor, div=place)
    )
    with scope(actor):
        journal_session(
            actor=actor,
            now=request.now,
            act=act,
            user_id=user.pk if user else None,
            address=_address(request),
            code=code,
        )


def _failed(request: Any, username: str, user: User | None, code: str) -> None:
    fail_sign_in(_key(request, username), at=real_now())
    _note(request, "fail", user, code)
    if _lock_sentence(request, username):
        _note(request, "lock", user, "session.locked")


def _next(request: Any) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    return target if url_has_allowed_host_and_scheme(target, {request.get_host()}) else "/"


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: Any) -> HttpResponse:
    """Ask for name and password."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next(request))
    form = PasswordForm(request.POST or None, label_suffix="")
    if request.method != "POST" or not form.is_valid():
        return _password_page(request, form, status=422 if form.is_bound else 200)
    username = form.cleaned_data["username"]
    if locked := _lock_sentence(request, username):
        return _password_page(request, form, problem=locked, status=429)
    user = authenticate(request, username=username, password=form.cleaned_data["password"])
    if not isinstance(user, User) or user.is_system:
        known = User.objects.filter(username=username).first()
        _failed(request, username, known, "session.wrong_password")
        return _password_page(request, form, problem=_("用户名或密码不对，请检查大小写后重试。"), status=422)
    if not user.needs_second_factor:
        return _open(request, user, _next(request))
    request.session[PENDING] = {"user": user.pk, "at": real_now().isoformat(), "next": _next(request)}
    return HttpResponseRedirect("/login/code/" if second_factor.authenticator(user) else "/login/setup/")


sign_in.right = "public"  # type: ignore[attr-defined]


def _password_page(request: Any, form: PasswordForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    logins = import_string(LOGINS)() if settings.DEMO else []
    return render(
        request, "console/login.html", status=status, form=form, problem=problem, logins=logins, next=_next(request)
    )  # fmt: skip


def _pending(request: Any) -> tuple[User, str] | None:
    """Return who gave the right password within the last ten minutes, and where they were going."""
    kept = request.session.get(PENDING)
    if kept is None or real_now() - datetime.fromisoformat(kept["at"]).astimezone(UTC) > PENDING_FOR:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    return (user, kept["next"]) if user else None


@never_cache
def code(request: Any) -> HttpResponse:
    """Ask for the one-time code."""
    found = _pending(request)
    if found is None or second_factor.authenticator(found[0]) is None:
        return HttpResponseRedirect("/login/")
    user, target = found
    form = CodeForm(request.POST or None, label_suffix="")
    shown = second_factor.code_of(user)
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "console/login_code.html", form=form, shown=shown, problem="", status=422 if form.is_bound else 200
        )
    if locked := _lock_sentence(request, user.username):
        return render(request, "console/login_code.html", form=form, shown=shown, problem=locked, status=429)
    if second_factor.is_right_code(user, form.cleaned_data["code"]):
        return _open(request, user, target)
    _failed(request, user.username, user, "session.wrong_code")
    problem = _("验证码不对或已用过，请等手机显示下一个再试。")
    return render(request, "console/login_code.html", form=form, shown=shown, problem=problem, status=422)


code.right = "public"  # type: ignore[attr-defined]


@never_cache
def set_up(request: Any) -> HttpResponse:
    """Have a person of the staff set up the second factor at the first log-in."""
    found = _pending(request)
    if found is None or second_factor.authenticator(found[0]) is not None:
        return HttpResponseRedirect("/login/")
    user, target = found
    kept = request.session[PENDING]
    secret = kept.setdefault("secret", generate_totp_secret())
    request.session.modified = True
    form = CodeForm(request.POST or None, label_suffix="")
    problem = ""
    if request.method == "POST" and form.is_valid():
        if second_factor.is_right_for(secret, form.cleaned_data["code"]):
            codes = second_factor.set_up(user, secret)
            _open(request, user, target)
            return render(request, "console/login_codes.html", codes=codes, next=target)
        problem = _("验证码不对。请确认手机时间准确，再输入新的验证码。")
    shown = second_factor.code_now(secret) if settings.DEMO else ""
    picture = second_factor.qr_image(user, secret)
    return render(
        request, "console/login_setup.html", status=422 if form.is_bound else 200, form=form, secret=secret, picture=picture, shown=shown,
        problem=problem,
    )  # fmt: skip


set_up.right = "public"  # type: ignore[attr-defined]


def _open(request: Any, user: User, target: str) -> HttpResponse:
    """Open the session under a new key, so that nobody who knew the old one is in it."""
    request.session.pop(PENDING, None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    _note(request, "open", user)
    return HttpResponseRedirect(target)


@require_POST
@own_page
def sign_out(request: Any) -> HttpResponse:
    """Close the session."""
    _note(request, "close", request.user)
    logout(request)
    answer = HttpResponseRedirect("/login/")
    answer["Clear-Site-Data"] = '"storage"'  # pages and drafts that a tablet kept for work without a network
    return answer


@require_POST
@public_page
def language(request: Any) -> HttpResponse:
    """Choose the language before log-in."""
    wanted = request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        request.session["language"] = wanted
    return HttpResponseRedirect(_next(request))


urlpatterns = [
    path("login/", sign_in),
    path("login/code/", code),
    path("login/setup/", set_up),
    path("logout/", sign_out),
    path("language/", language),
]
