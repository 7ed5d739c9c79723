"""What the API reads about money: who may have what, prices beyond a list, the ledger, statements and what follows them, funds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from yinling.catalogue.models import CalloutRate, Package
from yinling.entitlements.models import Agreement, Budget, BudgetLine, Quota
from yinling.entitlements.queries import agreements
from yinling.kernel.actor import Actor
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.home_beds.models import BedStay, HomeSickbed
from yinling.programmes.subsidies.models import Donation, Spending, Subsidy
from yinling.programmes.subsidies.queries.funds import donations_shown
from yinling.settlement.models import (
    Charge,
    Claim,
    ClaimedTime,
    ClaimLine,
    Closing,
    Deduction,
    Distribution,
    Invoice,
    LedgerEntry,
    LedgerTotal,
    Payment,
    PaymentBill,
    Payout,
    PayoutLine,
    Posting,
    Recovery,
    Reimbursement,
    StaffShare,
    Statement,
    Transfer,
)
from yinling.settlement.queries import recoveries
from yinling.web.api.resource import (
    DATED,
    VERSIONED,
    Resource,
    Rows,
    first_of_month,
    holding_on,
    ids,
    number,
    plain_value,
    texts,
    visible,
    within,
)
from yinling.web.queries.settlement_papers import payout_paper, statement_paper


def _recovery_lines(row: Recovery) -> list[dict[str, Any]]:
    names = ("order_id", "provider_id", "payer", "kind", "amount_fen", "began_at")
    return [{name: plain_value(getattr(line, name)) for name in names} for line in row.lines.order_by("pk")]


def _parts(row: Distribution) -> list[dict[str, Any]]:
    parts = StaffShare.objects.filter(distribution=row).order_by("staff_id")
    names = ("staff_id", "points", "amount_fen", "brought_fen")
    return [{name: getattr(one, name) for name in names} for one in parts]


def _packages(actor: Actor) -> Rows:  # noqa: ARG001 - one signature for all
    return Package.objects.filter(recorded_to=None, published_at__isnull=False)


def _rates(actor: Actor) -> Rows:  # noqa: ARG001 - as above
    return CalloutRate.objects.filter(recorded_to=None)


def _back_at(row: Donation) -> datetime | None:
    """When a donation was taken back: read with every list, but not with the answer to a write."""
    if hasattr(row, "back_at"):
        return row.back_at  # type: ignore[no-any-return]
    if row.posting_id is None:
        return row.withdrawn_at
    return Posting.objects.filter(reverses=row.posting_id).values_list("posted_at", flat=True).first()


def _entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """Entries the actor may see. The posting of what the city booked for a district lies with the city: the district reads its entry without it."""
    posting = Posting.objects.filter(pk=OuterRef("posting"))
    rows = LedgerEntry.objects.visible_to(actor)
    return rows.annotate(posting_key=Subquery(posting.values("key")), reverses_id=Subquery(posting.values("reverses")))


MONEY = [
    Resource(
        "quotas", Quota, "entitlements.entitlement.view", visible(Quota),
        "div elder_id entitlement_id unit per from_on cap reserved used", ids("elder", "entitlement") | texts("unit", "per"),
    ),
    Resource(
        "budgets", Budget, "entitlements.budget.view", visible(Budget),
        "div scheme_id line_id year amount_fen heads committed_fen committed_heads document is_in_force proposed_fen proposed_heads proposed_by_id "
        f"confirmed_by_id {VERSIONED}",
        ids("scheme") | {"div": within(), "year": number("year", "year")},
    ),
    Resource(
        "charges", Charge, "settlement.order.view", visible(Charge),
        "div posting_id order_id line_id elder_id provider_id payer entitlement_id amount_fen service_day",
        ids("order", "provider") | texts("payer"),
    ),
    Resource(
        "ledger-entries", LedgerEntry, "settlement.order.view", _entries,
        "div posting_id account amount unit business fund scheme_id plan_year provider_id elder_id line_id service_day booked_on period",
        ids("provider", "elder", "posting") | {"order": number("order", "posting__order_id")},
        more={"posting": lambda row: row.posting_key, "reverses_id": lambda row: row.reverses_id},
    ),
    Resource(
        "statements", Statement, "settlement.statement.view", visible(Statement),
        "code div provider_id payer month state total_fen deducted_fen offset_fen payable_fen line_count drafted_at drafted_by_id "
        f"reviewed_by_id reviewed_at approved_by_id approved_at return_reason {VERSIONED}",
        ids("provider") | texts("state", "payer") | {"month": first_of_month}, detail={"paper": lambda row: statement_paper(row).data()},
    ),
    Resource(
        "recoveries", Recovery, "settlement.recovery.view", recoveries,
        "code div elder_id cause stopped_at state recover_fen reject_fen line_count drafted_at reviewed_by_id reviewed_at "
        f"approved_by_id approved_at return_reason {VERSIONED}",
        ids("elder") | texts("state"), detail={"lines": _recovery_lines},
    ),
    Resource(
        "agreements", Agreement, "entitlements.agreement.view", agreements,
        f"organisation_id partner_id kind payer number items sources monthly_count monthly_fen {DATED}",
        ids("organisation") | texts("kind", "payer") | {"on": holding_on},
    ),
    Resource(
        "packages", Package, "catalogue.item.view", _packages,
        f"code name div audience lines price_fen payers document drafted_by_id published_by_id published_at {DATED} {VERSIONED}",
        texts("code", "audience") | {"on": holding_on},
    ),
    Resource(
        "callout-rates", CalloutRate, "catalogue.item.view", _rates,
        f"price_list_id organisation_id base_fen free_m km_fen night_fen night_from night_to holiday_fen level_fen distances {DATED}",
        ids("organisation") | {"on": holding_on},
    ),
    Resource(
        "budget-lines", BudgetLine, "entitlements.budget_line.view", visible(BudgetLine),
        "div level year fund purpose name planned_fen approved_fen spent_fen document proposed_by_id approved_by_id "
        f"approved_at {VERSIONED}",
        texts("level", "fund", "purpose") | {"year": number("year", "year"), "div": within()},
    ),
    Resource(
        "claimed-times", ClaimedTime, "settlement.order.view", visible(ClaimedTime),
        "div posting_id order_id elder_id provider_id from_at to_at is_live", ids("order", "elder", "provider"),
    ),
    Resource(
        "ledger-totals", LedgerTotal, "settlement.statement.view", visible(LedgerTotal),
        "div account unit business fund scheme_id provider_id booked_on period amount entry_count",
        ids("provider") | texts("account", "business", "fund"),
    ),
    Resource(
        "closings", Closing, "settlement.statement.view", visible(Closing),
        f"div month figures proposed_by_id proposed_at closed_by_id closed_at {VERSIONED}", {"month": first_of_month},
    ),
    Resource(
        "transfers", Transfer, "settlement.statement.view", visible(Transfer),
        f"div key kind payer provider_id elder_id amount_fen business method note proposed_by_id proposed_at booked_by_id posting_id {VERSIONED}",
        ids("provider", "elder") | texts("kind", "payer"),
    ),
    Resource(
        "deductions", Deduction, "settlement.statement.view", visible(Deduction),
        "div statement_id line_id provider_id reason note amount_fen made_by_id made_at", ids("statement", "provider"),
    ),
    Resource(
        "claims", Claim, "settlement.statement.view", visible(Claim),
        f"code div statement_id provider_id payer attempt state submitted_by_id submitted_at claimed_fen answered_at {VERSIONED}",
        ids("statement", "provider") | texts("state", "payer"),
    ),
    Resource(
        "claim-lines", ClaimLine, "settlement.statement.view", visible(ClaimLine),
        f"div claim_id line_id provider_id number state claimed_fen paid_fen refusal refusal_text appeal appealed_at {VERSIONED}",
        ids("claim", "provider") | texts("state", "refusal"),
    ),
    Resource(
        "payouts", Payout, "settlement.statement.view", visible(Payout),
        "code div title state total_fen line_count drafted_by_id drafted_at reviewed_by_id reviewed_at approved_by_id approved_at "
        f"exported_at file_digest completed_at return_reason {VERSIONED}", texts("state"),
        detail={"paper": lambda row: payout_paper(row).data()},
    ),
    Resource(
        "payout-lines", PayoutLine, "settlement.statement.view", visible(PayoutLine),
        f"div payout_id key text provider_id elder_id payer fund amount_fen state is_live answer answered_at posting_id {VERSIONED}",
        ids("payout", "provider") | texts("state", "key"),
    ),
    Resource(
        "invoices", Invoice, "settlement.statement.view", visible(Invoice),
        f"div number issued_on title amount_fen statement_id provider_id entered_at cancelled_at cancel_reason {VERSIONED}",
        ids("statement", "provider"),
    ),
    Resource(
        "payments", Payment, "settlement.payment.view", visible(Payment),
        "div key order_id elder_id provider_id channel state amount_fen refunded_fen channel_number asked_at expires_at paid_at "
        f"ended_at note {VERSIONED}",
        ids("order", "elder", "provider") | texts("state", "channel"),
    ),
    Resource(
        "payment-bills", PaymentBill, "settlement.payment.view", visible(PaymentBill),
        "div channel day ours_fen theirs_fen differences loaded_by_id loaded_at", texts("channel"),
    ),
    Resource(
        "reimbursements", Reimbursement, "settlement.reimbursement.view", visible(Reimbursement),
        "code div entitlement_id elder_id household_id contractor state accepted_on invoice_number lines actual_fen eligible_fen subsidy_fen "
        f"self_fen reviewed_by_id approved_by_id approved_at revoke_reason recovered_fen posting_id {VERSIONED}",
        ids("elder", "entitlement") | texts("state"),
    ),
    Resource(
        "distributions", Distribution, "settlement.distribution.view", visible(Distribution),
        "div provider_id from_on to_on state corrects_id income_fen cost_fen drawn_fen carried_fen ratio_bp pool_fen share_fen is_outside_base "
        f"drafted_by_id approved_by_id approved_at {VERSIONED}", ids("provider") | texts("state"), detail={"parts": _parts},
    ),
    Resource(
        "doctor-contracts", DoctorContract, "family_doctor.contract.view", visible(DoctorContract),
        "code div elder_id provider_id doctor_id package_id state valid_from valid_to lines price_fen payer signed_as signed_at entitlement_id "
        f"fee_order_id end_reason {VERSIONED}", ids("elder", "provider") | texts("state"),
    ),
    Resource(
        "home-sickbeds", HomeSickbed, "home_beds.bed.view", visible(HomeSickbed),
        "code div elder_id provider_id kind state groups assessment_id doctor_id nurse_id checked_on applied_at approved_on approved_to "
        f"withdrawn_on entitlement_id reason {VERSIONED}", ids("elder", "provider") | texts("state", "kind"),
    ),
    Resource(
        "bed-stays", BedStay, "home_beds.stay.view", visible(BedStay),
        f"div elder_id provider_id kind item_id admitted_on discharged_on {VERSIONED}", ids("elder", "provider") | texts("kind"),
    ),
    Resource(
        "subsidies", Subsidy, "subsidies.subsidy.view", visible(Subsidy),
        "code div kind provider_id state line_id result_year booking_year part amount_fen facts reasons entered_by_id reviewed_by_id "
        f"approved_by_id approved_at revoke_reason recovered_fen {VERSIONED}", ids("provider", "line") | texts("kind", "state"),
    ),
    Resource(
        "spendings", Spending, "subsidies.subsidy.view", visible(Spending),
        "div subsidy_id provider_id category amount_fen spent_on text voucher entered_at", ids("subsidy") | texts("category"),
    ),
    Resource(
        "donations", Donation, "subsidies.donation.view", donations_shown,
        "div kind amount_fen purpose received_on receipt_number line_id is_anonymous goods quantity unit basis handed_quantity "
        f"{VERSIONED}", ids("line") | texts("purpose", "kind"),
        more={"donor": lambda row: "" if row.is_anonymous else row.donor, "back_at": _back_at},
    ),
]  # fmt: skip
