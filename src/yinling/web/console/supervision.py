"""P12: warnings as they are found, what stands behind each, and what a supervisor decides."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.files import content_of
from yinling.hotline.states import TICKET
from yinling.kernel.words import N_
from yinling.orders.states import ORDER
from yinling.supervision.models import SEVERITIES, Finding
from yinling.supervision.queries import basis_of, finding_counts, finding_file, findings, last_round, suspended
from yinling.supervision.rules import BY_HAND, RULES
from yinling.supervision.states import FINDING, FindingState
from yinling.visits.models import Evidence
from yinling.web.actions import action_form
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tally, tr

TABS = (
    ("open", N_("待处置"), [FindingState.OPEN]),
    ("acknowledged", N_("核查中"), [FindingState.ACKNOWLEDGED]),
    ("released", N_("已解除"), [FindingState.RELEASED]),
    ("upheld", N_("已认定"), [FindingState.UPHELD]),
)
SEVERITY_NAMES = dict(SEVERITIES)
RULE_CHOICES = [(code, one.title) for code, one in (RULES | BY_HAND).items()]


@page("supervision.finding.view")
def finding_list(request: Any) -> HttpResponse:
    """The warnings of the area. New ones are counted above the list; a block calls until somebody takes it up."""
    tab = request.GET.get("tab", "open")
    states = next((states for name, _label, states in TABS if name == tab), TABS[0][2])
    tab = tab if tab in [name for name, *_rest in TABS] else "open"
    counts = finding_counts(request.actor)
    tabs = [(tr(label), f"/findings/?tab={name}", tally(counts[name]), name == tab) for name, label, _states in TABS]
    rows = findings(request.actor).filter(state__in=states)
    if since := _since(request):
        fresh = list(rows.filter(pk__gt=since)[:10])
        return render(
            request,
            "console/findings.html",
            block="finding_news",
            tabs=tabs,
            tab=tab,
            fresh=fresh,
            counts=counts,
            since=since,
            severities=SEVERITY_NAMES,
        )
    listing = Listing(
        request, rows, Filter("severity", _("级别"), lambda found, value: found.filter(severity=value), "choice", SEVERITIES),
        Filter("rule", _("规则"), lambda found, value: found.filter(rule=value), "choice", RULE_CHOICES),
    )  # fmt: skip
    newest = max((row.pk for row in listing), default=1) if listing.page == 1 and not listing.is_filtered else 1
    return render(
        request, "console/findings.html", tabs=tabs, tab=tab, listing=listing, machine=FINDING, severities=SEVERITY_NAMES, counts=counts, fresh=[],
        since=newest, round=last_round(),
    )  # fmt: skip


def _since(request: Any) -> int:
    number = request.GET.get("since", "")
    return int(number) if request.htmx and number.isascii() and number.isdigit() else 0


@page("supervision.finding.view")
def finding_page(request: Any, pk: int) -> HttpResponse:
    """One warning: the facts, the evidence, the stops it caused, and the decision."""
    finding = findings(request.actor).filter(pk=pk).first()
    if finding is None:
        raise Http404
    here = f"/findings/{pk}/"
    initial = {"finding_id": pk, "seen": finding.version}
    verbs = {transition.verb for transition in FINDING.verbs(finding.state)}
    tones = {"acknowledge": "primary", "release": "", "uphold": "danger"}
    forms = {
        verb: action_form(request, f"{verb}_finding", initial, next=here, tone=tone)
        for verb, tone in tones.items()
        if verb in verbs
    }
    return render(
        request, "console/finding.html", finding=finding, file=finding_file(request.actor, finding), machine=FINDING, order_machine=ORDER,
        ticket_machine=TICKET, severities=SEVERITY_NAMES, forms=forms, bar=_bar(finding), basis=basis_of(finding.rule),
    )  # fmt: skip


def _bar(finding: Finding) -> list[tuple[str, str, str]]:
    taken = finding.acknowledged_by
    decided = finding.decided_by
    last = tr(FindingState(finding.state).label) if decided else _("解除或认定")
    return [
        (_("发现"), "done", ""),
        (_("核查"), "done" if taken or decided else "now", taken.name if taken else ""),
        (last, "done" if decided else "now" if taken else "todo", decided.name if decided else ""),
    ]


@page("supervision.finding.view")
def suspension_list(request: Any) -> HttpResponse:
    """Carers who get no orders until a supervisor releases them."""
    listing = Listing(request, suspended(request.actor))
    return render(request, "console/suspended.html", listing=listing)


@page("visits.visit.inspect")
def photo(request: Any, pk: int) -> HttpResponse:
    """A photo of a visit. That it was looked at stands in the journal."""
    row = Evidence.objects.visible_to(request.actor).select_related("file").filter(pk=pk).first()
    if row is None:
        raise Http404
    require(request.actor, "visits.visit.inspect", div=row.div, provider_id=row.provider_id, elder_id=row.elder_id)
    record(actor=request.actor, now=request.now, event="visits.visit.inspect", subject=row)
    answer = HttpResponse(content_of(row.file), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=600"
    return answer


urlpatterns = [
    path("findings/", finding_list),
    path("findings/suspended/", suspension_list),
    path("findings/<int:pk>/", finding_page),
    path("findings/photos/<int:pk>/", photo),
]
