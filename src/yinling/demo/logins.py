"""One login per role, so that a newcomer can look at everything; a second one where two persons must act."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.contrib.auth.hashers import make_password

from yinling.accounts.models import User
from yinling.demo.bodies import EARLY
from yinling.demo.city import EARLIEST
from yinling.demo.rows import insert
from yinling.directory.models import Grant, Organisation
from yinling.directory.queries import active_grants, actor_from, staff_id_of
from yinling.directory.roles import ROLES
from yinling.directory.states import GrantState
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.people.models import Representative
from yinling.people.queries import linked_elder_ids

if TYPE_CHECKING:
    from yinling.demo.bodies import Bodies
    from yinling.demo.elders import People

PASSWORD = "yinling-demo-2026"  # noqa: S105 - printed at every start; opens made-up people only
SECRET = base64.b32encode(b"yinling demo only 26").decode()
"""The second factor of all demonstration logins, so that the page can show the code that holds now."""
WITHOUT_SECOND_FACTOR = ("elder", "family", "volunteer")


@dataclass(frozen=True)
class Login:
    """A login: its name to type, its person, role, and where the grant holds."""

    username: str
    name: str
    role: str
    div_length: int = 0
    """Characters of the code where the grant holds; of a city's whole code if that is longer."""

    @property
    def is_second(self) -> bool:
        """Whether it is the second person of a role."""
        return self.username != self.role


LOGINS = (
    Login("seat", "顾晓雯", "seat"), Login("seat2", "殷小满", "seat"), Login("line_leader", "苗带班", "line_leader"),
    Login("line_operator", "线运营", "line_operator"), Login("dispatcher", "周启明", "dispatcher"), Login("carer", "许玉梅", "carer"),
    Login("nurse", "蒋文静", "nurse"), Login("doctor", "过立群", "doctor"), Login("assessor", "尤建华", "assessor"),
    Login("provider_manager", "华荣生", "provider_manager"), Login("station", "浦秋萍", "station", 9),
    Login("visitor", "秦阿宝", "visitor", 12), Login("volunteer", "章小禾", "volunteer"), Login("surveyor", "虞志刚", "surveyor"),
    Login("community", "糜玉兰", "community", 12), Login("street", "强国良", "street", 9), Login("district", "荣晓东", "district", 6),
    Login("city", "薛思远", "city"), Login("supervisor", "严正行", "supervisor"), Login("inspector", "惠克勤", "inspector"),
    Login("finance", "钱理清", "finance"), Login("finance2", "陆复核", "finance"), Login("auditor", "安鉴明", "auditor"),
    Login("adviser", "温怡", "adviser"), Login("evaluator", "平公允", "evaluator"), Login("elder", "沈桂英", "elder"),
    Login("family", "陆建明", "family"), Login("system_admin", "管理一", "system_admin"),
    Login("security_admin", "安全一", "security_admin"), Login("security_admin2", "安全二", "security_admin"),
    Login("audit_admin", "审计一", "audit_admin"), Login("city2", "杭同舟", "city"), Login("device_platform", "设备平台", "device_platform"),
    Login("other_line", "对接热线", "other_line"),
)  # fmt: skip


def table() -> str:
    """Return what is printed at start: role, login, home page; one password for all."""
    lines = [
        f"  {ROLES[login.role].name:<8}\t{login.username:<18}\t{login.name}\t{ROLES[login.role].home}"
        for login in LOGINS
    ]
    head = N_(
        "演示账号 Demo logins（密码 password %(password)s；登录第二步会显示当前验证码 the second step shows the code)"
    )
    return "\n".join([head % {"password": PASSWORD}, *lines])


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return (role, person, login, password, home path) of each."""
    return [(login.role, login.name, login.username, PASSWORD, ROLES[login.role].home) for login in LOGINS]


def actor_of(username: str, now: datetime) -> Actor:
    """Return a demonstration login as actor, as the pages would: with the elders it stands for, or its staff row."""
    user = User.objects.get(username=username)
    grant = active_grants(user.pk, now).first()
    if grant is None:
        raise LookupError(f"{username} has no grant; load the demo city first")
    anchor = ROLES[grant.role].anchor
    if anchor == "area":
        return actor_from(user, grant)
    with scope(actor_from(user, grant)):
        elders = linked_elder_ids(user.pk, now) if anchor == "self" else ()
        return actor_from(user, grant, elder_ids=elders, staff_id=staff_id_of(user.pk))


def system_user() -> User:
    """Return the user as whom the platform's own jobs act; nobody can log in as it."""
    values = {"name": "系统", "is_system": True, "is_active": False, "needs_second_factor": False}
    return User.objects.get_or_create(username="system", defaults=values)[0]


def load_users(now: datetime) -> dict[str, User]:
    """Make the system user and one login per entry, each of the staff with the second factor."""
    system = system_user()
    password = make_password(PASSWORD)
    users = [
        User(
            username=login.username, name=login.name, password=password, large_type=login.role == "elder",
            needs_second_factor=login.role not in WITHOUT_SECOND_FACTOR,
        )
        for login in LOGINS
    ]  # fmt: skip
    insert(users)
    secured = [user for user in users if user.needs_second_factor]
    Authenticator.objects.bulk_create(
        Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)}, created_at=now)
        for user in secured
    )
    return {"system": system, **{user.username: user for user in users}}


def load_grants(users: dict[str, User], bodies: Bodies, people: People, city: str) -> None:
    """Give each login its role where it belongs, confirmed by two security administrators; tie elder and family to the elder."""
    assert people.demo is not None and bodies.demo is not None  # noqa: S101, PT018 - made by the steps before
    company = bodies.of_kind("call_centre")[0]
    insert(
        [
            _grant(login, users, company if login.role == "line_operator" else bodies.demo, people.demo.div, city)
            for login in LOGINS
        ]
    )
    capacities = {"elder": "self", "family": "family"}
    for username, capacity in capacities.items():
        Representative.objects.create(
            div=people.demo.div, elder=people.demo, user=users[username], capacity=capacity, covers_health=True,
            proof="演示账号", valid_from=date(2015, 1, 1), recorded_from=EARLIEST,
        )  # fmt: skip
    for username, kind, sex in (("carer", "care_worker", "2"), ("nurse", "nurse", "2"), ("doctor", "doctor", "1")):
        person = next(
            row
            for row in bodies.staff
            if row.provider_id == bodies.demo.pk and row.kind == kind and row.user_id is None
        )
        person.user, person.name, person.sex = users[username], users[username].name, sex
        person.day_from, person.day_to = EARLY
        person.save(update_fields=["user", "name", "sex", "day_from", "day_to"])


def _grant(login: Login, users: dict[str, User], provider: Organisation, home: str, city: str) -> Grant:
    anchor = ROLES[login.role].anchor
    first, second = users["security_admin"], users["security_admin2"]
    if users[login.username] == first:
        first = users["system"]
    elif users[login.username] == second:
        second = users["system"]
    return Grant(
        user=users[login.username], role=login.role, organisation=provider if anchor == "organisation" else None,
        div=(home[: login.div_length] if login.div_length > len(city) else city) if anchor == "area" else "",
        state=GrantState.ACTIVE, reason="演示账号", from_at=EARLIEST, proposed_by=first, confirmed_by=second,
        created_at=EARLIEST, changed_at=EARLIEST,
    )  # fmt: skip
