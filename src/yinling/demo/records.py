"""What stands around the files: health facts and grades, a survey, a recognition, an agency that runs out, doubles, and an imported sheet."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta
from itertools import cycle

from yinling.accounts.models import User
from yinling.assessment.operations import record_recognition
from yinling.assessment.operations.grades import grade_health
from yinling.demo.applications import Clerks
from yinling.demo.elders import BODIES, People
from yinling.demo.rows import insert
from yinling.directory.models import Area
from yinling.directory.queries import system_actor
from yinling.ground.scope import scope
from yinling.kernel.id_number import made_up
from yinling.kernel.period import local_date
from yinling.people.models import Campaign, Elder, HealthFact, Import, Representative
from yinling.people.operations import (
    answer_campaign,
    check_import,
    make_campaign,
    register_elder,
    save_source,
    start_import,
    upload_import,
)
from yinling.people.operations.import_slices import work_on

FACTS = [
    ("allergy", "", "青霉素过敏（虚构）"), ("diagnosis", "", "高血压2级（虚构）"), ("medication", "", "氨氯地平片 每日一次（虚构）"),
    ("allergy", "none", ""), ("diagnosis", "", "2型糖尿病（虚构）"), ("vaccination", "流感疫苗", ""),
    ("contraindication", "流感疫苗", "曾接种后过敏（虚构）"),
]  # fmt: skip
VACCINE = "流感疫苗"
OUTCOMES = ("done", "willing", "declined", "done", "contraindicated", "willing", "not_reached")
WITH_FACTS, GRADED, ASKED, DOUBLES = 240, 24, 21, 2
SERIAL, PHONE = 90_000, "19900005002"
"""Of the new person in the sheet: behind the numbers of the other elders, between their phones and those of their relatives."""


def load_records(people: People, city: str, now: datetime) -> None:
    """Give the demonstration's own street something on every page of records."""
    assert people.demo is not None  # noqa: S101 - made by the steps before
    clerks, demo = Clerks(now), people.demo
    near = [one for one in people.elders if one.div.startswith(demo.div[:6]) and not one.died_on]
    near.sort(key=lambda one: not one.div.startswith(demo.div[:9]))
    others = [one for one in near if one is not demo]
    _health([demo, *near[:WITH_FACTS]], now)
    _grades([demo, *near[:GRADED]], city, now)
    _survey(clerks, others, demo, now)
    _recognition(clerks, city, now)
    _agents(others, now)
    _doubles(clerks, others)
    _sheet(clerks, demo, others)


def _health(elders: list[Elder], now: datetime) -> None:
    """Allergies, diagnoses and the like of some; a yearly check of most, longer ago for some than their grade allows."""
    today, rows = local_date(now), []
    for place, elder in enumerate(dict.fromkeys(elders)):
        kind, item, content = FACTS[place % len(FACTS)]
        days = 20 + place * 7 % 500
        for fact, name, text, day in (
            (kind, item, content, 300 + place),
            ("check", "年度体检", "", days),
        ):
            if fact == "check" and place % 6 == 5:  # noqa: PLR2004 - some were never checked
                continue
            row = HealthFact(
                div=elder.div, elder=elder, kind=fact, item=name, body=BODIES["chronic"], valid_from=today - timedelta(days=day),
                recorded_from=now - timedelta(days=min(day, 390)),
            )  # fmt: skip
            row.seal_field("content", text)
            rows.append(row)
    insert(rows)


def _grades(elders: list[Elder], city: str, now: datetime) -> None:
    actor = system_actor(city)
    for elder in dict.fromkeys(elders):
        with scope(actor):
            grade_health(actor=actor, now=now, elder_id=elder.pk)


def _survey(clerks: Clerks, others: list[Elder], demo: Elder, now: datetime) -> None:
    """A survey of the district, of which some were asked, those of the street first."""
    today = local_date(now)
    row: Campaign = clerks.act(
        "district", 20, make_campaign, name=f"{today.year}年流感疫苗接种摸底（演示）", kind="vaccination", item=VACCINE, least_age=65,
        starts_on=today - timedelta(days=20), ends_on=today + timedelta(days=40), div=demo.div[:6],
    )  # fmt: skip
    old = [one for one in others if one.born_on < today - timedelta(days=66 * 366)]
    for place, (elder, outcome) in enumerate(zip(old[:ASKED], cycle(OUTCOMES), strict=False)):
        note = "曾接种后出现荨麻疹（虚构）" if outcome == "contraindicated" else ""
        asked = {"campaign_id": row.pk, "elder_id": elder.pk, "outcome": outcome, "note": note}
        clerks.act("district", 15 - place % 14, answer_campaign, **asked)


def _recognition(clerks: Clerks, city: str, now: datetime) -> None:
    clerks.act(
        "city", 30, record_recognition, div=city, department="civil_affairs", from_scale="gbt42195_2022",
        from_levels=["moderate", "severe", "total"], purpose="consumption_subsidy", accepted_as="中度及以上失能",
        legal_basis="2025年7月养老服务消费补贴通知", max_age_months=24, valid_from=local_date(now) - timedelta(days=30),
    )  # fmt: skip


def _agents(others: list[Elder], now: datetime) -> None:
    """Two whose agency runs out soon; they have no login to type."""
    today = local_date(now)
    for place, (elder, days) in enumerate(zip(others[:2], (12, 25), strict=False)):
        user = User(username=f"agent{place + 1}", name="邻里代办人（虚构）")
        user.set_unusable_password()
        user.save()
        Representative.objects.create(
            div=elder.div, elder=elder, user=user, capacity="agent", proof="委托书（虚构）", valid_from=today - timedelta(days=350),
            valid_to=today + timedelta(days=days), recorded_from=now - timedelta(days=350),
        )  # fmt: skip


def _doubles(clerks: Clerks, others: list[Elder]) -> None:
    """Register some a second time, without a number, as happens when the card was not at hand."""
    for elder in others[2 : 2 + DOUBLES]:
        home = elder.household
        row: Elder = clerks.act(
            "district", 5, register_elder, name=elder.name, sex=elder.sex, born_on=elder.born_on, id_type="none",
            phone=elder.unseal_field("phone"), div=elder.div, address=home.address, lon=home.lon, lat=home.lat,
        )  # fmt: skip
        Elder.objects.filter(pk=row.pk).update(is_made_up=True)


def _sheet(clerks: Clerks, demo: Elder, others: list[Elder]) -> None:
    """A department's list, checked and written: one new person, one who is known, one line with a wrong number."""
    place = Area.objects.get(pk=demo.div).name
    born = date(1948, 5, 20)
    lines = [
        ["姓名", "身份证号", "联系电话", "社区", "住址", "人群类别"],
        ["伍秀兰", made_up(SERIAL, born, "female").number, PHONE, place, "人民路 8 号 301 室", "独居"],
        [demo.name, demo.unseal_field("id_number"), "", place, "", "低保边缘"],
        [others[-1].name, others[-1].unseal_field("id_number")[:-4], "", place, "", "低保"],
    ]
    text = "\n".join(",".join(line) for line in lines)
    source = clerks.act("street", 3, save_source, name="民政低收入人口名册（演示）", department="civil_affairs")
    row: Import = clerks.act(
        "street", 3, upload_import, source_id=source.pk, content=base64.b64encode(text.encode("utf-8-sig")).decode(),
        file_name="低收入人口名册.csv",
    )  # fmt: skip
    for step in (check_import, start_import):
        clerks.act("street", 3, step, import_id=row.pk)
        while clerks.act("street", 3, work_on, import_id=row.pk):
            pass
