"""The addresses of the platform. Each area keeps its own table of full addresses from the root."""

from __future__ import annotations

from typing import Any

from django.urls import path

from yinling.web import actions, asof
from yinling.web.addresses import by_first_part
from yinling.web.api import urls as api
from yinling.web.console import (
    admin,
    agreements,
    applications,
    arrival_files,
    arrivals,
    assessment_print,
    assessments,
    audit_money,
    availability,
    beds,
    benefits,
    budgets,
    callbacks,
    campaigns,
    catalogue,
    contracts,
    devices,
    directory,
    dispatch,
    distributions,
    donations,
    exchange,
    forecast,
    funds,
    green,
    health,
    home,
    hotline,
    imports,
    indicators,
    insurer_claims,
    journal,
    knowledge,
    ledger,
    line,
    line_contracts,
    line_quality,
    login,
    meals,
    messages,
    on_site,
    orders,
    payments,
    payouts,
    people,
    phone,
    population,
    profiles,
    received,
    reconciliation,
    records,
    reimbursements,
    resources,
    rosters,
    scales,
    scorecards,
    seats,
    settlement,
    shifts,
    site_checks,
    statement_steps,
    statements,
    stops,
    subsidies,
    supervision,
    supervisions,
    system,
    ticket_moves,
    tickets,
)
from yinling.web.elder import urls as elder
from yinling.web.mobile import urls as mobile
from yinling.web.public import urls as public

AREAS: tuple[Any, ...] = (
    contracts, beds, home, login, admin, funds, subsidies, donations, reimbursements,
    applications, budgets, assessment_print, assessments, scales, journal, system, people, benefits,
    records, population, imports, directory, hotline, orders, meals, dispatch, catalogue, settlement, on_site,
    arrival_files, arrivals, ledger, statements, statement_steps,
    insurer_claims, payouts, received, reconciliation, payments, stops, health, campaigns, messages,
    supervision, site_checks, indicators, profiles, resources, availability, callbacks, seats,
    tickets, ticket_moves, knowledge, supervisions, exchange, phone, line, line_quality, line_contracts, devices, green,
    rosters, shifts, forecast, agreements,
    audit_money, distributions, scorecards, mobile, elder, public, api,
)  # fmt: skip

urlpatterns: list[Any] = [
    path("", home.home, name="home"),
    path("as-of/", asof.look, name="as-of"),
    path("do/<slug:name>/", actions.perform, name="do"),
    *by_first_part(pattern for area in AREAS for pattern in area.urlpatterns),
]

handler400 = "yinling.web.refusals.bad_request"
handler403 = "yinling.web.refusals.forbidden"
handler404 = "yinling.web.refusals.not_found"
handler500 = "yinling.web.refusals.broken"
