"""The hotline of the last two weeks: calls, and tickets in every state."""

from __future__ import annotations

from datetime import datetime, timedelta

from yinling.accounts.models import User
from yinling.demo.bodies import LONG_AGO
from yinling.demo.world import World
from yinling.ground.crypto import blind_index
from yinling.ground.parameters import parameter
from yinling.hotline.models import Call, Emergency, Ticket, TicketNote, Transfer
from yinling.hotline.rules import due
from yinling.hotline.states import CallState, TicketState
from yinling.kernel.period import SHANGHAI
from yinling.people.models import Elder

ENQUIRIES = (
    ("enquiry", "咨询消费补贴怎么申请", "已告知申请条件和办理地点"), ("enquiry", "咨询助餐点地址和价格", "已告知最近助餐点和菜价"),
    ("suggestion", "希望增加周末保洁时段", "已转服务商研究"), ("request", "想换一位护理员", "已协调服务商更换"),
    ("complaint", "服务人员迟到半小时", "已核实并向老人致歉"), ("request", "请帮忙联系家庭医生", "已联系签约医生"),
    ("enquiry", "咨询能力评估需要多久", "已告知评估流程和时限"), ("report", "反映有人冒充工作人员推销", "已转公安部门核实"),
)  # fmt: skip
OPEN = (
    ("complaint", "上周保洁不彻底，要求重做", TicketState.HANDLING, 4), ("request", "浴室扶手松动，请求检查", TicketState.OPEN, 0),
    ("enquiry", "咨询陪同就医如何预约", TicketState.OPEN, 0), ("complaint", "对账单金额有疑问", TicketState.RESOLVED, 2),
    ("request", "希望每周固定同一位护理员", TicketState.HANDLING, 6), ("suggestion", "建议增加方言座席", TicketState.HANDLING, 1),
)  # fmt: skip
ANSWERED_SHARE, KEPT = 0.93, 40
"""Share of calls that are answered; and how many of the ordinary enquiries a fortnight has."""


