"""Orders: the list, one order with its stage, lines, payers, holds and journal, and the page on which one is placed."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import Journal
from yinling.catalogue.models import FAMILIES, MEAL_FORMS, ServiceItem
from yinling.catalogue.queries import active_items, offers
from yinling.directory.rights import RIGHTS
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.queries import with_avoidance
from yinling.entitlements.models import PAYERS
from yinling.ground.kept import Kept, one_of
from yinling.kernel.inputs import meant_day
from yinling.kernel.money import yuan
from yinling.kernel.period import SHANGHAI, day_bounds, local_date
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.orders import meals
from yinling.orders.models import MEAL_CHANNELS, Order, OrderLine, PayerShare
from yinling.orders.operations import LATER
from yinling.orders.queries import COUNTED_STATES, Quote, count_by_state, in_form, open_holds, orders_of, quote, window
from yinling.orders.rules import BAR, SERVICES, STAGE_LABELS, Stage
from yinling.orders.states import ORDER
from yinling.people.models import Elder
from yinling.visits.models import Visit
from yinling.visits.queries import stage, with_progress
from yinling.visits.rules import ALONE
from yinling.web.actions import ActionForm, action_form
from yinling.web.options import provider_choices
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import refusal_text, tally, tr

TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", N_("全部"), ()),
    ("waiting", N_("待派单"), ("placed", "accepted")),
    ("assigned", N_("已派单"), ("assigned",)),
    ("serving", N_("服务中"), ("in_service",)),
    ("served", N_("待结算"), ("served",)),
    ("settled", N_("已结算"), ("settled", "closed")),
    ("ended", N_("未完成或取消"), ("cancelled", "failed")),
)
# Steps that later contexts make carry no right of their own and so no sentence in the list of rights.
EVENTS = {
    "orders.order.assign": N_("订单已派人"), "orders.order.mark_accepted": N_("服务人员已接单"), "orders.order.mark_started": N_("开始服务"),
    "orders.order.mark_served": N_("服务完毕"), "orders.order.mark_settled": N_("已入账"), "orders.order.mark_failed": N_("服务未完成"),
    "orders.order.hold": N_("冻结结算"), "orders.order.release": N_("解除冻结"), "dispatch.assignment.withdraw": N_("收回派单"),
    "dispatch.assignment.finish": N_("派单完成"), "orders.order.appoint": N_("另约上门时间"),
}  # fmt: skip
LONGEST_JOURNAL = 100
MOST_DIGITS = 18
FIRST_HOUR = timedelta(hours=10)


def event_text(event: str) -> str:
    """Return the words of an event of an order."""
    return tr(EVENTS.get(event) or RIGHTS.get(event) or event)


def _with_items(rows: QuerySet[Order]) -> QuerySet[Any]:
    lines = OrderLine.objects.filter(order=OuterRef("pk"), kind="item").order_by("pk")
    return with_progress(rows).annotate(item_name=Subquery(lines.values("name")[:1]))


BESIDE = ("is_en_route", "is_signed", "is_evaluated", "is_held", "item_name")
SHOWN = Kept(lambda: _with_items(Order.objects.filter(one_of("pk", "numbers"))).values_list("pk", *BESIDE))


def _add_beside(rows: Listing) -> None:
    """Read what stands beside the orders of a page apart from them: for a few numbers the database keeps its plan, for an area it cannot."""
    found = {pk: values for pk, *values in SHOWN.rows(numbers=[row.pk for row in rows])}
    for row in rows:
        vars(row).update(zip(BESIDE, found[row.pk], strict=True))


def _by_text(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """By the number people read aloud, or by the beginning of the elder's name."""
    if text.upper().startswith("W-") or text.isdigit():
        number = text.rpartition("-")[2]
        return (
            rows.filter(pk=int(number))
            if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
            else rows.none()
        )
    return rows.filter(elder_name__gte=text, elder_name__lt=text + chr(0x10FFFF))


def _from_day(rows: QuerySet[Order], day: date) -> QuerySet[Order]:
    return rows.filter(starts_at__gte=day_bounds(day)[0])


def _to_day(rows: QuerySet[Order], day: date) -> QuerySet[Order]:
    return rows.filter(starts_at__lt=day_bounds(day)[1])


