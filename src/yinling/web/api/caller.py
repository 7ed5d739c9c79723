"""Who calls the API: by bearer token or by the session of the pages; the same actor and scope as on a screen."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import translation
from ninja.security.base import AuthBase, SecuritySchema
from ninja.utils import check_csrf

from yinling.directory.queries import active_grants, token_for
from yinling.ground.scope import apply_scope, scope, scope_values
from yinling.kernel.refusals import Denied, Refusal
from yinling.kernel.words import N_
from yinling.web.asof import asked_by
from yinling.web.middleware import acting, completed
from yinling.web.refusals import problem

View = Callable[..., HttpResponse]


class Caller(AuthBase):
    """Sets ``request.actor`` from ``Authorization: Bearer`` or, with the CSRF token, from the session."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_name = "bearer"

    def __init__(self) -> None:
        super().__init__()
        self.openapi_security_schema = SecuritySchema(type="http", scheme="bearer")

    def __call__(self, request: Any) -> Any:
        """Return the caller or None."""
        caller = self._caller(request)
        translation.activate(getattr(caller, "language", "") or "zh-hans")
        return caller

    def _caller(self, request: Any) -> Any:
        scheme, _space, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(request, plain.strip())
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise Denied("csrf.missing", N_("缺少或过期的 CSRF 令牌，请重新登录"))
        request.grants = list(active_grants(request.user.pk, request.now))
        request.actor = acting(request)
        request.allowed_elders = None
        return request.user

    @staticmethod
    def _by_token(request: Any, plain: str) -> Any:
        token = token_for(plain, request.now)
        if token is None:
            return None
        request.user, request.grants = token.user, [token.grant]
        request.actor = acting(request)
        request.allowed_elders = tuple(token.elder_ids) or None
        return token.user


def in_scope(view: View) -> View:
    """Run a view of the API inside the caller's scope; a refusal becomes its problem document."""

    @functools.wraps(view)
    def run(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            asked = asked_by(request)
            if asked:
                request.now = asked.moment
            with scope(request.actor, asked) as opened:
                request.actor = completed(request, request.actor)
                if request.allowed_elders is not None:
                    mine = tuple(sorted(set(request.actor.elder_ids) & set(request.allowed_elders)))
                    request.actor = replace(request.actor, elder_ids=mine)
                    apply_scope(scope_values(request.actor), request.actor.request_id)
                opened.values = scope_values(request.actor)
                return view(request, *args, **kwargs)
        except Refusal as refusal:
            return problem(refusal, subject=getattr(request, "subject", ""))

    run.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
    return run
