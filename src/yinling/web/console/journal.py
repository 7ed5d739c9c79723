"""The audit journal (P27): who did or tried what, and whether the seals hold."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yinling.accounts.models import Journal, User
from yinling.accounts.queries import Fault, journal, last_seal, verify_journal
from yinling.directory.rights import RIGHTS
from yinling.directory.roles import ROLES
from yinling.kernel.period import day_bounds
from yinling.kernel.words import N_
from yinling.web.api.resource import DIGITS
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.queries.timeline import EVENTS

OTHER_EVENTS = EVENTS | {
    "accounts.session.open": N_("登录"),
    "accounts.session.fail": N_("登录失败"),
    "accounts.session.lock": N_("登录锁定"),
    "accounts.session.close": N_("退出登录"),
    "directory.staff.suspend": N_("暂停派单资格"),
    "directory.staff.release": N_("恢复派单资格"),
}
CONTEXTS = [
    ("accounts", N_("账号与登录")), ("directory", N_("机构与授权")), ("people", N_("老年人档案")), ("catalogue", N_("服务清单")),
    ("entitlements", N_("待遇")), ("assessment", N_("评估")), ("hotline", N_("热线与工单")), ("orders", N_("订单")), ("dispatch", N_("派单")),
    ("visits", N_("上门服务")), ("settlement", N_("结算")), ("supervision", N_("监管")), ("indicators", N_("指标")),
]  # fmt: skip


def event_label(event: str) -> str:
    """Return the sentence of an event; events that only later steps cause have their name."""
    return RIGHTS.get(event) or OTHER_EVENTS.get(event) or event


def _of_user(rows: QuerySet[Journal], text: str) -> QuerySet[Journal]:
    found = User.objects.filter(username=text) | User.objects.filter(name=text)
    return rows.filter(user_id__in=list(found.values_list("pk", flat=True)[:50]))


def _of_subject(rows: QuerySet[Journal], text: str) -> QuerySet[Journal]:
    kind, _colon, number = text.replace("：", ":").partition(":")
    rows = rows.filter(subject_type=kind.strip().lower())
    number = number.strip()
    if not number:
        return rows
    is_number = number.isascii() and number.isdigit() and len(number) <= DIGITS
    return rows.filter(subject_id=int(number)) if is_number else rows.none()


def _on_day(rows: QuerySet[Journal], day: date) -> QuerySet[Journal]:
    start, end = day_bounds(day)
    return rows.filter(at__gte=start, at__lt=end)


def _in_context(rows: QuerySet[Journal], context: str) -> QuerySet[Journal]:
    return rows.filter(event__gte=f"{context}.", event__lt=f"{context}/")


@page("accounts.journal.view")
def journal_page(request: Any) -> HttpResponse:
    """The journal, newest first."""
    listing = Listing(
        request,
        journal(request.actor),
        Filter("user", _("账号或姓名"), _of_user),
        Filter("context", _("范围"), _in_context, "choice", CONTEXTS),
        Filter("subject", _("对象（如 order:12）"), _of_subject),
        Filter("day", _("日期"), _on_day, "date"),
        Filter("refused", _("只看被拒绝的"), lambda rows, _value: rows.filter(is_refused=True), "check"),
    )
    return render(request, "console/journal.html", listing=listing, label=event_label, seal=last_seal(), roles=ROLES)


@require_GET
@page("accounts.journal.view")
def verify(request: Any) -> HttpResponse:
    """Read the whole journal again and compare it with its seals."""
    try:
        faults: list[Fault] | None = verify_journal()
    except ImproperlyConfigured:
        faults = None
    return render(request, "console/journal_verify.html", faults=faults, seal=last_seal(), block="result")


urlpatterns = [path("journal/", journal_page), path("journal/verify/", verify)]
