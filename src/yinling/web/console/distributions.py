"""Shares of staff: what of a medical body's net income of home care goes to those who visited, drafted, checked, booked (R-PAY-06)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.directory.models import Organisation
from yinling.kernel.money import capital
from yinling.kernel.period import ONE_DAY, add_months, local_date, month_start
from yinling.kernel.words import N_
from yinling.settlement.distributing import GRADES
from yinling.settlement.models import Distribution
from yinling.settlement.queries import differences, distributions, lacking_before, parts_in, successor
from yinling.settlement.states import DISTRIBUTION
from yinling.web.actions import action_form
from yinling.web.decisions import step_forms
from yinling.web.options import named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.sheets import COUNT, YUAN, Column, excel
from yinling.web.show import moment, tr

VIEW = "settlement.distribution.view"
VERBS = ("approve", "return")
MOST_EXPORTED = 2_000


@named("medical_bodies")
def medical_bodies(request: Any) -> list[tuple[str, str]]:
    """Medical bodies of the actor's area, or the actor's own."""
    medical = Q(does_home_medical=True) | Q(kind="health_centre")
    rows = Organisation.objects.visible_to(request.actor).filter(medical).order_by("short_name", "pk")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "short_name")[:1000]]


def rate(bp: int) -> str:
    """Write 1/10000 as a percentage: 7000 -> 70%."""
    return f"{bp / 100:g}%"


def months_of(row: Distribution) -> str:
    """Write the months of a distribution: 2026-06, or 2026-04 至 2026-06."""
    last = row.to_on - ONE_DAY
    first = f"{row.from_on:%Y-%m}"
    return first if f"{last:%Y-%m}" == first else _("%(first)s 至 %(last)s") % {"first": first, "last": f"{last:%Y-%m}"}


def _filters(request: Any) -> tuple[Filter, ...]:
    bodies = medical_bodies(request) if request.actor.div else []
    found = [
        Filter("state", _("状态"), lambda rows, value: rows.filter(state=value), "choice", DISTRIBUTION.choices),
        Filter("month", _("月份"), lambda rows, value: rows.filter(from_on__lte=value, to_on__gt=value), "month"),
    ]
    if bodies:
        found.insert(
            0, Filter("body", _("医疗机构"), lambda rows, value: rows.filter(provider=int(value)), "choice", bodies)
        )
    return tuple(found)


@page(VIEW)
def share_list(request: Any) -> HttpResponse:
    """Distributions with their sums."""
    listing = Listing(request, distributions(request.actor), *_filters(request))
    return render(request, "console/shares.html", listing=listing, machine=DISTRIBUTION, rate=rate, months_of=months_of)


@page(VIEW)
def share_sheet(request: Any) -> HttpResponse:
    """The list as a workbook."""
    rows = distributions(request.actor)
    for entry in _filters(request):
        value = entry.value(request.GET.get(entry.name, ""))
        rows = rows if value is None else entry.apply(rows, value)
    columns = [
        Column(_("医疗机构"), width=24), Column(_("月份"), width=20), Column(_("收入（元）"), YUAN), Column(_("成本（元）"), YUAN),
        Column(_("提取基金（元）"), YUAN), Column(_("以前月份亏损（元）"), YUAN), Column(_("可分配（元）"), YUAN), Column(_("比例")),
        Column(_("发放人员（元）"), YUAN), Column(_("状态")), Column(_("编制")), Column(_("复核")),
    ]  # fmt: skip
    table = [
        (
            row.provider.name, months_of(row), row.income_fen, row.cost_fen, row.drawn_fen, row.carried_fen, row.pool_fen,
            rate(row.ratio_bp), row.share_fen,
            tr(row.get_state_display()), row.drafted_by.name, row.approved_by.name if row.approved_by else "",
        )
        for row in rows[:MOST_EXPORTED]
    ]  # fmt: skip
    return excel(_("上门服务收入分配"), columns, table, above=[_by(request)])


def _by(request: Any) -> str:
    values = {"who": request.actor.name, "when": moment(request.now), "most": MOST_EXPORTED}
    return _("导出人 %(who)s，%(when)s；最多%(most)s行") % values


@page("settlement.distribution.draft")
def share_new(request: Any) -> HttpResponse:
    """Draft the distribution of the month that is just over."""
    last_month = add_months(month_start(local_date(request.now)), -1)
    initial: dict[str, Any] = {"from_month": last_month}
    if request.actor.organisation_id:
        initial["organisation_id"] = request.actor.organisation_id
    form = action_form(
        request, "draft_distribution", initial, next="/settlement/shares/{id}/", done=N_("已编制，请另一人复核"),
        fields={"organisation_id": {"options": "medical_bodies", "widget": "choice"}},
    )  # fmt: skip
    return render(request, "console/share_new.html", form=form)


def _share(request: Any, pk: int) -> Distribution:
    row = distributions(request.actor).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@page(VIEW)
def share_page(request: Any, pk: int) -> HttpResponse:
    """One distribution: how the pool came about, everybody's part with points and inputs, and what may be done next."""
    row = _share(request, pk)
    forms = step_forms(request, row, DISTRIBUTION, VERBS, f"/settlement/shares/{pk}/")
    is_own = request.actor.user_id == row.drafted_by_id
    needs_other = is_own and "approve" in forms and forms.pop("approve").allowed
    parts = list(parts_in(row))
    known = successor(row)
    if row.state == "approved" and known is None:
        wanted = {name: getattr(row, name) for name in ("cost_fen", "drawn_fen")} | {"ratio": f"{row.ratio_bp / 100:g}"}
        wanted |= {name: row.inputs.get(name, "") for name in ("cost_document", "drawn_document")}
        forms["correct"] = action_form(
            request, "correct_distribution", {"distribution_id": pk, "seen": row.version, **wanted}, next="/settlement/shares/{id}/", tone="",
            done=N_("已编制更正，请另一人复核"),
        )  # fmt: skip
    is_stale = row.state == "approved" and lacking_before(row.provider_id, row.from_on) != row.carried_fen
    return render(
        request, "console/share.html", row=row, parts=parts, machine=DISTRIBUTION, forms=forms, needs_other=needs_other, known=known,
        changes=differences(row), is_stale=is_stale, due_fen=sum(part.due_fen for part in parts),
        rate=rate, months_of=months_of, grades=dict(GRADES), points=sum(part.points for part in parts),
    )  # fmt: skip


