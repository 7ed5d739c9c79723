"""`./run invariants`: what must never be false, asked of the whole database through the role that only reads."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from yinling.cli.account import Unusable
from yinling.cli.environment import connected

if TYPE_CHECKING:
    import psycopg

SHOWN = 5
COUNTED = """WITH used AS (
            SELECT {of} AS owner, u ->> 0 AS unit, u ->> 1 AS per, (u ->> 2)::date AS from_on,
                coalesce(sum((u ->> 3)::bigint) FILTER (WHERE p.id IS NULL
                    AND o.state IN ('placed', 'accepted', 'assigned', 'in_service', 'served')), 0) AS reserved,
                coalesce(sum((u ->> 3)::bigint) FILTER (WHERE p.id IS NOT NULL), 0) AS used
            FROM orders_payershare s CROSS JOIN jsonb_array_elements(s.uses) u JOIN orders_order o ON o.id = s.order_id
            LEFT JOIN settlement_posting p ON p.order_id = o.id AND p.kind = 'order'
                AND NOT EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = p.id)
            WHERE s.entitlement_id IS NOT NULL AND {which} GROUP BY 1, 2, 3, 4
        ) SELECT coalesce(q.id, c.owner) AS id FROM {table} q FULL JOIN used c
            ON c.owner = q.{owner} AND c.unit = q.unit AND c.per = q.per AND c.from_on = q.from_on
        WHERE coalesce(q.reserved, 0) <> coalesce(c.reserved, 0) OR coalesce(q.used, 0) <> coalesce(c.used, 0)"""
"""Counters of a table beside what the shares of orders use of them."""

QUERIES: dict[str, tuple[str, str]] = {
    "ledger.balanced": (
        "账目借贷平衡 every posting of the ledger sums to 0 in each unit",
        "SELECT posting_id AS id FROM settlement_ledgerentry GROUP BY posting_id, unit HAVING sum(amount) <> 0",
    ),
    "ledger.reversed": (
        "冲正与原账相抵 a reversal takes back exactly what it reverses",
        """SELECT p.id FROM settlement_posting p
        JOIN settlement_ledgerentry e ON e.posting_id IN (p.id, p.reverses_id)
        WHERE p.reverses_id IS NOT NULL GROUP BY p.id, e.line_id, e.account, e.fund HAVING sum(e.amount) <> 0""",
    ),
    "ledger.totals": (
        "总账等于分录之和 the totals of every account and month are the sums of its entries",
        """SELECT coalesce(e.id, t.id) AS id FROM (SELECT min(id) AS id, left(div, 9) AS div, account, unit, business, fund, period,
                sum(amount) AS amount, count(*) AS count FROM settlement_ledgerentry GROUP BY 2, 3, 4, 5, 6, 7) e
        FULL JOIN (SELECT min(id) AS id, div, account, unit, business, fund, period, sum(amount) AS amount, sum(entry_count) AS count
            FROM settlement_ledgertotal GROUP BY 2, 3, 4, 5, 6, 7) t USING (div, account, unit, business, fund, period)
        WHERE e.amount IS DISTINCT FROM t.amount OR e.count IS DISTINCT FROM t.count""",
    ),
    "ledger.rolled": (
        "区划总账等于已汇总的总账 the totals of every area, day and month are the sums of the rolled totals",
        """SELECT coalesce(a.id, t.id) AS id FROM (SELECT id, div, account, unit, business, fund, coalesce(scheme_id, 0) AS scheme, per, from_on,
                amount, entry_count AS count FROM settlement_areatotal) a
        FULL JOIN (SELECT min(id) AS id, div, account, unit, business, fund, coalesce(scheme_id, 0) AS scheme, s.per, s.from_on,
                sum(amount) AS amount, sum(entry_count) AS count FROM settlement_ledgertotal
            CROSS JOIN LATERAL (VALUES ('day', booked_on), ('month', date_trunc('month', booked_on)::date)) AS s(per, from_on)
            WHERE is_rolled GROUP BY 2, 3, 4, 5, 6, 7, 8, 9) t USING (div, account, unit, business, fund, scheme, per, from_on)
        WHERE a.amount IS DISTINCT FROM t.amount OR a.count IS DISTINCT FROM t.count""",
    ),
    "ledger.charges": (
        "费用等于分录 what payers were charged for an order are the entries of its posting",
        """SELECT p.id FROM settlement_posting p WHERE p.kind IN ('order', 'reversal') AND p.order_id IS NOT NULL
        AND (SELECT coalesce(sum(abs(amount_fen)), 0) FROM settlement_charge WHERE posting_id = p.id)
            <> (SELECT coalesce(sum(abs(amount)), 0) / 2 FROM settlement_ledgerentry WHERE posting_id = p.id)""",
    ),
    "ledger.closed": (
        "结账后未再入账 nothing was booked into a month after it was closed",
        """SELECT e.id FROM settlement_closing c JOIN settlement_ledgerentry e ON e.period = c.month AND starts_with(e.div, c.div)
        JOIN settlement_posting p ON p.id = e.posting_id WHERE c.closed_at < p.posted_at""",
    ),
    "claims.minutes": (
        "同一分钟不重复收费 no minute and no service of an elder is charged twice, and only settled visits claim any",
        """SELECT a.id FROM settlement_claimedtime a JOIN settlement_claimedtime b ON a.elder_id = b.elder_id AND a.id < b.id
            AND a.from_at < b.to_at AND b.from_at < a.to_at WHERE a.is_live AND b.is_live
        UNION ALL SELECT min(id) FROM settlement_claimeditem WHERE is_live GROUP BY elder_id, item_id, starts_at HAVING count(*) > 1
        UNION ALL SELECT t.id FROM settlement_claimedtime t
            WHERE t.is_live = EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = t.posting_id)""",
    ),
    "transfer.booked": (
        "款项与账相等 every booked transfer has moved its amount at the bank, and two persons decided it where it needs them",
        """SELECT t.id FROM settlement_transfer t WHERE (t.posting_id IS NOT NULL AND t.amount_fen IS DISTINCT FROM
            (SELECT abs(sum(amount)) FROM settlement_ledgerentry WHERE posting_id = t.posting_id AND account = 'bank'))
        OR (t.kind LIKE 'advance%' AND t.posting_id IS NOT NULL AND coalesce(t.booked_by_id = t.proposed_by_id, true))""",
    ),
    "settlement.once": (
        "一单只结算一次 no order has two settlements that stand",
        """SELECT order_id AS id FROM settlement_posting p WHERE kind = 'order'
        AND NOT EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = p.id) GROUP BY order_id HAVING count(*) > 1""",
    ),
    "settlement.complete": (
        "份额、费用与项目金额相等 shares, line amounts and charges of a settled order are equal",
        """SELECT o.id FROM orders_order o JOIN settlement_posting p ON p.order_id = o.id AND p.kind = 'order'
        WHERE NOT EXISTS (SELECT FROM settlement_posting r WHERE r.reverses_id = p.id) AND (
            (SELECT coalesce(sum(amount_fen), 0) FROM orders_orderline WHERE order_id = o.id AND dropped_at IS NULL) <> o.total_fen
            OR (SELECT coalesce(sum(s.amount_fen), 0) FROM orders_payershare s JOIN orders_orderline l ON l.id = s.line_id
                WHERE s.order_id = o.id AND l.dropped_at IS NULL) <> o.total_fen
            OR (SELECT coalesce(sum(amount_fen), 0) FROM settlement_charge WHERE posting_id = p.id) <> o.total_fen
            OR (SELECT coalesce(sum(amount), 0) FROM settlement_ledgerentry WHERE posting_id = p.id AND amount > 0) <> o.total_fen)""",
    ),
    "shares.lines": (
        "各付费方份额等于项目金额 shares of a line add up to it",
        """SELECT l.order_id AS id FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id AND o.state <> 'draft'
        LEFT JOIN orders_payershare s ON s.line_id = l.id
        WHERE l.dropped_at IS NULL AND (l.added_at IS NULL OR l.confirmed_at IS NOT NULL)
        GROUP BY l.id, l.order_id, l.amount_fen HAVING coalesce(sum(s.amount_fen), 0) <> l.amount_fen""",
    ),
    "settlement.held": (
        "被管制的订单未结算 no order was settled while something held it",
        """SELECT p.order_id AS id FROM settlement_posting p JOIN orders_hold h ON h.order_id = p.order_id
        WHERE p.kind = 'order' AND h.from_at < p.posted_at AND (h.to_at IS NULL OR h.to_at > p.posted_at)""",
    ),
    "settlement.state": (
        "已结算订单有账 every settled order has its posting",
        """SELECT o.id FROM orders_order o WHERE o.state IN ('settled', 'closed')
        AND NOT EXISTS (SELECT FROM settlement_posting p WHERE p.order_id = o.id AND p.kind = 'order')""",
    ),
    "quota.cap": (
        "额度不超 reserved and used money of a quota stay within its cap",
        "SELECT id FROM entitlements_quota WHERE reserved + used > cap OR reserved < 0 OR used < 0",
    ),
    "quota.shares": (
        "额度与订单份额相等 every counter holds exactly what the shares of its orders use, and none is missing",
        COUNTED.format(
            table="entitlements_quota", owner="entitlement_id", of="s.entitlement_id", which="u ->> 4 IS NULL"
        ),
    ),
    "agreement.shares": (
        "协议用量与订单份额相等 every counter of an agreement holds exactly what the shares of all orders use, and none is missing",
        COUNTED.format(
            table="entitlements_agreementquota",
            owner="agreement_id",
            of="(u ->> 4)::bigint",
            which="u ->> 4 IS NOT NULL",
        ),
    ),
    "shares.uses": (
        "份额与所用额度相符 a share with a limit of money counts its own sum, and no share of the elder counts anything",
        """SELECT s.id FROM orders_payershare s CROSS JOIN jsonb_array_elements(s.uses) u
        WHERE (u ->> 0 = 'fen' AND (u ->> 3)::bigint <> s.amount_fen) OR (u ->> 3)::bigint <= 0 OR s.entitlement_id IS NULL""",
    ),
    "statement.total": (
        "对账单合计等于明细 a statement's total is the sum of its lines",
        """SELECT s.id FROM settlement_statement s JOIN settlement_statementline l ON l.statement_id = s.id
        JOIN settlement_charge c ON c.id = l.charge_id GROUP BY s.id HAVING sum(c.amount_fen) <> s.total_fen OR count(*) <> s.line_count""",
    ),
    "statement.persons": (
        "对账单两人审核 an approved statement has two approvers, neither of them the drafter in the second place",
        """SELECT id FROM settlement_statement WHERE state = 'approved'
        AND (reviewed_by_id IS NULL OR approved_by_id IS NULL OR approved_by_id IN (reviewed_by_id, drafted_by_id))""",
    ),
    "assignments.overlap": (
        "同一人员的有效派单不重叠 live assignments of one carer never overlap",
        """SELECT a.id FROM dispatch_assignment a JOIN dispatch_assignment b ON a.staff_id = b.staff_id AND a.id < b.id
        AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
        WHERE a.state IN ('offered', 'accepted') AND b.state IN ('offered', 'accepted')""",
    ),
    "plans.once": (
        "一张订单只在一个已发布计划里 no order stands in two published plans",
        """SELECT v.order_id AS id FROM dispatch_plannedvisit v JOIN dispatch_dayplan p ON p.id = v.plan_id
        WHERE p.state = 'published' GROUP BY v.order_id HAVING count(DISTINCT p.id) > 1""",
    ),
    "plans.offered": (
        "已发布计划中的上门都派过人 every visit of a published plan whose order is under way was offered to somebody",
        """SELECT v.id FROM dispatch_plannedvisit v JOIN dispatch_dayplan p ON p.id = v.plan_id JOIN orders_order o ON o.id = v.order_id
        WHERE p.state = 'published' AND v.staff_id IS NOT NULL AND o.state IN ('assigned', 'in_service', 'served', 'settled', 'closed')
        AND NOT EXISTS (SELECT FROM dispatch_assignment a WHERE a.order_id = v.order_id AND a.slot = v.slot)""",
    ),
    "visits.overlap": (
        "同一人员不同时在两家 nobody is at two doors at once without a finding",
        """SELECT b.id FROM visits_visit a JOIN visits_visit b ON a.staff_id = b.staff_id AND a.id <> b.id
        AND a.started_at <= b.started_at AND (a.started_at, a.id) < (b.started_at, b.id) AND b.started_at < coalesce(a.ended_at, 'infinity')
        WHERE NOT EXISTS (SELECT FROM supervision_finding f WHERE f.rule = 'overlap' AND f.visit_id = b.id)""",
    ),
    "visits.order": (
        "服务与订单状态一致 an order is in service or served exactly when a visit says so",
        """SELECT v.id FROM visits_visit v JOIN orders_order o ON o.id = v.order_id
        WHERE (v.state = 'on_site' AND o.state <> 'in_service') OR (v.state = 'done' AND o.state NOT IN ('served', 'settled', 'closed'))""",
    ),
    "calls.ended": (
        "接听的来电已结束或正在通话 every answered call has an end or is live",
        """SELECT id FROM hotline_call WHERE (state = 'ended' AND ended_at IS NULL) OR (state IN ('ringing', 'answered') AND ended_at IS NOT NULL)
        OR (state = 'answered' AND seat_id IS NULL)""",
    ),
    "recordings.hash": (
        "录音校验值与日志一致 the hash of a recording's file is the one in the journal",
        """SELECT r.id FROM hotline_recording r JOIN ground_storedfile f ON f.id = r.file_id WHERE NOT EXISTS (
            SELECT FROM accounts_journal j WHERE j.subject_type = 'recording' AND j.subject_id = r.id AND j.event = 'hotline.recording.attach'
            AND NOT j.is_refused AND j.changes -> 'sha256' ->> 1 = encode(f.sha256, 'hex'))""",
    ),
    "line.statements": (
        "热线运营结算单的扣减等于各项之和 the deductions of an operator statement add up, and its approver neither drew it up nor sent it",
        """SELECT s.id FROM hotline_operatorstatement s WHERE s.deduction_fen <>
            (SELECT coalesce(sum((r ->> 'fen')::bigint), 0) FROM jsonb_array_elements(s.reasons) r)
        OR (s.state = 'approved' AND EXISTS (SELECT FROM accounts_journal j WHERE j.subject_type = 'operatorstatement' AND j.subject_id = s.id
            AND NOT j.is_refused AND j.user_id = s.approved_by_id
            AND j.event IN ('hotline.operator_statement.draft', 'hotline.operator_statement.send')))""",
    ),
    "findings.decided": (
        "预警状态与处置一致 every finding has a state, and a decision exactly when decided",
        """SELECT id FROM supervision_finding WHERE state NOT IN ('open', 'acknowledged', 'released', 'upheld')
        OR (state IN ('released', 'upheld')) <> (decided_by_id IS NOT NULL)""",
    ),
    "findings.holds": (
        "管制类预警冻结订单 an undecided block holds its order, a released one does not",
        """SELECT f.id FROM supervision_finding f
        LEFT JOIN orders_hold h ON h.order_id = f.order_id AND h.cause = 'finding:' || f.id
        WHERE f.severity = 'block' AND (
            (f.state <> 'released' AND (h.id IS NULL OR h.to_at IS NOT NULL)) OR (f.state = 'released' AND h.id IS NOT NULL AND h.to_at IS NULL))""",
    ),
    "records.untouchable": (
        "账本与日志不可改 the serving role may neither change nor delete a row of ledger, journal or evidence (id = the table's)",
        """SELECT c.oid::bigint AS id FROM pg_class c WHERE c.relname IN ('accounts_journal', 'accounts_journalseal',
        'settlement_posting', 'settlement_ledgerentry', 'settlement_charge', 'visits_checkin', 'visits_evidence', 'visits_evaluation',
        'hotline_ticketnote', 'hotline_transfer', 'people_elderevent') AND has_table_privilege('yl_app', c.oid, 'UPDATE, DELETE')""",
    ),
    "outbox.once": (
        "对外消息只发一次 an effect on the outside happens once",
        "SELECT min(id) AS id FROM ground_outbox GROUP BY topic, key HAVING count(*) > 1",
    ),
    "notices.once": (
        "通知只发一次 a notice is written once",
        "SELECT min(id) AS id FROM accounts_notice GROUP BY key HAVING count(*) > 1",
    ),
}


@dataclass(frozen=True)
class Result:
    """One invariant: whether it holds, and the first rows that break it."""

    name: str
    meaning: str
    holds: bool
    offending: list[int]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run invariants", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", metavar="DIR")
    options = parser.parse_args(argv)
    with connected(as_owner=False, data=options.data):
        results = _checked()
    report(results, as_json=options.json)
    return 0 if all(result.holds for result in results) else 1


def _checked() -> list[Result]:
    from psycopg.errors import UndefinedTable  # noqa: PLC0415 - the driver is not needed for --help

    try:
        return check()
    except UndefinedTable as error:
        raise Unusable("数据库还是空的，请先运行 ./run。 The database is empty: start with ./run.") from error


def report(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        json.dump([asdict(result) for result in results], sys.stdout, ensure_ascii=False, indent=1)
        print()
        return
    for result in results:
        found = "" if result.holds else f" 首批编号 first ids: {', '.join(map(str, result.offending))}"
        print(f"{'✓' if result.holds else '✗'} {result.name:32}{result.meaning}{found}")


def check() -> list[Result]:
    """Ask every invariant in one snapshot. Needs Django set up."""
    from yinling.accounts.queries import audit_connection, verify_journal  # noqa: PLC0415 - Django is set up by now

    questions = QUERIES | _states()
    with audit_connection() as audit, audit.transaction():
        audit.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        results = [_result(name, meaning, _ids(audit, query)) for name, (meaning, query) in questions.items()]
    faults = [fault.id for fault in verify_journal()]
    return [
        *results,
        _result("journal.sealed", "审计日志完整 the journal equals its fingerprints and its seals", faults),
    ]


def _result(name: str, meaning: str, offending: list[int]) -> Result:
    return Result(name, meaning, not offending, offending[:SHOWN])


def _ids(audit: "psycopg.Connection[dict[str, Any]]", query: str) -> list[int]:
    rows = audit.execute(f"SELECT DISTINCT id FROM ({query}) AS found ORDER BY id LIMIT {SHOWN}")  # noqa: S608 - our own texts
    return [row["id"] for row in rows]


def _states() -> dict[str, tuple[str, str]]:
    """A question for each table with a state of ours: rows in a state that its machine does not know. A foreign state has no list."""
    from django.apps import apps  # noqa: PLC0415 - Django is set up by now

    found = {}
    for model in apps.get_models():
        described: Any = model._meta  # noqa: SLF001 - Django's own name
        table = described.db_table
        states = [
            value
            for field in described.concrete_fields
            if field.name == "state"
            for value, _label in field.choices or ()
        ]
        if model.__module__.startswith("yinling.") and states:
            known = ", ".join(f"'{value}'" for value in states)
            meaning = f"状态合法 only known states in {table}"
            found[f"states.{table}"] = (meaning, f"SELECT id FROM {table} WHERE state NOT IN ({known})")  # noqa: S608 - our own names
    return found
