"""Writing the knowledge base (P08) and the templates of tickets."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db import connection

from yinling.accounts.operations import record
from yinling.catalogue.models import FAMILIES
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.hotline import rules
from yinling.hotline.models import KINDS, LEVELS, Article, TicketTemplate
from yinling.hotline.states import ARTICLE, ArticleState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_

Head = Annotated[str, Input(N_("标题"), max_length=80)]
Text = Annotated[str, Input(N_("答复内容"), max_length=8000, widget="area")]
Source = Annotated[str, Input(N_("依据"), help=N_("文件名称和条款，或提供资料的部门"), max_length=200)]
OtherWords = Annotated[str, Input(N_("其他说法"), help=N_("来电人常用的词，用空格分开"), max_length=200)]
Family = Annotated[str, Input(N_("服务大类"), choices=[("", N_("不限")), *FAMILIES], widget="choice")]
LastDay = Annotated[date | None, Input(N_("有效期至"), help=N_("含当日；长期有效请留空"), widget="date")]
Name = Annotated[str, Input(N_("模板名称"), max_length=40)]
Kind = Annotated[str, Input(N_("类别"), choices=KINDS, widget="choice")]
Level = Annotated[str, Input(N_("紧急程度"), choices=LEVELS, widget="choice")]
Body = Annotated[str, Input(N_("内容"), max_length=2000, widget="area")]

explain_constraint("article_four_eyes", "article.own", N_("不能发布自己撰写的条目，请由另一位人员发布"))


def _checked(title: str, text: str, source: str, valid_from: date, valid_to: date | None) -> dict[str, object]:
    """Return the values of an article; its last day is stored half-open."""
    if valid_to is not None and valid_to < valid_from:
        raise Refused("article.span", N_("有效期的最后一天不能早于第一天"), field="valid_to")
    return {
        "title": required_text(title, "title", most=80), "text": required_text(text, "text", most=8000),
        "source": required_text(source, "source"), "valid_from": valid_from, "valid_to": valid_to + ONE_DAY if valid_to else None,
    }  # fmt: skip


@operation("hotline.article.draft", label=N_("保存草稿"))
def draft_article(  # noqa: PLR0913 - what an article consists of
    *, actor: Actor, now: datetime, title: Head, text: Text, source: Source, valid_from: Day, valid_to: LastDay = None,
    family: Family = "", words: OtherWords = "",
) -> Article:  # fmt: skip
    """Write a piece of the knowledge base; seats see it after another person has published it."""
    require(actor, "hotline.article.draft", div=actor.div or "")
    rules.check_listed(family, [("", ""), *FAMILIES], field="family")
    values = _checked(title, text, source, valid_from, valid_to)
    row = Article(
        div=actor.div or "",
        family=family,
        words=words.strip(),
        written_by_id=actor.user_id,
        created_at=now,
        changed_at=now,
        **values,
    )
    row.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.article.draft", subject=row, changes={"title": [None, row.title]})
    return row


def _article(actor: Actor, verb: str, article_id: int, seen: int | None = None) -> Article:
    row = locked(Article.objects.all(), article_id, seen)
    require(actor, f"hotline.article.{verb}", div=row.div)
    return row


@operation("hotline.article.revise", label=N_("保存修改"))
def revise_article(  # noqa: PLR0913 - what an article consists of
    *, actor: Actor, now: datetime, article_id: Id, title: Head, text: Text, source: Source, valid_from: Day, valid_to: LastDay = None,
    family: Family = "", words: OtherWords = "", seen: Seen = None,
) -> Article:  # fmt: skip
    """Change a draft; the person who changed it last counts as its writer. What is published is never changed, but written anew."""
    row = _article(actor, "revise", article_id, seen)
    if row.state != ArticleState.DRAFT:
        raise NotAllowed("article.published", N_("已发布的条目不能修改，请新建一条，发布后停用这一条"))
    rules.check_listed(family, [("", ""), *FAMILIES], field="family")
    values = _checked(title, text, source, valid_from, valid_to)
    changes = changed(row, now=now, family=family, words=words.strip(), written_by_id=actor.user_id, **values)
    changes.pop("text", None)
    record(actor=actor, now=now, event="hotline.article.revise", subject=row, changes=changes)
    return row


@operation("hotline.article.publish", label=N_("发布"))
def publish_article(*, actor: Actor, now: datetime, article_id: Id, seen: Seen = None) -> Article:
    """Let the seats use an article; never the person who wrote it."""
    row = _article(actor, "publish", article_id, seen)
    if row.written_by_id is not None and row.written_by_id == actor.user_id:
        raise Denied("article.own", N_("不能发布自己撰写的条目，请由另一位人员发布"))
    if row.valid_to is not None and row.valid_to <= local_date(now):
        raise NotAllowed("article.over", N_("这一条的有效期已过，请先修改有效期"))
    target = ARTICLE.target("publish", ArticleState(row.state))
    changes = changed(row, now=now, state=target, published_at=now, published_by_id=actor.user_id)
    record(actor=actor, now=now, event="hotline.article.publish", subject=row, changes=changes)
    tell("articles", pk=row.pk, div=row.div)
    return row


@operation("hotline.article.withdraw", label=N_("停用"))
def withdraw_article(*, actor: Actor, now: datetime, article_id: Id, reason: Reason, seen: Seen = None) -> Article:
    """Take an article away from the seats at once, with the reason."""
    row = _article(actor, "withdraw", article_id, seen)
    text = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=ARTICLE.target("withdraw", ArticleState(row.state)))
    record(actor=actor, now=now, event="hotline.article.withdraw", subject=row, changes=changes, reason=text)
    tell("articles", pk=row.pk, div=row.div)
    return row


@operation("hotline.article.use", label=N_("用于答复"))
def use_article(*, actor: Actor, now: datetime, article_id: Id) -> Article:
    """Count that an article answered a caller. The count is not a change of the article: nobody's page becomes stale."""
    row = Article.objects.filter(pk=article_id).first() or locked(Article.objects.all(), article_id)
    # An article of the city answers a caller of a seat that sees one district alone: the seat's own area is what counts then.
    require(actor, "hotline.article.use", div=max(row.div, actor.div or "", key=len))
    today = local_date(now)
    if (
        row.state != ArticleState.PUBLISHED
        or row.valid_from > today
        or (row.valid_to is not None and row.valid_to <= today)
    ):
        raise NotAllowed("article.not_valid", N_("这一条未发布或已过有效期，不能用于答复，请查找别的条目"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT hotline_use_article(%s)", [row.pk])  # a seat below may count, and write nothing else
    record(actor=actor, now=now, event="hotline.article.use", subject=row)
    return row


@operation("hotline.template.save", label=N_("保存模板"))
def save_template(
    *, actor: Actor, now: datetime, name: Name, kind: Kind, title: Head, level: Level = "normal", family: Family = "", text: Body = ""
) -> TicketTemplate:  # fmt: skip
    """Keep a ticket half written under a name; the same name again is the same template with new words."""
    require(actor, "hotline.template.save", div=actor.div or "")
    known_choice(kind, KINDS, "kind")
    known_choice(level, LEVELS, "level")
    rules.check_listed(family, [("", ""), *FAMILIES], field="family")
    values = {
        "kind": kind, "level": level, "family": family, "title": required_text(title, "title", most=80), "text": text.strip(),
        "is_active": True,
    }  # fmt: skip
    own = {"div": actor.div or "", "name": required_text(name, "name", most=40)}
    row, is_new = TicketTemplate.objects.select_for_update(of=("self",)).get_or_create(
        **own, defaults={**values, "created_at": now, "changed_at": now}
    )
    changes = {"name": [None, row.name]} if is_new else changed(row, now=now, **values)
    record(actor=actor, now=now, event="hotline.template.save", subject=row, changes=changes)
    return row


@operation("hotline.template.end", label=N_("停用模板"))
def end_template(*, actor: Actor, now: datetime, template_id: Id, seen: Seen = None) -> TicketTemplate:
    """Take a template off the ticket form."""
    row = locked(TicketTemplate.objects.all(), template_id, seen)
    require(actor, "hotline.template.end", div=row.div)
    if not row.is_active:
        raise NotAllowed("template.ended", N_("这个模板已停用，请刷新页面"))
    changes = changed(row, now=now, is_active=False)
    record(actor=actor, now=now, event="hotline.template.end", subject=row, changes=changes)
    return row
