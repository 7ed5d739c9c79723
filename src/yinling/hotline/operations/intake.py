"""Complaints and reports from outside the desk (R-CALL-15): the public page, by name or without one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from yinling.catalogue.models import FAMILIES
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.operation import operation
from yinling.hotline import rules
from yinling.hotline.models import Reporter, Ticket
from yinling.hotline.operations.tickets import Title, write_ticket
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

LODGED = [("complaint", N_("投诉")), ("report", N_("举报")), ("suggestion", N_("建议"))]
PHONE = re.compile(r"\+?\d{5,20}", re.ASCII)

Kind = Annotated[str, Input(N_("类别"), choices=LODGED, widget="radio")]
Family = Annotated[str, Input(N_("涉及的服务"), choices=[("", N_("不限")), *FAMILIES], widget="choice")]
Text = Annotated[str, Input(N_("经过"), help=N_("写明时间、地点、机构或人员"), max_length=2000, widget="area")]
Name = Annotated[str, Input(N_("您的姓名"), help=N_("举报可以不留姓名和电话"), max_length=40)]
Phone = Annotated[str, Input(N_("联系电话"), max_length=20)]
Div = Annotated[str, Input(N_("发生地"), max_length=12, widget="choice")]


@operation("hotline.ticket.lodge", label=N_("提交"))
def lodge_ticket(  # noqa: PLR0913 - what the form asks
    *, actor: Actor, now: datetime, kind: Kind, div: Div, title: Title, text: Text, family: Family = "", name: Name = "", phone: Phone = ""
) -> Ticket:  # fmt: skip
    """Take in a complaint or report from somebody without a login. A report may be anonymous; who complains can be answered."""
    require(actor, "hotline.ticket.lodge", div=div)
    known_choice(kind, LODGED, "kind")
    rules.check_listed(family, [("", ""), *FAMILIES], field="family")
    head, told = required_text(title, "title", most=80), required_text(text, "text", most=2000)
    row = Ticket(div=div, kind=kind, level="normal", family=family, title=head, text=told, channel="app")
    number = phone_number(phone)
    if kind != "report" and not number:
        raise Refused("lodge.phone", N_("请留下联系电话，以便答复；不愿留名请选择“举报”"), field="phone")
    ticket = write_ticket(actor, now, row)
    keep_reporter(now, ticket, name=name.strip()[:40], phone=number)
    return ticket


def phone_number(text: str) -> str:
    """Return a typed number without spaces and dashes, or nothing. Raises Refused ``call.number``."""
    digits = re.sub(r"[\s()-]", "", text)
    if digits and not PHONE.fullmatch(digits):
        raise Refused("call.number", N_("号码只能是 5 到 20 位数字；没有号码请留空"), field="phone")
    return digits


def keep_reporter(now: datetime, ticket: Ticket, *, name: str, phone: str) -> None:
    """Seal who reported, if somebody gave a name or number."""
    if not name and not phone:
        return
    row = Reporter(div=ticket.div, ticket=ticket, phone_last4=phone[-4:], created_at=now)
    row.seal_field("name", name)
    row.seal_field("phone", phone)
    row.save(force_insert=True)
