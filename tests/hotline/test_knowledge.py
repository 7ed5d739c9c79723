"""The knowledge base: who writes, who publishes, what is found, and that nothing over is ever shown."""

from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import CITY, DISTRICT, LONG_AGO, NOW, OTHER_DISTRICT, TODAY, actor
from tests.refusals import refused as no

from yinling.ground.scope import scope
from yinling.hotline.knowledge import nearness, parts_of
from yinling.hotline.models import Article, TicketTemplate
from yinling.hotline.operations import (
    draft_article,
    end_template,
    publish_article,
    revise_article,
    save_template,
    use_article,
    withdraw_article,
)
from yinling.hotline.queries import (
    all_articles,
    due_for_review,
    find_articles,
    readable_articles,
    templates,
    valid_articles,
)
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.django_db
WORDS = {"title": "消费补贴怎么申请", "text": "在社区登记", "source": "锡政办发〔2023〕1号 二(二)", "valid_from": TODAY}


def contents() -> list[dict[str, Any]]:
    return list(Article.objects.order_by("pk").values())


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    return no(who, kind, code, contents=contents)


def make_article(state: str = "published", *, div: str = CITY, **values: Any) -> Article:
    row = Article.objects.create(div=div, created_at=NOW, changed_at=NOW, **{**WORDS, **values})
    if state == "published":
        row.state, row.published_at = "published", values.get("published_at", NOW)
        row.save()
    return row


def test_words_are_cut_into_pairs() -> None:
    assert parts_of("消费补贴 12349 A4") == ["消费", "费补", "补贴", "12349", "a4"]
    assert parts_of("餐") == ["餐"]
    assert parts_of("，。") == []


def test_the_title_is_nearer_than_other_words_and_these_than_the_text() -> None:
    scores = [
        nearness("补贴", **{"title": "", "words": "", "text": "", place: "补贴"})
        for place in ("title", "words", "text")
    ]
    assert scores == [40, 25, 5]
    assert nearness("", title="补贴", words="", text="") == 0


def test_an_article_is_written_by_one_and_published_by_another(wide: Any) -> None:
    seat, leader = actor("seat", div=CITY), actor("line_leader", div=CITY)
    with scope(seat):
        row = draft_article(actor=seat, now=NOW, **WORDS, valid_to=date(2026, 12, 31), words="消费券")
        assert find_articles(seat, "补贴", TODAY) == []
    with scope(leader):
        publish_article(actor=leader, now=NOW, article_id=row.pk, seen=0)
        assert [one.article.pk for one in find_articles(leader, "消费券", TODAY)] == [row.pk]
    row.refresh_from_db()
    assert (row.written_by_id, row.published_by_id, row.last_day) == (seat.user_id, leader.user_id, date(2026, 12, 31))


def test_nobody_publishes_what_he_wrote(wide: Any) -> None:
    leader = actor("line_leader", div=CITY)
    with scope(leader):
        row = draft_article(actor=leader, now=NOW, **WORDS)
    with refused(leader, Denied, "article.own"):
        publish_article(actor=leader, now=NOW, article_id=row.pk)
    seat = actor("seat", div=CITY)
    with refused(seat, Denied, "right.missing"):
        publish_article(actor=seat, now=NOW, article_id=row.pk)


def test_who_changed_a_draft_last_is_its_writer(wide: Any) -> None:
    seat, leader = actor("seat", div=CITY), actor("line_leader", div=CITY)
    with scope(seat):
        row = draft_article(actor=seat, now=NOW, **WORDS)
    with scope(leader):
        revise_article(actor=leader, now=NOW, article_id=row.pk, **{**WORDS, "title": "补贴"}, seen=0)
    with refused(leader, Denied, "article.own"):
        publish_article(actor=leader, now=NOW, article_id=row.pk)


def test_refusals_of_articles(wide: Any) -> None:
    seat, leader = actor("seat", div=CITY), actor("line_leader", div=CITY)
    over, done = make_article("draft", valid_from=TODAY - timedelta(days=9), valid_to=TODAY), make_article()
    with refused(seat, Refused, "article.span"):
        draft_article(actor=seat, now=NOW, **WORDS, valid_to=TODAY - timedelta(days=1))
    with refused(seat, Refused, "text.missing"):
        draft_article(actor=seat, now=NOW, **{**WORDS, "source": " "})
    with refused(seat, Refused, "choice.unknown"):
        draft_article(actor=seat, now=NOW, **WORDS, family="x")
    with refused(leader, NotAllowed, "article.over"):
        publish_article(actor=leader, now=NOW, article_id=over.pk)
    with refused(leader, NotAllowed, "article.published"):
        revise_article(actor=leader, now=NOW, article_id=done.pk, **WORDS)
    with refused(leader, Refused, "text.missing"):
        withdraw_article(actor=leader, now=NOW, article_id=done.pk, reason=" ")
    with refused(leader, Stale, "row.stale"):
        withdraw_article(actor=leader, now=NOW, article_id=done.pk, reason="旧了", seen=9)
    with refused(seat, NotAllowed, "article.not_valid"):
        use_article(actor=seat, now=NOW, article_id=over.pk)
    elsewhere, theirs = actor("seat", div=OTHER_DISTRICT), make_article(div=DISTRICT)
    with refused(elsewhere, NotFound, "row.not_found"):
        use_article(actor=elsewhere, now=NOW, article_id=theirs.pk)
    below = actor("district", div=DISTRICT)
    with refused(below, NotFound, "row.not_found"):
        withdraw_article(actor=below, now=NOW, article_id=done.pk, reason="区里不能停用市里的")


