from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS

from yinling.cli.extraction import python_with_labels
from yinling.cli.messages import both, check, extracted, untranslated, wrong_places

MODEL = """
from django.db import models
class Thing(models.Model):
    KINDS = [("phone", "电话"), ("other", "N/A")]
    title = N_("标题")
"""


def test_every_text_has_its_english() -> None:
    assert check() == []


def test_choices_of_models_are_texts_for_people() -> None:
    found = python_with_labels(BytesIO(MODEL.encode()), DEFAULT_KEYWORDS, [], {})
    assert [text for _, _, text, _ in found] == ["标题", "电话"]


def test_texts_come_from_code_models_and_templates() -> None:
    places = {str(name).rsplit(".", 1)[-1] for message in extracted() for name, _ in message.locations}
    assert places == {"py", "html"}


def test_only_pages_that_speak_chinese_alone_need_no_english() -> None:
    source = Catalog(locale="en")
    source.add("你好", locations=[("src/yinling/web/jinja2/elder/home.html", 1)])
    source.add("再见", locations=[("src/yinling/web/jinja2/elder/home.html", 1), ("src/yinling/web/show.py", 1)])
    source.add("谢谢", locations=[("src/yinling/web/jinja2/console/home.html", 1)])
    known = Catalog(locale="en")
    known.add("谢谢", "")
    assert [text for text, _ in untranslated(source, known)] == ["再见", "谢谢"]


def test_a_translation_keeps_the_values() -> None:
    known = Catalog(locale="en")
    known.add("还剩 %(count)s 张", "%(count)s left")
    known.add("最多 %(most)s 行", "at most %(most)d lines")
    known.add("第 %(line)s 行", "this line")
    known.add(("%(n)s 天", "%(n)s 天"), ("one day", "%(n)s days"))
    assert wrong_places(known) == ["最多 %(most)s 行", "第 %(line)s 行"]


def test_plural_and_plain_texts_are_read_alike() -> None:
    assert both("天") == ("天",)
    assert both(("day", "days")) == ("day", "days")
    assert both(None) == ("",)
