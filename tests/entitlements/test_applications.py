"""From the signature to the entitlement: every step, who may take it, and every reason to say no."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.entitlements.applying import (
    CODE,
    DAY,
    DECIDED_AT,
    NOTICED_AT,
    REVIEWED_AT,
    Office,
    applied,
    approved,
    budget,
    noticed,
    office,
    poor,
    published,
    record,
    reviewed,
)
from tests.factories import (
    DISTRICT,
    NEIGHBOUR,
    NOW,
    OTHER_COMMUNITY,
    OTHER_STREET,
    TODAY,
    actor,
    make_elder,
    make_entitlement,
    make_household,
    make_organisation,
    make_representative,
    make_scheme,
    make_user,
    system,
)

from yinling.accounts.models import Journal, Notice
from yinling.assessment.models import Assessment
from yinling.directory.roles import ROLES
from yinling.entitlements.jobs import go_on
from yinling.entitlements.models import Application, Entitlement, Objection, PublicNotice, Recheck
from yinling.entitlements.operations import (
    apply_for,
    approve_application,
    approve_applications,
    attach_paper,
    complete_application,
    decide_objection,
    grant_entitlement,
    publish_notice,
    raise_objection,
    recheck_entitlement,
    recount_application,
    refuse_application,
    reveal_objection,
    review_application,
    withdraw_application,
)
from yinling.entitlements.queries import funding_for
from yinling.ground.models import CalendarDay
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.people.models import Elder

PHOTO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def here(wide: object) -> Iterator[Office]:
    return office()


def state(row: Application) -> str:
    return str(Application.objects.get(pk=row.pk).state)


def code_of(refused: Any) -> str:
    return str(refused.value.code)


# The way


@pytest.mark.req("R-ASM-03")
def test_from_the_signature_to_the_entitlement(here: Office) -> None:
    elder = poor()
    result = Assessment.objects.create(
        div=elder.div, elder=elder, provider=make_organisation(), scale="mzt039_2013", level="moderate", assessed_on=date(2026, 1, 5),
        valid_from=date(2026, 1, 5), valid_to=date(2027, 1, 6), recorded_from=NOW, scale_version="2013-1",
    )  # fmt: skip
    budget(here, heads=10, fen=1_000_000)
    row = applied(here, elder)
    assert (row.state, row.due_on, row.signed_by, row.verdict["code"]) == (
        "applied",
        date(2026, 6, 30),
        "王秀英",
        "eligible",
    )
    assert row.code == f"A-260615-{row.pk:04d}"
    row = reviewed(here, row)
    assert (row.state, row.reviewed_by_id, row.grade) == ("reviewed", here.street.user_id, "低保或重点优抚老年人")
    row = noticed(here, row)
    assert row.notice is not None
    assert (row.state, row.notice.from_on, row.notice.last_day) == ("noticed", date(2026, 6, 17), date(2026, 6, 24))
    row = approved(here, row)
    assert (row.state, row.decided_by_id) == ("approved", here.district.user_id)
    assert (row.assessment_id, row.scale_version) == (result.pk, "mzt039_2013 2013-1")
    assert row.decision["clause"] == "02"
    given = Entitlement.objects.get(application=row)
    assert (given.valid_from, given.valid_to, given.recheck_on) == (
        date(2026, 7, 1),
        date(2027, 7, 1),
        date(2027, 1, 1),
    )
    assert (given.share_bp, given.monthly_cap_fen, given.basis) == (10000, 15000, row.code)
    assert funding_for(elder.pk, "daily_care", date(2026, 7, 1))[0].entitlement_id == given.pk
    events = Journal.objects.filter(elder_id=elder.pk, subject_type="application").order_by("pk")
    assert list(events.values_list("event", flat=True)) == [
        "entitlements.application.apply", "entitlements.application.review", "entitlements.notice.publish",
        "entitlements.application.approve",
    ]  # fmt: skip


def test_every_step_is_told_to_the_elder_side_once(here: Office) -> None:
    elder = poor()
    daughter = make_user()
    make_representative(elder, daughter, capacity="family")
    budget(here, heads=1)
    approved(here, noticed(here, reviewed(here, applied(here, elder))))
    sent = Notice.objects.filter(key__startswith="application:").order_by("pk")
    assert sent.filter(user=daughter).count() == sent.filter(channel="sms").count() == 4
    assert "已批准，自2026-07-01起享受" in sent.filter(user=daughter).last().text


def test_what_another_department_recognises_is_not_applied_for_here(here: Office) -> None:
    make_scheme(code="national_voucher")
    with pytest.raises(Refused) as refused:
        applied(here, scheme_code="national_voucher")
    assert (code_of(refused), refused.value.field) == ("application.no_procedure", "scheme_code")


def test_what_is_applied_for_here_is_not_granted_beside_it(here: Office) -> None:
    elder = poor()
    with pytest.raises(Refused) as refused:
        grant_entitlement(
            actor=here.street, now=NOW, elder_id=elder.pk, scheme_code=CODE, valid_from=TODAY, basis="街道审批"
        )
    assert code_of(refused) == "entitlement.needs_application"
    assert not Entitlement.objects.exists()


# Applying


def test_who_does_not_fit_applies_only_with_a_word_on_other_evidence(here: Office) -> None:
    elder = make_elder()
    with pytest.raises(Refused) as refused:
        applied(here, elder)
    assert (code_of(refused), refused.value.field) == ("application.circumstance", "declared")
    assert not Application.objects.exists()
    row = applied(here, elder, declared="低保证在办，附区民政局回执")
    assert (row.verdict["is_eligible"], row.grade, row.monthly_cap_fen) == (False, "", None)
    with pytest.raises(Refused) as refused:
        reviewed(here, row)
    assert code_of(refused) == "application.circumstance"
    record(elder, "dibao", TODAY)
    assert reviewed(here, row).monthly_cap_fen == 15000


def test_who_became_eligible_after_applying_is_not_approved(here: Office) -> None:
    elder = make_elder()
    row = applied(here, elder, declared="下月起享受低保")
    record(elder, "dibao", TODAY + DAY)
    budget(here, heads=1)
    row = noticed(here, reviewed(here, row))
    with pytest.raises(Refused) as refused:
        approved(here, row)
    assert code_of(refused) == "application.circumstance"
    assert "2026-06-15" in str(refused.value)


@pytest.mark.req("R-PEO-10")
@pytest.mark.parametrize("capacity", ["guardian", "agent", "family"])
def test_who_signs_for_another_says_so_and_proves_it(here: Office, capacity: str) -> None:
    elder = poor()
    for values, code in [({}, "application.signature"), ({"signed_by": "陆建明"}, "application.proof")]:
        with pytest.raises(Refused) as refused:
            applied(here, elder, applied_as=capacity, **values)
        assert code_of(refused) == code
    assert not Application.objects.exists()
    row = applied(here, elder, applied_as=capacity, signed_by="陆建明", proof="委托书 2026-3")
    assert (row.applied_as, row.signed_by, row.proof, row.representative_id) == (
        capacity,
        "陆建明",
        "委托书 2026-3",
        None,
    )


@pytest.mark.req("R-PEO-10")
def test_a_registered_guardian_signs_by_the_proof_on_file(here: Office) -> None:
    elder, son = poor(), make_user(name="陆建明")
    found = make_representative(elder, son, capacity="guardian", proof="法院指定监护 12 号")
    row = applied(here, elder, applied_as="guardian", signed_by="陆建明")
    assert (row.representative_id, row.proof) == (found.pk, "法院指定监护 12 号")


@pytest.mark.req("R-PEO-10")
def test_an_expired_guardianship_is_none(here: Office) -> None:
    elder, son = poor(), make_user(name="陆建明")
    make_representative(elder, son, capacity="guardian", proof="监护证明", valid_to=TODAY)
    with pytest.raises(Refused) as refused:
        applied(here, elder, applied_as="guardian", signed_by="陆建明")
    assert code_of(refused) == "application.proof"


@pytest.mark.req("R-PEO-10")
def test_the_elder_side_applies_for_itself_in_its_own_capacity(here: Office) -> None:
    elder = poor()
    daughter = actor("family", elders=(elder,))
    with scope(daughter):
        with pytest.raises(Refused) as refused:
            apply_for(actor=daughter, now=NOW, elder_id=elder.pk, scheme_code=CODE, applied_as="self")
        assert code_of(refused) == "application.capacity"
        row = apply_for(actor=daughter, now=NOW, elder_id=elder.pk, scheme_code=CODE, applied_as="family")
    assert (row.applied_as, row.signed_by, row.applied_by_id) == ("family", daughter.name, daughter.user_id)
    with scope(daughter):
        assert (
            withdraw_application(actor=daughter, now=NOW, application_id=row.pk, reason="不需要了").state == "withdrawn"
        )


def test_one_open_application_and_none_for_what_is_held(here: Office) -> None:
    elder = poor()
    applied(here, elder)
    with pytest.raises(Refused) as refused, transaction.atomic():
        applied(here, elder)
    assert code_of(refused) == "application.open"
    other = poor()
    make_entitlement(other, here.scheme, valid_to=TODAY + timedelta(days=61))
    with pytest.raises(Refused) as refused:
        applied(here, other)
    assert code_of(refused) == "application.held"
    Entitlement.objects.update(valid_to=TODAY + timedelta(days=60))
    assert applied(here, other).state == "applied"
    assert Application.objects.count() == 2


def test_a_renewal_begins_when_the_former_ends(here: Office) -> None:
    elder = poor()
    make_entitlement(elder, here.scheme, valid_to=date(2026, 8, 1))
    budget(here, heads=5)
    row = approved(here, noticed(here, reviewed(here, applied(here, elder))))
    assert Entitlement.objects.get(application=row).valid_from == date(2026, 8, 1)


def test_a_household_gets_the_modification_once(wide: object) -> None:
    here = office(code="home_modification", families=[])
    home = make_household()
    man, wife = make_elder(household=home, sex="1"), make_elder(household=home)
    for one in (man, wife):
        record(one, "empty_nest")
    row = applied(here, man)
    with pytest.raises(Refused) as refused:
        applied(here, wife)
    assert code_of(refused) == "application.household"
    withdraw_application(actor=here.desk, now=NOW, application_id=row.pk, reason="改由妻子申请")
    assert applied(here, wife).once_fen == row.once_fen


@pytest.mark.parametrize("is_given", [False, True])
def test_who_applies_from_home_meets_the_application_of_another_in_the_home(wide: object, *, is_given: bool) -> None:
    here = office(code="home_modification", families=[])
    home = make_household()
    man, wife = make_elder(household=home, sex="1"), make_elder(household=home)
    for one in (man, wife):
        record(one, "empty_nest")
    if is_given:
        make_entitlement(man, here.scheme, once_fen=300_000)
    else:
        applied(here, man)
    daughter = actor("family", elders=(wife,))
    with scope(daughter), pytest.raises(Refused) as refused:
        apply_for(actor=daughter, now=NOW, elder_id=wife.pk, scheme_code=here.scheme.code, applied_as="family")
    assert (code_of(refused), Application.objects.filter(elder=wife).count()) == ("application.household", 0)


def test_registration_elsewhere_makes_no_difference(here: Office) -> None:
    """Elder Law art. 53: who lives here is treated like those registered here."""
    assert applied(here, poor(hukou_div="340100")).state == "applied"


@pytest.mark.req("R-PEO-03")
def test_the_dead_and_the_moved_cannot_apply_and_their_applications_end(here: Office) -> None:
    dead, away = poor(), poor()
    rows = [applied(here, dead), applied(here, away)]
    Elder.objects.filter(pk=dead.pk).update(died_on=TODAY - DAY)
    record(away, "moved_away", TODAY)
    with pytest.raises(Refused) as refused:
        applied(here, Elder.objects.get(pk=dead.pk))
    assert code_of(refused) == "application.left"
    system()
    go_on(0)
    assert [state(row) for row in rows] == ["withdrawn", "withdrawn"]


# Review


def test_a_return_names_what_is_missing_and_completion_starts_the_time_anew(here: Office) -> None:
    row = reviewed(here, outcome="return", findings="缺低保证复印件")
    assert (row.state, row.due_on, row.findings) == ("returned", date(2026, 6, 24), "缺低保证复印件")
    with pytest.raises(NotAllowed):
        reviewed(here, row)
    row = complete_application(actor=here.desk, now=NOW + 3 * DAY, application_id=row.pk)
    assert (row.state, row.due_on) == ("applied", date(2026, 7, 3))
    assert "缺低保证复印件" in Notice.objects.filter(channel="sms").order_by("pk")[1].text


def test_a_refusal_says_until_when_and_where_to_appeal(here: Office) -> None:
    row = reviewed(here, outcome="fail", findings="家庭收入超过标准")
    assert (row.state, row.reason, row.appeal_until) == ("refused", "家庭收入超过标准", date(2026, 8, 17))
    text = Notice.objects.filter(channel="sms").order_by("pk").last().text
    assert "家庭收入超过标准" in text
    assert "2026-08-17前向区（县级市）人民政府申请行政复议" in text
    later = datetime(2026, 12, 4, 2, 0, tzinfo=UTC)
    row = reviewed(here, outcome="fail", findings="家庭收入超过标准", now=later)
    assert row.appeal_until == date(2027, 2, 2)
    text = Notice.objects.filter(channel="sms").order_by("pk").last().text
    assert "2027-02-02前（遇法定节假日顺延）向" in text, "the holidays of 2027 are not known yet"


def test_a_modification_is_reviewed_item_by_item(wide: object) -> None:
    here = office(code="home_modification", families=[])
    elder = make_elder()
    record(elder, "lives_alone")
    row = applied(here, elder)
    some = ["拥有产权或长期使用权", "住房结构安全", "具备改造条件"]
    with pytest.raises(Refused) as refused:
        reviewed(here, row, checks=some)
    assert (code_of(refused), refused.value.field) == ("application.checks", "checks")
    assert "近期不在征收拆迁范围、未享受其他部门的改造补贴" in str(refused.value)
    everything = [*some, "近期不在征收拆迁范围", "未享受其他部门的改造补贴"]
    assert reviewed(here, row, checks=everything).checks == everything


# Notice


def test_nothing_is_approved_before_the_notice_has_hung_its_days(here: Office) -> None:
    budget(here, heads=5)
    row = reviewed(here)
    with pytest.raises(Refused) as refused:
        approved(here, row)
    assert code_of(refused) == "application.not_published"
    row = noticed(here, row)
    last_evening = datetime.fromisoformat("2026-06-24T23:59:59+08:00")
    with pytest.raises(Refused) as refused:
        approved(here, row, last_evening)
    assert code_of(refused) == "application.notice_running"
    assert approved(here, row, last_evening + timedelta(seconds=1)).state == "approved"


def test_a_notice_names_nobody_in_full_and_gives_no_reason(here: Office) -> None:
    row = noticed(here)
    notice = row.notice
    assert notice is not None
    assert notice.lines == [{"number": row.code, "name": "王*", "community": "公园社区"}]
    for text in ("低保", "王秀英", "中山路"):
        assert text not in str(notice.lines)


def test_a_published_notice_is_never_changed(here: Office) -> None:
    noticed(here)
    with pytest.raises(DatabaseError), transaction.atomic():
        PublicNotice.objects.update(place="别处")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM entitlements_publicnotice")
    assert PublicNotice.objects.get().place == "社区公示栏"


def test_everybody_may_read_a_notice_and_only_the_area_writes_one(here: Office) -> None:
    noticed(here)
    with scope(actor("volunteer", OTHER_COMMUNITY)):
        assert PublicNotice.objects.count() == 1
        assert not Application.objects.exists()


def test_all_reviewed_of_an_area_are_published_together(here: Office) -> None:
    first, second = reviewed(here), reviewed(here)
    applied(here)
    notice = published(here, application_ids=[])
    assert [line["number"] for line in notice.lines] == [first.code, second.code]
    with pytest.raises(Refused) as refused:
        published(here, application_ids=[])
    assert code_of(refused) == "notice.nothing"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"days": 6}, "notice.too_short"), ({"from_on": TODAY}, "notice.past"), ({"place": " "}, "text.missing"),
        ({"scheme_id": 0}, "scheme.unknown"),
        ({"div": NEIGHBOUR}, "notice.nothing"),
    ],
)  # fmt: skip
def test_a_wrong_notice_publishes_nothing(here: Office, values: dict[str, Any], code: str) -> None:
    row = reviewed(here)
    asked = {"scheme_id": here.scheme.pk, "place": "公示栏", "now": NOTICED_AT, "application_ids": [row.pk]} | values
    with pytest.raises(Refused) as refused:
        publish_notice(actor=here.street, **asked)
    assert code_of(refused) == code
    assert (state(row), PublicNotice.objects.count()) == ("reviewed", 0)


# Objections


def objected(here: Office, row: Application, **values: Any) -> Objection:
    asked = {"text": "此户有两套房", "name": "钱某", "phone": "13912345678", "now": NOTICED_AT} | values
    return raise_objection(actor=here.street, application_id=row.pk, **asked)


def test_an_open_objection_stops_the_approval(here: Office) -> None:
    budget(here, heads=5)
    row = noticed(here)
    objection = objected(here, row)
    with pytest.raises(Refused) as refused:
        approved(here, row)
    assert code_of(refused) == "application.objection"
    other = actor("district", DISTRICT)
    decided = decide_objection(
        actor=other, now=DECIDED_AT, objection_id=objection.pk, outcome="dismiss", answer="经查为子女住房"
    )
    assert (decided.state, decided.answer) == ("dismissed", "经查为子女住房")
    assert approved(here, row).state == "approved"


def test_an_objection_that_holds_sends_the_application_back(here: Office) -> None:
    row = noticed(here)
    objection = objected(here, row)
    decide_objection(
        actor=here.district, now=DECIDED_AT, objection_id=objection.pk, outcome="uphold", answer="情况属实"
    )
    row = Application.objects.get(pk=row.pk)
    assert (row.state, row.reviewed_by_id, row.notice_id, row.due_on) == ("applied", None, None, date(2026, 7, 9))


def test_who_took_down_or_reviewed_does_not_decide_an_objection(here: Office) -> None:
    row = noticed(here)
    deciding = actor("district", DISTRICT)
    objection = raise_objection(actor=deciding, now=NOTICED_AT, application_id=row.pk, text="不符合条件")
    with pytest.raises(Refused) as refused:
        decide_objection(actor=deciding, now=DECIDED_AT, objection_id=objection.pk, outcome="dismiss", answer="不属实")
    assert code_of(refused) == "objection.two_persons"
    Application.objects.filter(pk=row.pk).update(reviewed_by_id=here.district.user_id)
    with pytest.raises(Refused) as refused:
        decide_objection(
            actor=here.district, now=DECIDED_AT, objection_id=objection.pk, outcome="dismiss", answer="不属实"
        )
    assert code_of(refused) == "objection.two_persons"
    assert Objection.objects.get().state == "open"


@pytest.mark.req("X-TIME-03")
def test_the_last_day_of_the_notice_is_in_time(here: Office) -> None:
    row = noticed(here)
    late = datetime.fromisoformat("2026-06-25T00:00:00+08:00")
    with pytest.raises(Refused) as refused:
        objected(here, row, now=late)
    assert code_of(refused) == "objection.not_hanging"
    assert objected(here, row, now=late - timedelta(seconds=1)).state == "open"


def test_what_an_objection_says_is_sealed_and_reading_it_is_journalled(here: Office) -> None:
    objection = objected(here, noticed(here))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM entitlements_objection")
        assert "两套房" not in str(cursor.fetchall())
    shown = reveal_objection(actor=here.district, now=DECIDED_AT, objection_id=objection.pk, reason="核查异议")
    assert shown == {"name": "钱某", "phone": "13912345678", "text": "此户有两套房"}
    assert Journal.objects.filter(event="entitlements.objection.reveal", reason="核查异议").exists()
    with scope(actor("elder", elders=(objection.application.elder,))):
        assert not Objection.objects.exists()


# Decision


def test_approval_takes_another_person_than_entry_and_review(here: Office) -> None:
    budget(here, heads=5)
    row = noticed(here)
    for column in ("applied_by_id", "reviewed_by_id"):
        before = getattr(Application.objects.get(pk=row.pk), column)
        Application.objects.filter(pk=row.pk).update(**{column: here.district.user_id})
        with pytest.raises(Refused) as refused:
            approved(here, row)
        assert code_of(refused) == "application.two_persons"
        Application.objects.filter(pk=row.pk).update(**{column: before})
    assert not Entitlement.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=row.pk).update(decided_by_id=here.street.user_id)


def test_who_no_longer_fits_is_not_approved(here: Office) -> None:
    elder = make_elder()
    fact = record(elder, "dibao")
    budget(here, heads=5)
    row = noticed(here, reviewed(here, applied(here, elder)))
    fact.valid_to = date(2026, 6, 20)
    fact.save()
    with pytest.raises(Refused) as refused:
        approved(here, row)
    assert code_of(refused) == "application.circumstance"
    assert row.code in str(refused.value)


def test_a_batch_is_approved_whole_or_not_at_all(here: Office) -> None:
    budget(here, heads=50)
    rows = [reviewed(here) for _ in range(3)]
    published(here, *rows)
    ids = [row.pk for row in rows]
    objection = objected(here, rows[2])
    with pytest.raises(Refused) as refused, transaction.atomic():
        approve_applications(actor=here.district, now=DECIDED_AT, application_ids=ids)
    assert (code_of(refused), rows[2].code in str(refused.value)) == ("application.objection", True)
    assert not Entitlement.objects.exists()
    decide_objection(actor=here.district, now=DECIDED_AT, objection_id=objection.pk, outcome="dismiss", answer="不属实")
    approve_applications(actor=here.district, now=DECIDED_AT, application_ids=ids)
    assert Entitlement.objects.count() == 3


def test_a_refusal_in_the_county(here: Office) -> None:
    row = noticed(here)
    done = refuse_application(actor=here.district, now=DECIDED_AT, application_id=row.pk, reason="名下有商业房产")
    assert (done.state, done.reason, done.decided_by_id) == ("refused", "名下有商业房产", here.district.user_id)
    for step in (approved, noticed):
        with pytest.raises((NotAllowed, Refused)):
            step(here, row)


# Rights and areas


@pytest.mark.parametrize("role", [code for code in ROLES if code not in ("system", "elder", "family")])
def test_who_may_take_which_step(here: Office, role: str) -> None:
    row = applied(here)
    one = actor(role)
    steps = {
        "review": lambda: review_application(
            actor=one, now=REVIEWED_AT, application_id=row.pk, outcome="return", findings="缺材料"
        ),
        "approve": lambda: approve_application(actor=one, now=DECIDED_AT, application_id=row.pk),
        "withdraw": lambda: withdraw_application(actor=one, now=NOW, application_id=row.pk, reason="本人要求"),
    }
    allowed = {
        "review": {"street"},
        "approve": {"district"},
        "withdraw": {"street", "station", "community", "district"},
    }
    with scope(one):
        for step, call in steps.items():
            try:
                with transaction.atomic():
                    call()
                    transaction.set_rollback(True)
                did = True
            except Refusal as refusal:
                did = not isinstance(refusal, Denied | NotFound)
            assert did == (role in allowed[step]), step


def test_another_street_does_not_see_an_application(here: Office) -> None:
    row = applied(here)
    other = actor("street", OTHER_STREET)
    with scope(other):
        assert not Application.objects.exists()
        with pytest.raises(NotFound):
            review_application(actor=other, now=REVIEWED_AT, application_id=row.pk, outcome="pass", findings="x")


def test_papers_are_kept_with_the_application(here: Office) -> None:
    row = applied(here)
    paper = attach_paper(actor=here.desk, now=NOW, application_id=row.pk, title="低保证", content=PHOTO)
    assert (paper.title, paper.file.content_type, paper.file.elder_id) == ("低保证", "image/jpeg", row.elder_id)
    with pytest.raises(Refused) as refused:
        attach_paper(actor=here.desk, now=NOW, application_id=row.pk, title="坏文件", content="bm90IGFuIGltYWdl")
    assert code_of(refused) == "file.not_image"
    withdraw_application(actor=here.desk, now=NOW, application_id=row.pk, reason="撤回")
    with pytest.raises(Refused) as refused:
        attach_paper(actor=here.desk, now=NOW, application_id=row.pk, title="低保证", content=PHOTO)
    assert code_of(refused) == "application.decided"


def test_a_provisional_deadline_is_counted_again_with_the_calendar(here: Office) -> None:
    CalendarDay.objects.all().delete()
    row = applied(here)
    assert row.is_due_provisional
    for day in (date(2026, 6, 19), date(2026, 6, 22)):
        CalendarDay.objects.create(day=day, kind="holiday", name="端午", source="test")
    row = recount_application(actor=system(), now=NOW + DAY, application_id=row.pk)
    assert (row.due_on, row.is_due_provisional) == (date(2026, 7, 1), False)
    with pytest.raises(Refused):
        recount_application(actor=system(), now=NOW + DAY, application_id=row.pk)


# Re-check and expiry


def running(here: Office) -> Entitlement:
    budget(here, heads=5, fen=10_000_000)
    budget(here, heads=5, fen=10_000_000, year=2027)
    return Entitlement.objects.get(application=approved(here))


LATER = datetime.fromisoformat("2026-12-30T02:00:00+00:00")


def test_a_recheck_keeps_until_the_next_or_ends_with_its_reason(here: Office) -> None:
    row = running(here)
    done = recheck_entitlement(
        actor=here.street, now=LATER, entitlement_id=row.pk, outcome="keep", findings="仍享受低保"
    )
    row.refresh_from_db()
    assert (done.due_on, row.recheck_on, row.valid_to) == (date(2027, 1, 1), date(2027, 6, 30), date(2027, 7, 1))
    recheck_entitlement(
        actor=here.street,
        now=LATER + DAY,
        entitlement_id=row.pk,
        outcome="end",
        findings="已停发低保",
        valid_to=date(2026, 12, 31),
    )
    row.refresh_from_db()
    assert (row.valid_to, row.ended_reason, row.recheck_on) == (date(2027, 1, 1), "已停发低保", None)
    assert "已停发低保" in Notice.objects.get(key=f"entitlement:{row.pk}:ended:sms").text
    assert Recheck.objects.count() == 2


def test_who_no_longer_fits_cannot_be_kept(here: Office) -> None:
    row = running(here)
    row.elder.circumstances.filter(kind="dibao").update(valid_to=date(2026, 12, 1))
    with pytest.raises(Refused) as refused:
        recheck_entitlement(actor=here.street, now=LATER, entitlement_id=row.pk, outcome="keep", findings="继续")
    assert code_of(refused) == "recheck.circumstance"
    assert not Recheck.objects.exists()


def test_the_elder_side_is_reminded_once_before_the_end(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    row = running(here)
    system()
    for moment, count in [
        ("2027-05-31T02:00:00+00:00", 0),
        ("2027-06-01T02:00:00+00:00", 1),
        ("2027-06-20T02:00:00+00:00", 1),
    ]:
        monkeypatch.setattr(
            "yinling.entitlements.jobs.business_now", lambda moment=moment: datetime.fromisoformat(moment)
        )
        go_on(0)
        assert Notice.objects.filter(key__startswith=f"entitlement:{row.pk}:expiry", channel="sms").count() == count
    assert funding_for(row.elder_id, "daily_care", date(2027, 6, 30)) != []
    assert funding_for(row.elder_id, "daily_care", date(2027, 7, 1)) == [], "it ends by itself"
