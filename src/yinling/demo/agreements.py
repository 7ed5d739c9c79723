"""Which made-up bodies are bound to which payers."""

from __future__ import annotations

from yinling.demo.bodies import EARLIEST, LONG_AGO, Bodies, families_of
from yinling.demo.rows import insert
from yinling.entitlements.models import Agreement

DESIGNATED = {
    "ltci": {"daily_care", "bathing", "nursing", "rehab_nursing"},
    "medical_insurance": {"nursing", "medical"},
}
"""Families of items for which a payer designates bodies."""
WITHOUT_EVERY = 7
"""One body in so many has no agreement."""


def load_agreements(bodies: Bodies) -> None:
    """Designate most bodies for the insurances whose items they offer; a few are left out, so that a quote can say why."""
    rows = []
    for number, body in enumerate(body for body in bodies.all if body.is_provider):
        for payer, families in DESIGNATED.items():
            if families & set(families_of(body)) and (number % WITHOUT_EVERY or body == bodies.demo):
                rows.append(
                    Agreement(
                        organisation=body, kind="designation", payer=payer, number=f"定点〔{LONG_AGO.year}〕{number + 1:03d}号",
                        valid_from=LONG_AGO, recorded_from=EARLIEST,
                    )
                )  # fmt: skip
    insert(rows)