class Desk:
    """Writes calls and tickets."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seat: User = world.users["seat"]

    def call(self, elder: Elder | None, at: datetime, *, is_answered: bool = True) -> Call:
        """Write one call that is over."""
        world = self.world
        number = elder.unseal_field("phone") if elder else f"1990000{world.random.randrange(9000, 9500):04d}"
        call: Call = world.add(
            Call(
                div=elder.div if elder else world.profile.area, key=f"demo-call-{len(world.batch.rows.get(Call, ())) + 1}",
                state=CallState.ENDED if is_answered else CallState.ABANDONED, number_index=blind_index(number, purpose="call"),
                number_last4=number[-4:], elder=elder, rang_at=at, created_at=at, changed_at=at, version=2 if is_answered else 1,
            )
        )  # fmt: skip
        call.seal_field("number", number)
        world.note(world.users["system"], "system", "hotline.call.receive", at, call)
        if is_answered:
            call.seat, call.answered_at = self.seat, at + timedelta(seconds=world.random.randint(4, 25))
            call.ended_at = call.answered_at + timedelta(seconds=world.random.randint(70, 400))
            world.note(
                self.seat,
                "seat",
                "hotline.call.answer",
                call.answered_at,
                call,
                changes={"state": ["ringing", "answered"]},
            )
            world.note(
                self.seat, "seat", "hotline.call.hang_up", call.ended_at, call, changes={"state": ["answered", "ended"]}
            )
        else:
            call.ended_at = at + timedelta(seconds=40)
        return call

    def ticket(
        self,
        elder: Elder | None,
        call: Call | None,
        kind: str,
        title: str,
        at: datetime,
        *,
        family: str = "",
        level: str = "normal",
    ) -> Ticket:
        """Open a ticket with its deadline in working days."""
        world, div = self.world, elder.div if elder else self.world.profile.area
        day = max(at.astimezone(SHANGHAI).date(), LONG_AGO)
        days = int(parameter(f"ticket.due_days.{kind}", div, day))
        due_at, is_provisional = due(world.calendar, at, days)
        ticket: Ticket = world.add(
            Ticket(
                div=div, elder=elder, call=call, kind=kind, level=level, channel="phone" if call else "app", family=family, title=title,
                opened_at=at, due_at=due_at, is_due_provisional=is_provisional, created_at=at, changed_at=at,
            )
        )  # fmt: skip
        world.note(
            self.seat,
            "seat",
            "hotline.ticket.open",
            at,
            ticket,
            changes={"state": [None, "open"], "kind": [None, kind]},
        )
        return ticket

    def move(self, ticket: Ticket, verb: str, state: TicketState, at: datetime) -> None:
        """Move a ticket on."""
        before = str(ticket.state)
        ticket.state, ticket.changed_at = state, at
        ticket.version += 1
        if verb == "take":
            ticket.seat = self.seat
        self.world.note(
            self.seat, "seat", f"hotline.ticket.{verb}", at, ticket, changes={"state": [before, str(state)]}
        )

    def close(self, ticket: Ticket, at: datetime, result: str) -> None:
        """Take, work and close."""
        self.move(ticket, "take", TicketState.HANDLING, ticket.opened_at + timedelta(minutes=2))
        at = max(at, ticket.opened_at + timedelta(minutes=3))
        ticket.result, ticket.closed_at = result, at
        self.move(ticket, "close", TicketState.CLOSED, at)

    def for_order(self, elder: Elder, title: str, family: str, at: datetime) -> Ticket:
        """Write the call and the ticket from which an order comes; the ticket closes with the order placed."""
        call = self.call(elder, at - timedelta(minutes=4))
        ticket = self.ticket(elder, call, "request", title, at - timedelta(minutes=2), family=family)
        self.close(ticket, at + timedelta(minutes=1), "已下单")
        return ticket

    def ordinary_days(self, days: int) -> None:
        """Enquiries and complaints that are over, calls nobody answered, and what is still open."""
        world, people = self.world, [elder for elder in self.world.people.elders if elder.died_on is None]
        for number in range(KEPT):
            at = world.now - timedelta(days=world.random.uniform(0.3, days))
            elder = world.random.choice(people) if world.random.random() < 0.85 else None  # noqa: PLR2004 - a share
            if world.random.random() > ANSWERED_SHARE:
                self.call(elder, at, is_answered=False)
                continue
            kind, title, result = ENQUIRIES[number % len(ENQUIRIES)]
            ticket = self.ticket(elder, self.call(elder, at), kind, title, at + timedelta(minutes=2))
            self.close(ticket, min(at + timedelta(hours=world.random.randint(1, 30)), world.now), result)
        for title_at, (kind, title, state, age) in enumerate(OPEN):
            self.still_open(
                people[title_at * 7 % len(people)],
                kind,
                title,
                state,
                world.now - timedelta(days=age, minutes=25 + title_at),
            )
        self.transferred(people[-1])
        self.emergency(people[-2])

    def still_open(self, elder: Elder, kind: str, title: str, state: TicketState, at: datetime) -> None:
        """Leave a ticket in a state."""
        ticket = self.ticket(elder, self.call(elder, at - timedelta(minutes=5)), kind, title, at)
        if state != TicketState.OPEN:
            self.move(ticket, "take", TicketState.HANDLING, at + timedelta(minutes=3))
            self.remark(ticket, "已电话联系老人，正在核实情况", at + timedelta(minutes=9))
        if state == TicketState.RESOLVED:
            ticket.result = "已向老人逐项说明，老人表示清楚"
            self.move(ticket, "resolve", TicketState.RESOLVED, at + timedelta(minutes=30))

    def remark(self, ticket: Ticket, text: str, at: datetime) -> None:
        """Write a note."""
        self.world.add(
            TicketNote(
                div=ticket.div,
                ticket=ticket,
                elder_id=ticket.elder_id,
                text=text,
                written_at=at,
                written_by=self.seat,
                written_as=self.seat.name,
            )
        )

    def transferred(self, elder: Elder) -> None:
        """Leave a ticket in the hands of the demonstration's own provider."""
        at, provider = self.world.now - timedelta(hours=5), self.world.bodies.demo
        assert provider is not None  # noqa: S101 - made by the step before
        ticket = self.ticket(
            elder,
            self.call(elder, at - timedelta(minutes=3)),
            "request",
            "请安排熟悉的护理员上门",
            at,
            family="daily_care",
        )
        ticket.provider = provider
        reason = "由责任机构答复老人"
        self.world.add(
            Transfer(
                div=ticket.div, ticket=ticket, provider=provider, reason=reason, transferred_at=at + timedelta(minutes=6),
                transferred_by=self.seat,
            )
        )  # fmt: skip
        moved = {"provider_id": [None, provider.pk]}
        self.world.note(
            self.seat,
            "seat",
            "hotline.ticket.transfer",
            at + timedelta(minutes=6),
            ticket,
            changes=moved,
            reason=reason,
        )

    def emergency(self, elder: Elder) -> None:
        """Leave one emergency that was handed over and is over."""
        at = self.world.now - timedelta(days=3, hours=2)
        call = self.call(elder, at)
        row = self.world.add(
            Emergency(
                div=elder.div, call=call, elder=elder, service="120", what="老人在家中跌倒，不能起身", handed_over_at=at + timedelta(seconds=50),
                contacts_told_at=at + timedelta(seconds=90), arrived_at=at + timedelta(minutes=13), ended_at=at + timedelta(minutes=55),
                outcome="送医检查，无骨折，家属已到场", created_at=at, changed_at=at + timedelta(minutes=55), version=3,
            )
        )  # fmt: skip
        self.world.note(
            self.seat,
            "seat",
            "hotline.call.hand_over",
            at + timedelta(seconds=50),
            row,
            changes={"service": [None, "120"]},
        )
