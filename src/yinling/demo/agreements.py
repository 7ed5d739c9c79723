"""Which made-up bodies are bound to which payers."""

from __future__ import annotations

from datetime import date, timedelta

from yinling.catalogue.models import ServiceItem
from yinling.demo.bodies import EARLIEST, LONG_AGO, Bodies, families_of
from yinling.demo.rows import insert
from yinling.entitlements.models import Agreement
from yinling.kernel.period import ONE_DAY

DESIGNATED = {
    "ltci": {"daily_care", "bathing", "nursing", "rehab_nursing"},
    "medical_insurance": {"nursing", "medical"},
}
"""Families of items for which a payer designates bodies."""
PURCHASED = ("cleaning", "comfort", "daily_care", "meal")
SHORT = {"ltci": "长护", "medical_insurance": "医保"}
WITHOUT_EVERY = 7
"""One body in so many has no agreement."""


PURCHASES = 4
"""So many bodies sell to the government by a contract for the year; the last contract runs out soon."""


def load_agreements(bodies: Bodies, today: date) -> None:
    """Designate most bodies for the insurances whose items they offer; a few are left out, so that a quote can say why.

    Some have a contract of purchase, and the demonstration's own body co-operates with a centre.
    """
    rows = []
    for number, body in enumerate(body for body in bodies.all if body.is_provider):
        for payer, families in DESIGNATED.items():
            if families & set(families_of(body)) and (number % WITHOUT_EVERY or body == bodies.demo):
                rows.append(
                    Agreement(
                        organisation=body, kind="designation", payer=payer, number=f"{SHORT[payer]}定点〔{LONG_AGO.year}〕{number + 1:03d}号",
                        valid_from=LONG_AGO, recorded_from=EARLIEST,
                    )
                )  # fmt: skip
    items = list(
        ServiceItem.objects.filter(family__in=PURCHASED, is_active=True).order_by("code").values_list("code", flat=True)
    )
    homes = [body for body in bodies.all if "cleaning" in families_of(body)][:PURCHASES]
    for number, body in enumerate(homes, 1):
        last = today + timedelta(days=25) if number == PURCHASES else date(today.year, 12, 31)
        rows.append(
            Agreement(
                organisation=body, kind="purchase", payer="government", number=f"购服〔{today.year}〕{number:03d}号", sources=["civil_affairs"],
                items=items, valid_from=date(today.year, 1, 1), valid_to=last + ONE_DAY, recorded_from=EARLIEST,
            )
        )  # fmt: skip
    rows += [
        Agreement(
            organisation=centre, partner=bodies.demo, kind="cooperation", number=f"医养合作〔{today.year}〕001号",
            sources=["civil_affairs", "insurance", "public_health"], valid_from=date(today.year, 1, 1), recorded_from=EARLIEST,
        )
        for centre in bodies.of_kind("care_centre")[:1]
    ]  # fmt: skip
    insert(rows)
