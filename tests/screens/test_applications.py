"""Pages of applications: the queues, the case file with its four parts, the public notices, budgets, and what the elder side sees."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.entitlements.applying import (
    DECIDED_AT,
    NOTICED_AT,
    Office,
    applied,
    approved,
    budget,
    noticed,
    office,
    poor,
    published,
    reviewed,
)
from tests.factories import DISTRICT, NOW, STREET, actor, make_elder

from yinling.entitlements.models import Application, Budget, Entitlement, Objection, PublicNotice
from yinling.entitlements.operations import attach_paper, raise_objection
from yinling.kernel.period import local_date

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"
PHOTO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def here(wide: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = office()
    at(monkeypatch, NOW)
    return made


def at(monkeypatch: pytest.MonkeyPatch, moment: object) -> None:
    """Let the pages open at a moment."""
    monkeypatch.setattr("yinling.web.middleware.business_now", lambda: moment, raising=False)
    monkeypatch.setattr("yinling.directory.queries.real_now", lambda: moment)
    monkeypatch.setattr("yinling.directory.queries.business_now", lambda: moment)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = page(client, address)
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def test_who_opens_the_pages(here: Office, sign_in: SignIn) -> None:
    row = applied(here)
    allowed = {
        "/applications/": {"street", "district", "community", "station", "seat", "finance", "auditor"},
        f"/applications/{row.pk}/": {"street", "district", "community", "station", "seat", "finance"},
        "/applications/new/": {"street", "community", "station"},
        "/applications/rechecks/": {"street", "district"},
        "/budgets/": {"street", "district", "city", "finance", "auditor"},
    }
    for role in (
        "street",
        "district",
        "community",
        "station",
        "seat",
        "finance",
        "auditor",
        "city",
        "carer",
        "assessor",
        "volunteer",
    ):
        client = sign_in(role)
        for address, roles in allowed.items():
            if role not in roles and role not in ("city", "auditor"):
                assert client.get(address).status_code == 403, (role, address)
            elif role in roles:
                assert client.get(address).status_code == 200, (role, address)


def test_the_empty_queues_say_what_to_do(here: Office, sign_in: SignIn) -> None:
    client = sign_in("street")
    for queue in ("applied", "returned", "reviewed", "noticed", "waiting", "done", "nonsense"):
        assert "这一步没有申请" in page(client, f"/applications/?queue={queue}")
    assert "没有需要复核的待遇" in page(client, "/applications/rechecks/")
    assert "还没有预算" in page(client, "/budgets/")
    assert "目前没有正在公示的名单" in page(Client(), "/public/notices/")


@pytest.mark.parametrize(
    "address", ["/applications/", "/applications/?queue=reviewed", "/applications/?queue=noticed", "/budgets/"]
)
def test_three_rows_cost_no_more_queries_than_one(here: Office, sign_in: SignIn, address: str) -> None:
    client = sign_in("district" if "noticed" in address or "budgets" in address else "street")

    def one_more() -> None:
        row = applied(here)
        if "queue" in address:
            reviewed(here, row)
        if "noticed" in address:
            noticed(here, Application.objects.get(pk=row.pk))
        if "budgets" in address:
            budget(here, heads=3, year=2020 + Budget.objects.count())

    one_more()
    once = queries(client, address)
    one_more()
    one_more()
    assert queries(client, address) == once <= 8


def test_the_time_left_is_counted_in_working_days(
    here: Office, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(here)
    client = sign_in("street")
    html = page(client, "/applications/")
    due, today = Application.objects.get().due_on, local_date(NOW)
    assert due is not None
    assert due > today
    assert "剩 10 个工作日" in html
    Application.objects.update(due_on=today.replace(day=12))
    assert "已超 1 个工作日" in page(client, "/applications/")
    assert Application.objects.get().code in page(client, "/applications/?overdue=1")


def test_the_budget_shown_is_of_the_year_in_which_the_benefit_begins(
    here: Office, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, this = noticed(here), budget(here, heads=3, fen=1_000_000)
    shown, at_its_page = re.compile(r'href="/budgets/(\d+)/">(\d+)'), f"/applications/{row.pk}/"
    assert shown.findall(page(sign_in("district"), at_its_page)) == [(str(this.pk), "2026")]
    december = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # in China; what is approved now begins in January
    at(monkeypatch, december)
    html = page(sign_in("district"), at_its_page)
    assert not shown.search(html)
    assert "2027年度还没有生效的预算" in html
    coming = budget(here, heads=5, year=2027)
    assert shown.findall(page(sign_in("district"), at_its_page)) == [(str(coming.pk), "2027")]


def test_an_application_goes_through_the_pages(here: Office, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    elder = poor()
    budget(here, heads=1, fen=1_000_000)
    desk, street, district = (sign_in(one) for one in (here.desk, here.street, here.district))
    address = f"/applications/new/?elder={elder.pk}&scheme={here.scheme.code}"
    assert "符合条件" in page(desk, address)
    sent = form_of(desk, address, "apply_for") | {
        "applied_as": "agent",
        "signed_by": "陆建明",
        "proof": "委托书 2026-3",
    }
    answer = desk.post("/do/apply_for/", sent)
    row = Application.objects.get()
    case = f"/applications/{row.pk}/"
    assert answer["Location"] == case
    assert "陆建明" in page(desk, case)
    sent = form_of(street, case, "review_application") | {"outcome": "pass", "findings": "已入户核实"}
    assert street.post("/do/review_application/", sent)["Location"] == case
    sent = form_of(street, "/applications/?queue=reviewed", "publish_notice")
    sent |= {"scheme_id": str(here.scheme.pk), "application_ids": str(row.pk), "place": "社区公示栏"}
    answer = street.post("/do/publish_notice/", sent)
    assert answer["Location"] == f"/public/notices/{PublicNotice.objects.get().pk}/"
    assert 'data-action="approve_application"' not in page(district, case)
    at(monkeypatch, DECIDED_AT)
    sent = form_of(district, "/applications/?queue=noticed", "approve_applications") | {"application_ids": str(row.pk)}
    assert district.post("/do/approve_applications/", sent).status_code == 302
    assert Entitlement.objects.get(application=row).monthly_cap_fen == 15000


@pytest.mark.req("R-PAY-13")
def test_the_case_file_shows_application_process_funds_and_messages(here: Office, sign_in: SignIn) -> None:
    budget(here, heads=3, fen=1_000_000)
    row = applied(here, poor(name="沈桂英"))
    attach_paper(actor=here.desk, now=NOW, application_id=row.pk, title="低保证", content=PHOTO)
    row = approved(here, noticed(here, reviewed(here, row)))
    client = sign_in("street")
    html = page(client, f"/applications/{row.pk}/")
    for part, text in [
        ("application", "低保证"), ("process", "已入户核实"), ("funds", "待遇自 2026-07-01 起，最后一天 2027-06-30"),
        ("messages", "已批准，自2026-07-01起享受"),
    ]:  # fmt: skip
        start = html.index(f'id="part-{part}"')
        following = html.find('id="part-', start + 1)
        assert text in html[start : following if following > 0 else len(html)], part
    assert queries(client, f"/applications/{row.pk}/") <= 8


def test_the_case_file_of_a_waiting_one_is_within_its_queries(here: Office, sign_in: SignIn) -> None:
    budget(here, heads=0)
    row = approved(here)
    client = sign_in("street")
    assert "轮候" in page(client, f"/applications/{row.pk}/")
    assert queries(client, f"/applications/{row.pk}/") <= 8


def test_who_does_not_fit_is_told_at_once_and_needs_a_reason(here: Office, sign_in: SignIn) -> None:
    elder, client = make_elder(), sign_in(here.desk)
    address = f"/applications/new/?elder={elder.pk}&scheme={here.scheme.code}"
    assert "没有登记所要求的人群类别（要求：低保或重点优抚）" in page(client, address)
    sent = form_of(client, address, "apply_for") | {"applied_as": "self", "declared": ""}
    assert client.post("/do/apply_for/", sent).status_code == 422
    assert client.post("/do/apply_for/", sent | {"declared": "低保证在办", "_key": "b"}).status_code == 302
    assert client.get("/applications/new/?elder=0").status_code == 404
    assert "请先查找老年人" in page(client, "/applications/new/?elder=abc")
    assert queries(client, address) <= 9


def test_an_objection_is_shown_without_what_it_says(here: Office, sign_in: SignIn) -> None:
    row = noticed(here)
    raise_objection(actor=here.street, now=NOTICED_AT, application_id=row.pk, name="钱某", text="此户有两套房")
    client = sign_in(actor("district", DISTRICT))
    html = page(client, f"/applications/{row.pk}/")
    assert "异议" in html
    assert "钱某" not in html
    assert "两套房" not in html
    sent = form_of(client, f"/applications/{row.pk}/", "reveal_objection") | {"reason": "核查"}
    assert "此户有两套房" in client.post("/do/reveal_objection/", sent).content.decode()
    sent = form_of(client, f"/applications/{row.pk}/", "decide_objection") | {"outcome": "dismiss", "answer": "不属实"}
    assert client.post("/do/decide_objection/", sent).status_code == 302
    assert Objection.objects.get().state == "dismissed"


def test_everybody_reads_a_notice_as_long_as_it_hangs(
    here: Office, monkeypatch: pytest.MonkeyPatch, sign_in: SignIn
) -> None:
    row = reviewed(here)
    notice = published(here, row)
    visitor = Client()
    at(monkeypatch, NOTICED_AT)
    html = page(visitor, f"/public/notices/{notice.pk}/")
    assert row.code in html
    assert "王*" in html
    for hidden in ("王秀英", "低保", "中山路"):
        assert hidden not in html
    assert notice.code in page(visitor, "/public/notices/")
    assert notice.code in page(visitor, f"/public/notices/?div={DISTRICT}")
    at(monkeypatch, DECIDED_AT)
    assert visitor.get(f"/public/notices/{notice.pk}/").status_code == 404
    assert row.code in page(sign_in("street"), f"/public/notices/{notice.pk}/")


def test_a_budget_is_proposed_and_confirmed_on_its_pages(here: Office, sign_in: SignIn) -> None:
    first, second = sign_in(here.district), sign_in(actor("district", DISTRICT))
    sent = form_of(first, "/budgets/", "set_budget")
    sent |= {
        "scheme_code": here.scheme.code,
        "div": DISTRICT,
        "year": "2026",
        "amount_fen": "10000.50",
        "heads": "3",
        "document": "区财发 3 号",
    }
    row_page = first.post("/do/set_budget/", sent)["Location"]
    assert "请由另一位有权限的人员确认" in page(first, row_page)
    sent = form_of(second, row_page, "confirm_budget")
    assert second.post("/do/confirm_budget/", sent).status_code == 302
    row = Budget.objects.get()
    assert (row.is_in_force, row.amount_fen, row.heads) == (True, 1_000_050, 3)
    assert "0 / 3" in page(first, row_page)


def test_the_waiting_list_of_a_budget_in_its_order(here: Office, sign_in: SignIn) -> None:
    row = budget(here, heads=0)
    one, two = approved(here), approved(here)
    html = page(sign_in("street"), f"/budgets/{row.pk}/")
    assert html.index(one.code) < html.index(two.code)


def test_the_workbook_masks_names(here: Office, sign_in: SignIn) -> None:
    row = applied(here)
    answer = sign_in("street").get("/applications/excel/?queue=applied")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert sheet[1][:4] == [row.code, "王*", "公园社区", "政府购买居家服务"]


def test_rechecks_are_done_from_their_list(here: Office, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for year in (2026, 2027):
        budget(here, heads=5, year=year)
    given = Entitlement.objects.get(application=approved(here))
    client = sign_in(actor("street", STREET))
    assert "没有需要复核的待遇" in page(client, "/applications/rechecks/")
    at(monkeypatch, datetime.fromisoformat("2026-12-30T02:00:00+00:00"))
    sent = form_of(client, "/applications/rechecks/", "recheck_entitlement") | {
        "outcome": "end",
        "findings": "已停发低保",
    }
    assert client.post("/do/recheck_entitlement/", sent).status_code == 302
    given.refresh_from_db()
    assert (given.valid_to, given.ended_reason) == (date(2026, 12, 31), "已停发低保")


def test_the_elder_sees_how_far_it_is_and_may_apply_and_withdraw(here: Office, sign_in: SignIn) -> None:
    elder = poor()
    client = sign_in(actor("elder", elders=(elder,)))
    html = page(client, "/e/applications/")
    assert "还没有申请" in html
    sent = form_of(client, "/e/applications/", "apply_for")
    assert client.post("/do/apply_for/", sent).status_code == 302
    row = Application.objects.get()
    assert (row.applied_as, row.state) == ("self", "applied")
    html = page(client, "/e/applications/")
    assert "街道正在初审" in html
    assert "您可能可以申请" not in html
    sent = form_of(client, "/e/applications/", "withdraw_application") | {"reason": "不需要了"}
    assert client.post("/do/withdraw_application/", sent).status_code == 302
    assert "已经撤回" in page(client, "/e/applications/")
    assert queries(client, "/e/applications/") <= 12


def test_every_state_has_its_sentence_for_the_elder(here: Office, sign_in: SignIn) -> None:
    elder = poor()
    row = applied(here, elder)
    client = sign_in(actor("elder", elders=(elder,)))
    reviewed(here, row, outcome="return", findings="缺低保证复印件")
    assert "缺低保证复印件" in page(client, "/e/applications/")