@page("orders.order.view")
def orders(request: Any) -> HttpResponse:
    """The orders a person may see, by state, with filters."""
    rows = orders_of(request.actor)
    counts = count_by_state(rows)
    chosen = request.GET.get("tab", "")
    states = next((states for code, _label, states in TABS if code == chosen), ())
    listing = Listing(
        request,
        rows.filter(state__in=states) if states else rows,
        Filter("q", _("订单号或姓名"), _by_text),
        Filter(
            "provider", _("机构"), lambda found, pk: found.filter(provider_id=pk), "choice", provider_choices(request)
        ),
        Filter("from", _("服务日期从"), _from_day, "date"),
        Filter("to", _("到"), _to_day, "date"),
        Filter(
            "meal", _("供餐渠道"), lambda found, channel: found.filter(meal_channel=channel), "choice", MEAL_CHANNELS
        ),
        Filter("form", _("供餐形式"), in_form, "choice", MEAL_FORMS),
    )
    tabs = [
        (
            tr(label),
            f"/orders/?tab={code}" if code else "/orders/",
            tally(sum(counts.get(state, 0) for state in states)) if set(states) & set(COUNTED_STATES) else None,
            code == chosen,
        )
        for code, label, states in TABS
    ]
    _add_beside(listing)
    stages = {row.pk: stage(row) for row in listing}
    return render(
        request, "console/orders.html", listing=listing, tabs=tabs, stages=stages, labels=STAGE_LABELS, chosen=chosen
    )