@page(VIEW)
def share_print(request: Any, pk: int) -> HttpResponse:
    """The distribution on paper, with places for signatures."""
    row = _share(request, pk)
    return render(
        request, "console/share_print.html", row=row, parts=list(parts_in(row)), machine=DISTRIBUTION, rate=rate, months_of=months_of,
        grades=dict(GRADES),
    )  # fmt: skip


@page(VIEW)
def share_excel(request: Any, pk: int) -> HttpResponse:
    """The parts of one distribution as a workbook: the same figures as the page."""
    row = _share(request, pk)
    columns = [
        Column(_("工号"), COUNT, 8), Column(_("姓名")), Column(_("次数"), COUNT), Column(_("分钟"), COUNT), Column(_("评价数"), COUNT),
        Column(_("满意数"), COUNT), Column(_("完整次数"), COUNT), Column(_("考核等次")), Column(_("分数"), COUNT), Column(_("金额（元）"), YUAN),
        Column(_("以前更正补发或扣回（元）"), YUAN), Column(_("实发（元）"), YUAN),
    ]  # fmt: skip
    values = {"pool": capital(row.pool_fen), "ratio": rate(row.ratio_bp), "share": capital(row.share_fen)}
    above = [
        f"{row.provider.name} {months_of(row)} {tr(row.get_state_display())}",
        _("可分配 %(pool)s，发放比例 %(ratio)s，发放人员 %(share)s") % values,
        *([_("不计入绩效工资总量")] if row.is_outside_base else []), _by(request),
    ]  # fmt: skip
    due_fen = None if row.corrects_id else sum(part.due_fen for part in parts_in(row))
    below = (None, _("合计"), None, None, None, None, None, None, None, row.share_fen, None, due_fen)
    return excel(f"{_('分配')}{row.pk}", columns, list(_rows(row)), above=above, below=below)


def _rows(row: Distribution) -> Iterable[tuple[Any, ...]]:
    """The parts of a distribution; with a correction nothing is paid, for its differences go with the next one."""
    grades = dict(GRADES)
    for part in parts_in(row):
        done = part.score["inputs"]
        yield (
            part.staff_id, part.staff.name, done["visits"], done["minutes"], done["evaluated"], done["satisfied"], done["complete"],
            tr(grades[part.score["grade"]]), part.points, part.amount_fen, part.brought_fen,
            None if row.corrects_id else part.due_fen,
        )  # fmt: skip


urlpatterns = [
    path("settlement/shares/", share_list),
    path("settlement/shares/excel/", share_sheet),
    path("settlement/shares/new/", share_new),
    path("settlement/shares/<int:pk>/", share_page),
    path("settlement/shares/<int:pk>/print/", share_print),
    path("settlement/shares/<int:pk>/excel/", share_excel),
]
