"""Pages for elders and their families, in large type and Chinese only: home, booking in three steps, one's services, rating."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpResponse

from yinling.accounts.models import Journal, Notice
from yinling.catalogue.models import ServiceItem
from yinling.catalogue.queries import public_list
from yinling.devices.queries import open_alarms_of
from yinling.directory.queries import city_of
from yinling.dispatch.models import LIVE
from yinling.dispatch.queries import carers_of, given_to
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries.eligibility import offers
from yinling.ground.parameters import parameter
from yinling.kernel.money import yuan
from yinling.kernel.period import SHANGHAI, local_date
from yinling.kernel.refusals import NotFound, Refusal
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import Quote, orders_of, quote
from yinling.orders.rules import SERVICES, STAGE_LABELS
from yinling.orders.states import ORDER
from yinling.people.inputs import CAPACITIES
from yinling.people.models import Elder
from yinling.people.queries import capacity_of, consent_texts, consents_of, elder_file, labels_on
from yinling.visits.queries import evaluation_of, stage, with_progress
from yinling.visits.rules import EVALUATED_BY, SERVED
from yinling.web import conditions
from yinling.web.actions import ActionForm, action_form
from yinling.web.changes import Change, changes_of
from yinling.web.pages import Listing, page, render
from yinling.web.show import elder_day, elder_hour, refusal_text

AGREED = "老人或家属（手机确认）"
DAYS_SHOWN = 7
HOURS = range(8, 18)
ORDERS_SHOWN = 5
READINGS = ("people.elder.reveal", "people.health.reveal")
READINGS_SHOWN = 20
COMING = ("placed", "accepted", "assigned", "in_service")


@dataclass(frozen=True)
class Person:
    """For whom the page is: the elder chosen, all that may be chosen, and how links name the choice."""

    elder: Elder
    others: list[tuple[str, str, None, bool]]
    is_family: bool

    @property
    def query(self) -> str:
        """The part of an address that keeps the choice."""
        return f"elder={self.elder.pk}"


def _person(request: Any, wanted: str = "") -> Person:
    """Return for whom the page is: the elder named in the address if linked to this login, else the first (F01)."""
    mine = Elder.objects.filter(pk__in=request.actor.elder_ids, merged_into=None)
    elders = list(mine.select_related("household").order_by("pk"))
    if not elders:
        raise NotFound("elder.none", N_("这个账号还没有关联老人。请带身份证到社区服务站办理，或拨打热线"))
    wanted = wanted or request.GET.get("elder", "")
    chosen = next((elder for elder in elders if str(elder.pk) == wanted), None if wanted else elders[0])
    if chosen is None:
        raise Http404
    others = [(elder.name, f"{request.path}?elder={elder.pk}", None, elder == chosen) for elder in elders]
    return Person(chosen, others if len(elders) > 1 else [], request.actor.role == "family")


def _number(request: Any, person: Person) -> str:
    return str(parameter("hotline.number", person.elder.div, local_date(request.now)))


def _show(request: Any, template: str, person: Person, **values: Any) -> HttpResponse:
    """Render a page with the number to ring on every one of them."""
    return render(request, f"elder/{template}.html", person=person, number=_number(request, person), **values)


@page("orders.order.place")
def home(request: Any) -> HttpResponse:
    """E01, for a family F01: what comes next, and the four ways on."""
    person = _person(request)
    coming = orders_of(request.actor).filter(elder_id=person.elder.pk, state__in=COMING, ends_at__gte=request.now)
    order = coming.prefetch_related("lines").order_by("starts_at", "id").first()
    carers = carers_of([order]).get(order.pk, []) if order else []
    alarms = open_alarms_of(request.actor, person.elder.pk) if request.actor.has("devices.alarm.view") else []
    unread = Notice.objects.filter(user_id=request.user.pk, read_at=None).count()
    return _show(request, "home", person, order=order, carers=carers, alarms=alarms, unread=unread)


@page("orders.order.place")
def book(request: Any) -> HttpResponse:
    """E02, first step: what."""
    person = _person(request)
    day = local_date(request.now)
    listed = public_list(city_of(person.elder.div), day, request.now)
    shown = [replace(family, items=tuple(one for one in family.items if _is_bookable(one.item))) for family in listed]
    families = [family for family in shown if family.items]
    return _show(request, "book", person, families=families)


def _is_bookable(item: ServiceItem) -> bool:
    """Whether somebody can be sent for it: not goods, bed-days or fees."""
    return item.needs_visit and item.kind in SERVICES


class TimeForm(forms.Form):
    """Day and hour of the visit."""

    day = forms.ChoiceField(
        label="哪一天",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择哪一天", "invalid_choice": "请从列出的日子里选择"},
    )
    hour = forms.ChoiceField(
        label="几点",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择几点", "invalid_choice": "请从列出的时间里选择"},
    )
    later = forms.TypedChoiceField(
        label="可以晚一点吗",
        coerce=int,
        empty_value=0,  # type: ignore[arg-type]
        required=False,
        initial="0",
        widget=forms.RadioSelect,
        choices=[
            ("0", "就要这个时间"),
            ("30", "晚半小时也可以"),
            ("60", "晚 1 小时也可以"),
            ("120", "晚 2 小时也可以"),
        ],
        error_messages={"invalid_choice": "请从列出的选项里选择"},
    )
    note = forms.CharField(label="想说明的话", required=False, max_length=500)

    def __init__(self, data: Any, *, first: date, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="book-%s", **kwargs)
        days = [first + timedelta(days=number) for number in range(1, DAYS_SHOWN + 1)]
        self.fields["day"].choices = [(one.isoformat(), elder_day(one)) for one in days]  # type: ignore[attr-defined]
        self.fields["hour"].choices = [(str(hour), elder_hour(_at(first, hour))) for hour in HOURS]  # type: ignore[attr-defined]

    @property
    def starts_at(self) -> datetime:
        """The moment chosen."""
        return _at(date.fromisoformat(self.cleaned_data["day"]), int(self.cleaned_data["hour"]))


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), SHANGHAI)


@page("orders.order.place")
def book_item(request: Any, code: str) -> HttpResponse:
    """E02, second step: when; third step: the price, then the confirmation."""
    person = _person(request)
    item = ServiceItem.objects.filter(code=code, is_active=True).first()
    if item is None or not _is_bookable(item):
        raise Http404
    first = local_date(request.now)
    asked = "day" in request.GET or "hour" in request.GET
    form = TimeForm(request.GET if asked else None, first=first, initial={"hour": "9"})
    if not (asked and form.is_valid()):
        return _show(request, "book_time", person, item=item, form=form, problem="")
    try:
        offer = quote(
            actor=request.actor, elder_id=person.elder.pk, item_code=code, starts_at=form.starts_at, now=request.now
        )
    except Refusal as refusal:
        return _show(request, "book_time", person, item=item, form=form, problem=refusal_text(refusal))
    confirm = _confirm(request, person, offer, form.cleaned_data)
    return _show(
        request,
        "book_confirm",
        person,
        item=item,
        offer=offer,
        confirm=confirm,
        payments=_payments(offer),
        note=form.cleaned_data["note"],
        latest_at=offer.starts_at + timedelta(minutes=form.cleaned_data["later"]),
    )


def _confirm(request: Any, person: Person, offer: Quote, chosen: dict[str, Any]) -> Any:
    initial = {
        "elder_id": person.elder.pk, "item_code": offer.item.code, "starts_at": offer.starts_at, "quoted_total_fen": offer.total_fen,
        "quoted_self_fen": offer.self_fen, "channel": "app", "note": chosen["note"], "flexible_minutes": chosen["later"],
    }  # fmt: skip
    hidden = (
        "elder_id",
        "item_code",
        "starts_at",
        "quoted_total_fen",
        "quoted_self_fen",
        "channel",
        "note",
        "flexible_minutes",
    )
    only, fields = ["elder_id"], {}
    if offer.beyond_fen:
        agreed = [[AGREED, f"我同意多付 {yuan(offer.beyond_fen)} 元"]]
        only.append("self_pay_consent")
        fields["self_pay_consent"] = {
            "label": "补贴额度不够",
            "help": "",
            "widget": "radio",
            "choices": agreed,
            "required": True,
        }
    return action_form(
        request, "place_order", initial, next=f"/e/services/?{person.query}", hidden=hidden, only=tuple(only), submit=N_("确认预约"),
        done=N_("预约好了，我们会尽快安排人员"), fields=fields,
    )  # fmt: skip


def _payments(offer: Quote) -> list[tuple[str, int]]:
    """Return who pays how much besides the elder, by name."""
    sums: dict[str, int] = {}
    for share in offer.shares:
        if share.payer != "self" and share.amount_fen:
            label = dict(PAYERS)[share.payer]
            sums[label] = sums.get(label, 0) + share.amount_fen
    return list(sums.items())


@page("visits.visit.view")
def services(request: Any) -> HttpResponse:
    """E03: every service with its stage, who comes, and the bill in plain words."""
    person = _person(request)
    rows = with_progress(orders_of(request.actor).filter(elder_id=person.elder.pk)).prefetch_related("lines", "shares")
    listing = Listing(request, rows, size=ORDERS_SHOWN)
    carers = given_to(listing.rows, local_date(request.now))
    return _show(
        request, "services", person, listing=listing,
        entries=[_entry(request, person, order, carers.get(order.pk, [])) for order in listing.rows]
    )  # fmt: skip


def _entry(request: Any, person: Person, order: Any, carers: Any) -> dict[str, Any]:
    paid: dict[str, int] = {}
    open_lines = {line.pk for line in order.lines.all() if line.added_at and not line.confirmed_at}
    for share in order.shares.all():
        if share.payer != "self" and share.amount_fen and share.line_id not in open_lines:
            paid[share.get_payer_display()] = paid.get(share.get_payer_display(), 0) + share.amount_fen
    here = f"/e/services/?{person.query}"
    initial = {"order_id": order.pk, "seen": order.version}
    can_cancel = ORDER.allows("cancel", order.state)
    return {
        "order": order, "stage": STAGE_LABELS[stage(order)], "paid": list(paid.items()), "carers": [one for one in carers if one.state in LIVE],
        "can_rate": _can_rate(request, order), "changes": _changes(request, person, order, here),
        "avoid": [_avoid(request, one, here) for one in carers],
        "cancel": action_form(request, "cancel_order", initial, next=here, submit=N_("取消预约"), tone="danger") if can_cancel else None,
    }  # fmt: skip


def _changes(request: Any, person: Person, order: Any, here: str) -> list[Change]:
    """What the carer at the door wants to add, to be agreed to here or on the carer's phone (D-18)."""
    if order.state != "in_service":
        return []
    signed = {"signed_as": "family" if person.is_family else "self", "signed_by": request.user.name}
    return changes_of(request, order, here, signed=signed)