@page("orders.order.view")
def order(request: Any, pk: int) -> HttpResponse:
    """One order: how far it is, what it costs whom, what stops it, who goes, and everything that happened."""
    found = (
        with_progress(Order.objects.visible_to(request.actor))
        .select_related("provider", "ticket")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    shares = list(
        PayerShare.objects.filter(order=found).select_related("line", "entitlement").order_by("line_id", "pk")
    )
    current, carers = stage(found), _carers(found, local_date(request.now))
    return render(
        request, "console/order.html", order=found, shares=shares, payers=PAYERS, machine=ORDER, label=STAGE_LABELS[current],
        bar=stage_bar(current), meal_forms=_meal_forms(found), holds=list(open_holds(found)) if getattr(found, "is_held", False) else [],
        entries=_journal(found), forms=[*_acts(request, found), *_avoiding(request, found, carers)], carers=carers,
    )  # fmt: skip


def _meal_forms(found: Order) -> list[str]:
    """In which forms the meals of an order come."""
    if not found.meal_channel:
        return []
    names, rows = dict(MEAL_FORMS), OrderLine.objects.filter(order=found, dropped_at=None)
    items = ServiceItem.objects.filter(pk__in=rows.values("item"))
    return [tr(names[form]) for form in meals.forms_of(items)]


def _avoiding(request: Any, found: Order, carers: list[Any]) -> list[ActionForm]:
    """The forms that keep a carer of this order away from the elder, or no longer do; for who may."""
    here = f"/orders/{found.pk}/"
    free = [(row.staff_id, row.staff_name) for row in carers if row.avoidance_id is None]
    forms = [
        action_form(
            request, "end_avoidance", {"avoidance_id": row.avoidance_id}, next=here, tone="",
            submit=_("解除回避：%(name)s") % {"name": row.staff_name},
        )
        for row in carers
        if row.avoidance_id is not None
    ]  # fmt: skip
    if free:
        people = {"staff_id": {"options": free}}
        forms.append(
            action_form(request, "record_avoidance", {"order_id": found.pk}, next=here, tone="", fields=people)
        )
    return [form for form in forms if form.allowed]


def _carers(found: Order, today: date) -> list[Any]:
    """Who goes or went, first and second carer, and whether that carer is to be kept away from the elder."""
    rows = Assignment.objects.filter(order=found, state__in=[*LIVE, "done"]).order_by("pk")
    latest = {row.slot: row for row in with_avoidance(rows, today)}
    return [latest[slot] for slot in sorted(latest)]


def _journal(found: Order) -> list[tuple[Journal, str]]:
    mine = Q(subject_type="order", subject_id=found.pk)
    sent = Q(subject_type="assignment", subject_id__in=Assignment.objects.filter(order=found).values("pk"))
    gone = Q(subject_type="visit", subject_id__in=Visit.objects.filter(order=found).values("pk"))
    rows = Journal.objects.filter(mine | sent | gone).order_by("-pk")[:LONGEST_JOURNAL]
    return [(row, event_text(row.event)) for row in rows]


def stage_bar(current: Stage) -> list[tuple[str, str, str]]:
    """Return the steps of an order for the bar; an order off the way shows where it ended."""
    if current not in BAR:
        off = [(tr(STAGE_LABELS[BAR[0]]), "done", ""), (tr(STAGE_LABELS[current]), "now", "")]
        return off if current != Stage.DRAFT else off[1:]
    here = BAR.index(current)
    return [
        (tr(STAGE_LABELS[step]), "done" if place < here else "now" if place == here else "todo", "")
        for place, step in enumerate(BAR)
    ]


def _acts(request: Any, found: Order) -> list[ActionForm]:
    base = {"order_id": found.pk, "seen": found.version}
    here = f"/orders/{found.pk}/"
    forms = {
        "accept": action_form(request, "accept_order", base, next=here),
        "refuse": action_form(request, "refuse_order", base, next=here, tone="danger"),
        "cancel": action_form(request, "cancel_order", base, next=here, tone="danger"),
        "deliver": action_form(request, "deliver_order", base, next=here),
        "close": action_form(request, "close_order", base, next=here),
    }
    other = "accept" if not found.needs_visit else "deliver"
    shown = [form for verb, form in forms.items() if verb != other and ORDER.allows(verb, found.state) and form.allowed]
    if open_holds(found).filter(cause=ALONE).exists():
        review = action_form(request, "review_visit", {"order_id": found.pk}, next=here)
        shown += [review] if review.allowed else []
    return shown


class QuoteForm(forms.Form):
    """What a quote needs besides the elder: shape only."""

    item_code = forms.ChoiceField()
    starts_at = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "300"}, format="%Y-%m-%dT%H:%M")
    )
    flexible_minutes = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    provider_id = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    is_urgent = forms.BooleanField(required=False)
    more_items = forms.CharField(required=False, max_length=400)
    meal_channel = forms.ChoiceField(required=False)

    def __init__(
        self, *args: Any, items: list[Any], providers: list[tuple[str, str]], usual_minutes: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "item_code": _("服务项目"),
            "starts_at": _("上门时间"),
            "flexible_minutes": _("最多可推迟"),
            "provider_id": _("服务机构"),
            "is_urgent": _("紧急"),
            "more_items": _("同时服务的其他项目"),
            "meal_channel": _("供餐渠道"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
        items_by_code = {item.code: item.family for item in items}
        grouped = [
            (
                tr(family),
                [
                    (item.code, f"{item.name} · {item.standard_minutes} {_('分钟')}")
                    for item in items
                    if item.family == code
                ],
            )
            for code, family in FAMILIES
        ]
        self.fields["item_code"].choices = [("", _("请选择")), *[group for group in grouped if group[1]]]  # type: ignore[attr-defined]
        self.fields["provider_id"].choices = [("", _("责任机构")), *providers]  # type: ignore[attr-defined]
        if items_by_code.get(self["item_code"].value() or "", "") != meals.FAMILY:
            del self.fields["meal_channel"]
        else:
            channels = [(code, tr(name)) for code, name in MEAL_CHANNELS]
            self.fields["meal_channel"].choices = [("", _("按供餐机构")), *channels]  # type: ignore[attr-defined]
        usual = _("按本地惯例，可晚 %(minutes)s 分钟") % {"minutes": usual_minutes}
        later = [(value, tr(text)) for value, text in LATER]
        self.fields["flexible_minutes"].choices = [("", usual), *later]  # type: ignore[attr-defined]
        self.fields["more_items"].help_text = _(
            "服务、药品或耗材的代码，用逗号隔开；多份写成 代码*份数，例如 NU02, CS01*2"
        )

    def clean_more_items(self) -> list[str]:
        """Return the codes of the further items."""
        return [text for text in re.split(r"[\s,，、;；]+", self.cleaned_data["more_items"]) if text]


@page("orders.order.place")
def new(request: Any) -> HttpResponse:
    """Place an order: choose item, time and provider, read the quote, confirm. The quote follows every change."""
    elder = _elder(request)
    if elder is None:
        return render(
            request, "console/order_new.html", elder=None, form=None, offer=None, confirm=None, problem="", ticket=""
        )
    items = [
        item for item in active_items()
        if item.kind in SERVICES and (item.needs_visit or item.family == meals.FAMILY)
    ]  # fmt: skip
    values = _quote_values(request)
    day = meant_day(values["starts_at"][:10]) or local_date(request.now)
    form = QuoteForm(
        values, items=items, providers=_providers(request, items, day), label_suffix="", auto_id="quote-%s",
        usual_minutes=window(elder.div, local_date(request.now)) // timedelta(minutes=1),
    )  # fmt: skip
    offer, problem = _offer(request, elder, form)
    ticket = request.GET.get("ticket", "")
    confirm = _confirm(request, offer, form, ticket) if offer else None
    return render(
        request,
        "console/order_new.html",
        elder=elder,
        form=form,
        offer=offer,
        confirm=confirm,
        problem=problem,
        ticket=ticket,
        payers=PAYERS,
    )


def _elder(request: Any) -> Elder | None:
    wanted = request.GET.get("elder", "")
    if not (wanted.isascii() and wanted.isdigit()):
        return None
    found = Elder.objects.visible_to(request.actor).select_related("household").filter(pk=int(wanted)).first()
    if found is None:
        raise Http404
    return found


def _quote_values(request: Any) -> dict[str, Any]:
    """Return what was chosen; at first tomorrow at ten."""
    values = request.GET.dict()
    if not values.get("starts_at"):
        tomorrow = (
            datetime.combine(local_date(request.now) + timedelta(days=1), datetime.min.time(), SHANGHAI) + FIRST_HOUR
        )
        values["starts_at"] = f"{tomorrow:%Y-%m-%dT%H:%M}"
    return values


def _providers(request: Any, items: list[Any], day: date) -> list[tuple[str, str]]:
    """The organisations that ask a price for the item on the day of the visit."""
    item = next((item for item in items if item.code == request.GET.get("item_code")), None)
    if item is None:
        return []
    return [(str(offer.organisation.pk), offer.organisation.short_name) for offer in offers(item, day, request.now)]


def _offer(request: Any, elder: Elder, form: QuoteForm) -> tuple[Quote | None, str]:
    if not request.GET.get("item_code"):
        return None, ""
    if not form.is_valid():
        return None, _("请先改正标出的内容，再看报价。")
    chosen = form.cleaned_data
    try:
        offer = quote(
            actor=request.actor, elder_id=elder.pk, item_code=chosen["item_code"], starts_at=chosen["starts_at"], now=request.now,
            provider_id=chosen["provider_id"], more_items=chosen["more_items"], meal_channel=chosen.get("meal_channel", ""),
        )  # fmt: skip
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal_text(refusal))
        return None, refusal_text(refusal)
    return offer, ""


def _confirm(request: Any, offer: Quote, form: QuoteForm, ticket: str) -> ActionForm:
    chosen, by_phone = form.cleaned_data, bool(ticket) or request.GET.get("channel") == "phone"
    initial = {
        "elder_id": offer.elder.pk, "item_code": offer.item.code, "starts_at": offer.starts_at, "quoted_total_fen": offer.total_fen,
        "quoted_self_fen": offer.self_fen, "provider_id": chosen["provider_id"], "is_urgent": chosen["is_urgent"],
        "flexible_minutes": chosen["flexible_minutes"], "more_items": chosen["more_items"],
        "ticket_id": int(ticket) if ticket.isascii() and ticket.isdigit() else None, "channel": "phone" if by_phone else "console",
    }  # fmt: skip
    initial["meal_channel"] = offer.meal_channel
    hidden = ["meal_channel", "item_code", "starts_at", "provider_id", "is_urgent", "flexible_minutes", "more_items"]
    fields = {}
    if offer.beyond_fen:
        label = _("谁同意多付 %(more)s 元") % {"more": yuan(offer.beyond_fen)}
        fields["self_pay_consent"] = {
            "label": label,
            "help": _("补贴额度不够。请说明后写下同意人，例如：老人本人、女儿王芳"),
            "required": True,
        }
    else:
        hidden.append("self_pay_consent")
    return action_form(
        request,
        "place_order",
        initial,
        next="/orders/{id}/",
        hidden=hidden,
        fields=fields,
        submit=N_("确认下单"),
        key_hint="Ctrl+Enter",
    )


urlpatterns = [
    path("orders/", orders),
    path("orders/new/", new),
    path("orders/<int:pk>/", order),
]
