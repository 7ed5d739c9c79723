"""The exchange of tickets with other lines (12345): what is known on both sides, what went wrong, and tables by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yinling.hotline.exchange_rows import COLUMNS, by_heads
from yinling.hotline.models import Exchange
from yinling.hotline.operations import load_tickets
from yinling.hotline.operations.exchange import MOST_ROWS
from yinling.hotline.queries import exchanges, platforms
from yinling.hotline.states import TICKET
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.people.sheets import open_book
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import Column, comma_separated, excel
from yinling.web.show import moment, refusal_text, tr

MOST_BYTES = 5 * 1024 * 1024
HEADS = (
    *COLUMNS.values(), N_("平台"), N_("方向"), N_("本平台工单号"), N_("本平台状态"), N_("登记时间"), N_("期限"), N_("办理结果"),
)  # fmt: skip
MOST_OUT = 5000


@page("hotline.exchange.view")
def exchange_list(request: Any, problem: str = "", status: int = 200) -> HttpResponse:
    """Every exchanged ticket with both states; those with an error first to be seen, with a button that sends again."""
    only_errors = request.GET.get("tab") == "errors"
    names = platforms(request.actor.div or "", request.now)
    listing = Listing(
        request, exchanges(request.actor, only_errors=only_errors),
        Filter("number", _("工单号"), lambda rows, value: rows.filter(foreign_number=value)),
        Filter("direction", _("方向"), lambda rows, value: rows.filter(direction=value), "choice", Exchange.DIRECTIONS),
    )  # fmt: skip
    retries = {
        row.pk: action_form(request, "retry_exchange", {"exchange_id": row.pk, "seen": row.version}, next="/line/exchange/", tone="")
        for row in listing if row.error
    }  # fmt: skip
    tabs = [
        (_("全部"), "/line/exchange/", None, not only_errors),
        (_("有错误"), "/line/exchange/?tab=errors", None, only_errors),
    ]
    return render(
        request, "console/exchange.html", listing=listing, retries=retries, tabs=tabs, names=names, machine=TICKET, problem=problem,
        status=status, columns=[tr(label) for label in COLUMNS.values()], may_load=request.actor.has("hotline.exchange.load"),
    )  # fmt: skip


@require_POST
@page("hotline.exchange.load")
def upload(request: Any) -> HttpResponse:
    """Take in a table of the other line; a line that is wrong is named, and nothing of the table is kept."""
    try:
        count = _load(request)
    except Refusal as refusal:
        return exchange_list(request, problem=refusal_text(refusal), status=refusal.status)
    told = ngettext("已导入 %(count)s 条新消息，重复的已略过", "已导入 %(count)s 条新消息，重复的已略过", count) % {
        "count": count
    }
    messages.success(request, told)
    return HttpResponseRedirect("/line/exchange/")


def _load(request: Any) -> int:
    file = request.FILES.get("content")
    if file is None:
        raise Refused("sheet.missing", N_("请选择要导入的文件"), field="content")
    if file.size > MOST_BYTES:
        raise Refused("sheet.too_large", N_("文件超过 5 MB，请拆成几个文件再导入"), field="content")
    rows = open_book(file.read()).sheet().rows
    if not rows:
        raise Refused("sheet.empty", N_("文件里没有内容，请检查后重新上传"), field="content")
    if len(rows) - 1 > MOST_ROWS:
        raise Refused("exchange.rows", N_("请导入 1 到 %(most)s 行"), field="content", most=MOST_ROWS)
    lines = by_heads(rows[0], rows[1:])
    platform = request.POST.get("platform", "")[:20]
    return load_tickets(actor=request.actor, now=request.now, platform=platform, rows=lines)


@page("hotline.exchange.view")
def table(request: Any, kind: str) -> HttpResponse:
    """The exchanged tickets as a table for a platform without an interface; no names and no numbers."""
    lines = list(_lines(request))
    heads = [tr(label) for label in HEADS]
    if kind == "csv":
        return comma_separated(_("工单交换"), heads, lines)
    return excel(_("工单交换"), [Column(head, width=18) for head in heads], lines)


def _lines(request: Any) -> Iterator[list[str]]:
    names = platforms(request.actor.div or "", request.now)
    for row in exchanges(request.actor)[:MOST_OUT]:
        ticket = row.ticket
        yield [
            row.foreign_number, row.sent_state or row.foreign_state, moment(ticket.changed_at), tr(ticket.get_kind_display()), ticket.title,
            ticket.text, "", "", ticket.div, names.get(row.platform, row.platform), tr(row.get_direction_display()), ticket.code,
            tr(TICKET.states(ticket.state).label), moment(ticket.opened_at), moment(ticket.due_at), ticket.result,
        ]  # fmt: skip


urlpatterns = [
    path("line/exchange/", exchange_list),
    path("line/exchange/load/", upload),
    path("line/exchange/table.<slug:kind>", table),
]