def _avoid(request: Any, given: Any, here: str) -> ActionForm:
    """The form that asks for another carer from now on, or for this one again."""
    if given.avoidance_id is not None:
        said = f"可以再派{given.staff_name}"
        return action_form(
            request, "end_avoidance", {"avoidance_id": given.avoidance_id}, next=here, submit=said, tone=""
        )
    return action_form(
        request, "ask_avoidance", {"assignment_id": given.pk}, next=here, submit=f"不要再派{given.staff_name}", tone="",
        done=N_("已登记，以后不再派这位服务人员"),
    )  # fmt: skip


def _can_rate(request: Any, order: Any) -> bool:
    if order.state not in SERVED or order.served_at is None or order.is_evaluated or not order.needs_visit:
        return False
    days = int(parameter("visit.evaluation_days", order.div, local_date(request.now)))
    return local_date(request.now) <= local_date(order.served_at) + timedelta(days=days)


@page("orders.order.place")
def benefits(request: Any) -> HttpResponse:
    """What the person may have, with plain reasons and the number that arranges it."""
    person = _person(request)
    found = offers(person.elder, request.day)
    names = {one.scheme.code: one.scheme.name for one in found}
    return _show(request, "benefits", person, offers=found, names=names, words=conditions, on=request.day)


@page("visits.visit.evaluate")
def rate(request: Any, pk: int) -> HttpResponse:
    """E04: how good a service was."""
    rows = Order.objects.visible_to(request.actor).filter(elder_id__in=request.actor.elder_ids)
    order = rows.prefetch_related("lines").filter(pk=pk).first()
    if order is None:
        raise Http404
    person = _person(request, str(order.elder_id))
    by = EVALUATED_BY.get(request.actor.role, "")
    form = action_form(
        request, "evaluate_visit", {"order_id": pk, "by": by}, next=f"/e/services/?{person.query}", submit=N_("提交评价"),
        done=N_("谢谢您的评价"),
    )  # fmt: skip
    return _show(request, "rate", person, order=order, form=form, given=evaluation_of(pk))