def test_what_a_city_publishes_holds_in_its_districts(wide: Any) -> None:
    leader, seat = actor("line_leader", div=CITY), actor("seat", div=DISTRICT)
    article, own = make_article(), make_article(div=DISTRICT, title="惠山补贴")
    for state, values in (
        ("draft", {}),
        ("published", {"div": OTHER_DISTRICT}),
        ("published", {"valid_to": TODAY, "valid_from": LONG_AGO}),
    ):
        make_article(state, **values)
    with scope(leader):
        save_template(actor=leader, now=NOW, name="咨询补贴", kind="enquiry", title="咨询补贴")
        ended = save_template(actor=leader, now=NOW, name="旧", kind="enquiry", title="旧")
        end_template(actor=leader, now=NOW, template_id=ended.pk)
    with scope(seat):
        assert {row.pk for row in valid_articles(seat, TODAY)} == {article.pk, own.pk}
        assert {row.pk for row in readable_articles(seat, TODAY)} == {article.pk, own.pk}
        assert {one.article.pk for one in find_articles(seat, "补贴", TODAY)} == {article.pk, own.pk}
        assert [row.name for row in templates(seat)] == ["咨询补贴"]
        use_article(actor=seat, now=NOW, article_id=article.pk)
        assert Article.objects.filter(pk=article.pk).update(title="区里改的") == 0
        assert Article.objects.filter(state="draft").count() == 0
    article.refresh_from_db()
    assert (article.use_count, article.title) == (1, WORDS["title"])
    assert {row.pk for row in readable_articles(actor("district", div=DISTRICT), TODAY)} == {article.pk, own.pk}


def test_what_is_over_withdrawn_or_not_yet_valid_is_never_shown_to_seats(wide: Any) -> None:
    leader, seat = actor("line_leader", div=CITY), actor("seat", div=CITY)
    shown, gone = make_article(), make_article()
    make_article(valid_from=TODAY + timedelta(days=1))
    make_article(valid_from=TODAY - timedelta(days=9), valid_to=TODAY)
    make_article("draft")
    with scope(leader):
        withdraw_article(actor=leader, now=NOW, article_id=gone.pk, reason="政策已变")
    with scope(seat):
        assert [one.article.pk for one in find_articles(seat, "补贴", TODAY)] == [shown.pk]
        assert [row.pk for row in valid_articles(seat, TODAY)] == [shown.pk]
        assert find_articles(seat, "？", TODAY) == []
    assert all_articles(leader).count() == 5


def test_the_nearest_comes_first_and_the_more_used_of_two(wide: Any) -> None:
    seat = actor("seat", div=CITY)
    text = make_article(title="养老院", text="也说到补贴")
    used, fresh = make_article(use_count=0), make_article()
    with scope(seat):
        use_article(actor=seat, now=NOW, article_id=used.pk)
        assert [one.article.pk for one in find_articles(seat, "补贴", TODAY)] == [used.pk, fresh.pk, text.pk]
        assert [one.article.pk for one in find_articles(seat, "", TODAY, limit=1)] == [used.pk]
    used.refresh_from_db()
    assert (used.use_count, used.version) == (1, 0)


def test_what_is_to_be_looked_at_again(wide: Any) -> None:
    soon = make_article(valid_to=TODAY + timedelta(days=30))
    old = make_article(valid_from=TODAY - timedelta(days=500), published_at=NOW - timedelta(days=400))
    make_article(valid_to=TODAY + timedelta(days=31))
    make_article()
    found = Article.objects.filter(due_for_review(TODAY, CITY)).values_list("pk", flat=True)
    assert set(found) == {soon.pk, old.pk}


def test_a_template_is_kept_by_name_and_ended(wide: Any) -> None:
    seat = actor("seat", div=CITY)
    values = {"name": "咨询补贴", "kind": "enquiry", "title": "咨询补贴"}
    with scope(seat):
        row = save_template(actor=seat, now=NOW, **values)
        again = save_template(actor=seat, now=NOW, **{**values, "title": "咨询消费补贴"})
        assert (again.pk, again.title, TicketTemplate.objects.count()) == (row.pk, "咨询消费补贴", 1)
        end_template(actor=seat, now=NOW, template_id=row.pk)
        assert list(templates(seat)) == []
    with refused(seat, NotAllowed, "template.ended"):
        end_template(actor=seat, now=NOW, template_id=row.pk)
    with refused(seat, Refused, "choice.unknown"):
        save_template(actor=seat, now=NOW, **{**values, "kind": "x"})
    with refused(seat, Refused, "text.missing"):
        save_template(actor=seat, now=NOW, **{**values, "name": " "})
