"""Reading the knowledge base and the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from yinling.directory.queries import ancestors
from yinling.ground.parameters import parameter
from yinling.hotline.knowledge import nearness, parts_of
from yinling.hotline.models import Article, TicketTemplate
from yinling.hotline.states import ArticleState
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight

MOST_LOOKED_AT = 300
SHOWN = 8


@dataclass(frozen=True)
class Found:
    """An article and how near it is to what was asked."""

    article: Article
    score: int


def valid_on(day: date) -> Q:
    """Return the condition that an article is published and holds on a day."""
    ends = Q(valid_to=None) | Q(valid_to__gt=day)
    return Q(state=ArticleState.PUBLISHED, valid_from__lte=day) & ends


def above(actor: Actor) -> Q:
    """Return the condition that a row belongs to an area in which the actor's lies: what a city publishes holds in its districts."""
    return Q(div__in=ancestors(actor.div)[1:] if actor.div else [])


def valid_articles(actor: Actor, today: date) -> QuerySet[Article]:
    """What seats may tell callers today, most used first. Nothing else is ever shown to a seat."""
    rows = Article.objects.visible_to(actor) | Article.objects.filter(above(actor))
    return rows.filter(valid_on(today)).order_by("-use_count", "title", "id")


def find_articles(actor: Actor, text: str, today: date, *, limit: int = SHOWN) -> list[Found]:
    """Return the articles nearest to a text, best first; the more used one of two as near. Without a text the most used."""
    rows = valid_articles(actor, today)
    parts = parts_of(text)
    if not parts:
        return [Found(row, 0) for row in rows[:limit]] if not text.strip() else []
    said = reduce(or_, (Q(title__icontains=one) | Q(words__icontains=one) | Q(text__icontains=one) for one in parts))
    found = [
        Found(row, nearness(text, title=row.title, words=row.words, text=row.text))
        for row in rows.filter(said)[:MOST_LOOKED_AT]
    ]
    return sorted(found, key=lambda one: (-one.score, -one.article.use_count, one.article.pk))[:limit]


def all_articles(actor: Actor) -> QuerySet[Article]:
    """Every article of the area, drafts and withdrawn ones too, for those who write them."""
    return Article.objects.visible_to(actor).select_related("written_by", "published_by").order_by("-changed_at", "-id")


def readable_articles(actor: Actor, today: date) -> QuerySet[Article]:
    """Every article for who publishes, and what holds today from above; for a seat what holds today and its own drafts."""
    mine, higher = Article.objects.visible_to(actor), Article.objects.filter(above(actor) & valid_on(today))
    if not actor.has("hotline.article.publish"):
        mine = mine.filter(valid_on(today) | Q(state=ArticleState.DRAFT, written_by_id=actor.user_id))
    return (mine | higher).select_related("written_by", "published_by").order_by("-changed_at", "-id")


def due_for_review(today: date, area: str) -> Q:
    """Return the condition that an article is to be looked at: it ends soon or has ended, or it was published long ago and has no end."""
    soon = today + timedelta(days=int(parameter("knowledge.review_days", area, today)))
    long_ago = today - timedelta(days=int(parameter("knowledge.review_after_days", area, today)))
    endless = Q(valid_to=None, published_at__lt=local_midnight(long_ago))
    return Q(state=ArticleState.PUBLISHED) & (Q(valid_to__lte=soon) | endless)


def templates(actor: Actor) -> QuerySet[TicketTemplate]:
    """Templates in use in the area and from above, by name."""
    rows = TicketTemplate.objects.visible_to(actor) | TicketTemplate.objects.filter(above(actor))
    return rows.filter(is_active=True).order_by("name", "id")
