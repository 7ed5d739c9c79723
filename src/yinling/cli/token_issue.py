"""The login of a token: one that has the role there, or a new one of that kind."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from yinling.accounts.models import User
from yinling.cli.account import Unusable
from yinling.directory.models import Grant, Organisation, Staff
from yinling.directory.operations import new_token
from yinling.directory.queries import cities
from yinling.directory.roles import ROLES
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date
from yinling.people.models import Elder, Representative

DAYS = 30
KINDS = {"carer": "care_worker", "nurse": "nurse", "doctor": "doctor"}


def token(role: str, *, area: str = "", org: str = "", elder_id: int = 0, is_second: bool = False) -> str:
    """Issue a token for the login that has the role there, or for a new login of that kind."""

    if Elder.objects.filter(is_made_up=False).exists():
        raise Unusable(
            "库中有真实人员，令牌请在页面签发。 There are real people in it: issue tokens on the page /tokens/."
        )
    anchor = ROLES[role].anchor
    if (area and anchor != "area") or (org and anchor != "organisation") or (elder_id and anchor != "self"):
        raise Unusable(
            f"{role} 的授权属于 {anchor}。 A grant of {role} belongs to: {anchor} (area --area, organisation --org, self --elder)."
        )
    now = business_now()
    body = _organisation(org) if org else None
    with transaction.atomic():
        found = list(_known(role, area, body, elder_id, now)[:2])
        grant = (
            found[is_second] if len(found) > is_second else _new(role, area, body, elder_id, now, is_second=is_second)
        )
        row = new_token(
            user_id=grant.user_id,
            grant_id=grant.pk,
            name="./run token",
            days=DAYS,
            elder_ids=(elder_id,) if elder_id else (),
        )
    return str(row.plain)


def _organisation(code: str) -> Organisation:
    rows = Organisation.objects.filter(credit_code=code.upper())
    if not rows and code.isdigit():
        rows = Organisation.objects.filter(pk=int(code))
    found = rows.first()
    if found is None:
        raise Unusable(f"没有这个机构：{code}。 There is no organisation {code}.")
    return found


def _known(role: str, area: str, body: Organisation | None, elder_id: int, now: datetime) -> QuerySet[Grant]:
    """Return the active grants that fit; without a wish the first is the demo login's."""

    rows = Grant.objects.filter(
        Q(to_at=None) | Q(to_at__gt=now), role=role, state="active", from_at__lte=now, user__is_active=True
    )
    if area:
        rows = rows.filter(div=area)
    if body:
        rows = rows.filter(organisation=body)
    if elder_id:
        rows = rows.filter(
            user_id__in=Representative.objects.filter(elder_id=elder_id, recorded_to=None).values("user_id")
        )
    return rows.order_by("pk")


def _new(
    role: str, area: str, body: Organisation | None, elder_id: int, now: datetime, *, is_second: bool = False
) -> Grant:
    anchor = ROLES[role].anchor
    name = f"token-{role}-{area or (body.pk if body else elder_id or 'any')}{'-2' if is_second else ''}"
    user, _made = User.objects.get_or_create(
        username=name, defaults={"name": ROLES[role].name, "needs_second_factor": anchor != "self"}
    )
    first, second = (
        User.objects.get_or_create(username=f"token-grants-{number}", defaults={"name": "令牌", "is_active": False})[0]
        for number in (1, 2)
    )
    if anchor == "area":
        city = cities().first()
        area = area or (city.div if city else "")
        if not area:
            raise Unusable("还没有载入城市。 No city is loaded; start the demo first: ./run")
    if anchor == "organisation":
        body = body or Organisation.objects.filter(is_provider=True).order_by("pk").first()
    grant = Grant.objects.create(
        user=user, role=role, div=area if anchor == "area" else "", organisation=body if anchor == "organisation" else None, reason="./run token",
        from_at=now, proposed_by=first, created_at=now, changed_at=now,
    )  # fmt: skip
    grant.state, grant.confirmed_by = "active", second
    grant.save()
    _attach(role, user, body, elder_id, now)
    return grant


def _attach(role: str, user: User, body: Organisation | None, elder_id: int, now: datetime) -> None:
    """Tie a login to the carer or the elder it stands for."""

    if role in KINDS:
        staff = Staff.objects.filter(provider=body, kind=KINDS[role], user=None).order_by("pk").first()
        if staff is None:
            raise Unusable(f"该机构没有可用的 {role}。 This organisation has no {role} without a login.")
        staff.user = user
        staff.save(update_fields=["user"])
    if role in {"elder", "family"}:
        elder = Elder.objects.filter(pk=elder_id).first() if elder_id else Elder.objects.order_by("pk").first()
        if elder is None:
            raise Unusable(f"没有这位老年人：{elder_id}。 There is no elder {elder_id}.")
        Representative.objects.create(
            div=elder.div, elder=elder, user=user, capacity="self" if role == "elder" else "family", proof="./run token",
            valid_from=local_date(now), recorded_from=now,
        )  # fmt: skip
