"""Complaints, reports and suggestions from anybody, without a login (R-CALL-15). A report may be anonymous."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Area
from yinling.directory.queries import areas_below, cities, system_actor
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.hotline.operations import lodge_ticket
from yinling.hotline.operations.intake import LODGED
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.web.pages import public_page, render
from yinling.web.show import refusal_text, tr

MOST_AN_HOUR, HOUR = 5, 3600
LABELS = {
    "kind": N_("类别"), "div": N_("发生地"), "family": N_("涉及的服务"), "title": N_("标题"), "text": N_("经过"), "name": N_("您的姓名"),
    "phone": N_("联系电话"),
}  # fmt: skip


class LodgeForm(forms.Form):
    """What is asked; the operation decides what must be there."""

    kind = forms.ChoiceField(widget=forms.RadioSelect)
    div = forms.ChoiceField()
    family = forms.ChoiceField(required=False)
    title = forms.CharField(max_length=80)
    text = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 6}))
    name = forms.CharField(required=False, max_length=40)
    phone = forms.CharField(
        required=False, max_length=20, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"})
    )

    def __init__(self, data: Any, districts: list[Area]) -> None:
        super().__init__(data, label_suffix="", auto_id="lodge-%s")
        for name, label in LABELS.items():
            self.fields[name].label = tr(label)
        self.fields["kind"].choices = [(value, tr(label)) for value, label in LODGED]  # type: ignore[attr-defined]
        self.fields["div"].choices = [("", _("请选择")), *((one.div, one.name) for one in districts)]  # type: ignore[attr-defined]
        self.fields["family"].choices = [("", _("不限")), *((code, tr(label)) for code, label in FAMILIES)]  # type: ignore[attr-defined]
        self.fields["text"].help_text = _("写明时间、地点、机构或人员")
        self.fields["phone"].help_text = _("举报可以不留姓名和电话；投诉和建议请留电话，以便答复。只有热线人员能看到。")


@public_page
def lodge(request: Any) -> HttpResponse:
    """The form, and after it the number of the ticket; refused with what was typed."""
    city = cities().first()
    districts = list(areas_below(city.div)) if city else []
    form, problem, status = LodgeForm(request.POST or None, districts), "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                code = _lodge(request, city.div if city else "", form.cleaned_data)
            except Refusal as refusal:
                problem, status = refusal_text(refusal), refusal.status
                if refusal.field in form.fields:
                    form.add_error(refusal.field, problem)
            else:
                request.session["lodged"] = code
                return HttpResponseRedirect("/public/complaint/done/")
    number = str(parameter("hotline.number", city.div, local_date(request.now))) if city else ""
    return render(request, "public/complaint.html", form=form, problem=problem, status=status, number=number)


def _lodge(request: Any, city: str, values: dict[str, str]) -> str:
    _check_pace(request)
    actor = system_actor(city)
    with scope(actor):
        return lodge_ticket(actor=actor, now=request.now, **values).code


def _check_pace(request: Any) -> None:
    """Let an address write a few an hour. The address is kept as a fingerprint, and for that hour only."""
    seen = hashlib.sha256(f"lodge:{request.META.get('REMOTE_ADDR', '')}".encode()).hexdigest()
    cache.add(seen, 0, HOUR)
    if cache.incr(seen) > MOST_AN_HOUR:
        raise Refused("lodge.often", N_("一小时内提交次数过多，请稍后再试，或拨打热线"))


@public_page
def done(request: Any) -> HttpResponse:
    """The number to ask by."""
    city = cities().first()
    number = str(parameter("hotline.number", city.div, local_date(request.now))) if city else ""
    return render(request, "public/complaint_done.html", code=request.session.get("lodged", ""), number=number)


urlpatterns = [path("public/complaint/", lodge), path("public/complaint/done/", done)]
