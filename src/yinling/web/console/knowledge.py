"""The knowledge base (P08), the search beside a ticket form or a call, and the templates of tickets."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.hotline.models import Article
from yinling.hotline.queries import due_for_review, find_articles, readable_articles, templates, valid_articles
from yinling.hotline.states import ARTICLE
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.web.actions import ActionForm, action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tr

WRITES = "hotline.article.draft"
PUBLISHES = "hotline.article.publish"
TABS = (
    ("valid", N_("有效")),
    ("draft", N_("待发布")),
    ("review", N_("待复核")),
    ("withdrawn", N_("已停用")),
    ("all", N_("全部")),
)
OF_SEATS = 2
"""Tabs of a seat: what holds, and its own drafts."""
FIELDS = ("title", "text", "source", "valid_from", "family", "words")


def _by_family(rows: Any, value: str) -> Any:
    return rows.filter(family=value)


@page("hotline.article.view")
def knowledge(request: Any) -> HttpResponse:
    """P08: what may be told today, found by words; who publishes sees the rest."""
    today, text = local_date(request.now), request.GET.get("q", "").strip()[:80]
    shown = TABS if request.actor.has(PUBLISHES) else TABS[:OF_SEATS] if request.actor.has(WRITES) else ()
    tab = request.GET.get("tab", "valid")
    tab = tab if tab in dict(shown) else "valid"
    if text and tab == "valid":
        rows: Any = [one.article for one in find_articles(request.actor, text, today, limit=40)]
        listing = Listing(request, rows)
    else:
        listing = Listing(request, _rows(request, tab), Filter("family", _("服务大类"), _by_family, "choice", FAMILIES))
    tabs = [(tr(label), f"/line/knowledge/?tab={name}", None, name == tab) for name, label in shown]
    return render(
        request,
        "console/knowledge.html",
        listing=listing,
        tabs=tabs,
        tab=tab,
        text=text,
        machine=ARTICLE,
        today=today,
        families=FAMILIES,
    )


def _rows(request: Any, tab: str) -> Any:
    today = local_date(request.now)
    if tab == "valid":
        return valid_articles(request.actor, today)
    rows = readable_articles(request.actor, today)
    if tab == "review":
        return rows.filter(due_for_review(today, request.actor.div or "")).order_by("valid_to", "id")
    return rows if tab == "all" else rows.filter(state=tab)


@page("hotline.article.view")
def knowledge_side(request: Any) -> HttpResponse:
    """The answers beside a form: a fragment, so that nothing typed in the form is lost."""
    text = request.GET.get("q", "").strip()[:80]
    found = find_articles(request.actor, text, local_date(request.now), limit=6)
    uses = [
        (one.article, action_form(request, "use_article", {"article_id": one.article.pk}, next="", tone="", done=N_("已记录采用")))
        for one in found
    ]  # fmt: skip
    return render(request, "console/knowledge_side.html", uses=uses, text=text)


@page("hotline.article.view")
def article_page(request: Any, pk: int) -> HttpResponse:
    """One article; a seat sees it only as long as it holds, or as its own draft."""
    today = local_date(request.now)
    row = readable_articles(request.actor, today).filter(pk=pk).first()
    if row is None:
        raise Http404
    here, initial = f"/line/knowledge/{pk}/", {"article_id": pk, "seen": row.version}
    is_ours = row.div.startswith(request.actor.div or "-")
    verbs = {transition.verb for transition in ARTICLE.verbs(row.state)} if is_ours else set()
    forms: dict[str, ActionForm] = {
        verb: action_form(request, f"{verb}_article", initial, next=here, tone="primary" if verb == "publish" else "")
        for verb in ("publish", "withdraw") if verb in verbs
    }  # fmt: skip
    if row.state == "draft" and is_ours:
        forms["revise"] = action_form(request, "revise_article", initial | _values(row), next=here, tone="")
    is_own = row.written_by_id is not None and row.written_by_id == request.actor.user_id
    return render(
        request, "console/article.html", row=row, forms=forms, machine=ARTICLE, is_own=is_own,
        is_over=row.valid_to is not None and row.valid_to <= today,
        may_write=request.actor.has(WRITES),
    )  # fmt: skip


def _values(row: Article) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FIELDS}
    last = row.last_day
    return values | {"valid_from": row.valid_from.isoformat(), "valid_to": last.isoformat() if last else None}


@page(WRITES)
def article_new(request: Any) -> HttpResponse:
    """Write an article, from nothing or from one that is to be replaced."""
    number = request.GET.get("from", "")
    rows = readable_articles(request.actor, local_date(request.now))
    before = rows.filter(pk=int(number)).first() if number.isascii() and number.isdigit() else None
    initial = _values(before) if before else {"title": request.GET.get("title", "")[:80]}
    initial["valid_from"] = local_date(request.now).isoformat()
    form = action_form(request, "draft_article", initial, next="/line/knowledge/{id}/")
    return render(request, "console/article_new.html", form=form, before=before)


@page("hotline.template.save")
def template_list(request: Any) -> HttpResponse:
    """The templates in use, and a form for one more or for new words of one."""
    rows = list(templates(request.actor)[:200])
    number = request.GET.get("change", "")
    chosen = next((one for one in rows if str(one.pk) == number), None)
    names = ("name", "kind", "level", "family", "title", "text")
    initial = {name: getattr(chosen, name) for name in names} if chosen else {"kind": "enquiry", "level": "normal"}
    ends = [
        (row, action_form(request, "end_template", {"template_id": row.pk, "seen": row.version}, next="/line/templates/", tone="")
         if row.div.startswith(request.actor.div or "-") else None)
        for row in rows
    ]  # fmt: skip
    form = action_form(request, "save_template", initial, next="/line/templates/")
    return render(request, "console/ticket_templates.html", rows=ends, form=form, chosen=chosen)


urlpatterns = [
    path("line/knowledge/", knowledge),
    path("line/knowledge/side/", knowledge_side),
    path("line/knowledge/new/", article_new),
    path("line/knowledge/<int:pk>/", article_page),
    path("line/templates/", template_list),
]