@page("people.consent.withdraw")
def agreements(request: Any) -> HttpResponse:
    """What the elder agreed to, purpose by purpose, with the whole text; taking back is as easy as giving (X-PIP-02, X-PIP-03)."""
    person = _person(request)
    elder, today = person.elder, local_date(request.now)
    here = f"/e/agreements/?{person.query}"
    given, capacity = consents_of(elder.pk, today), capacity_of(request.actor.user_id or 0, elder.pk, today)
    entries = []
    for text in consent_texts(elder.div, today):
        row, form = given.get(text.purpose), None
        if row is not None and row.text_version == text.version:
            form = action_form(
                request, "withdraw_consent", {"consent_id": row.pk}, next=here, hidden=("consent_id",), only=("consent_id",),
                submit=N_("撤回同意"), done=N_("已撤回"), tone="",
            )  # fmt: skip
        elif text.needs_consent:
            form = action_form(
                request, "record_consent", {"elder_id": elder.pk, "purpose": text.purpose, "given_by": capacity}, next=here,
                hidden=("elder_id", "purpose", "given_by"), only=("elder_id",), submit=N_("我同意"), done=N_("已登记同意"),
            )  # fmt: skip
        entries.append((text, row, form))
    return _show(request, "agreements", person, entries=entries)


@page("people.elder.view")
def own_file(request: Any) -> HttpResponse:
    """What is on file about the elder, who acts, and who looked at the full numbers: to read, to print, to have corrected (X-PIP-10)."""
    person, today = _person(request), local_date(request.now)
    file = elder_file(request.actor, person.elder.pk, today)
    readings = Journal.objects.filter(elder_id=person.elder.pk, event__in=READINGS, is_refused=False).order_by("-id")
    labels = labels_on(person.elder, file.current, today) if file else []
    readings = readings[:READINGS_SHOWN]
    return _show(request, "own_file", person, file=file, readings=readings, labels=labels, capacities=CAPACITIES)
