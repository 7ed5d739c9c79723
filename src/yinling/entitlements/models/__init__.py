"""Who may have what at whose cost, one file per subject. Orders and settlement read nothing else about funding."""

from yinling.entitlements.models.applications import Application, Objection, Paper, PublicNotice, Recheck
from yinling.entitlements.models.budgets import FUNDS, PURPOSES, Budget, BudgetLine, Commitment
from yinling.entitlements.models.schemes import (
    PAYERS,
    Agreement,
    AgreementQuota,
    Entitlement,
    Quota,
    Scheme,
    Standing,
)

__all__ = [
    "FUNDS",
    "PAYERS",
    "PURPOSES",
    "Agreement",
    "AgreementQuota",
    "Application",
    "Budget",
    "BudgetLine",
    "Commitment",
    "Entitlement",
    "Objection",
    "Paper",
    "PublicNotice",
    "Quota",
    "Recheck",
    "Scheme",
    "Standing",
]
