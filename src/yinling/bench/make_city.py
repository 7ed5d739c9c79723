"""``python -m yinling.bench.make_city CITY CLOCK``: fill the database of the environment with the demo city and tokens to act with.

Every carer gets a login and a token, so that a bench can send the one the dispatcher chose; a token's text is ``bench-`` and the
name of its role or the number of the carer.
"""

import os
import sys
from datetime import timedelta

from yinling.cli.environment import set_up_django

OFFICE = ("seat", "dispatcher", "finance", "supervisor")


def main(city: str, clock: str) -> None:
    """Work as the owner, as ``./run`` does."""
    set_up_django(dict(os.environ), as_owner=True)
    from django.db import connection, transaction  # noqa: PLC0415 - models need the settings first

    from yinling.cli.migrate import migrate  # noqa: PLC0415 - as above
    from yinling.demo.load import main as load  # noqa: PLC0415 - as above

    migrate()
    load(city, clock)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('yinling.importing', 'on', true)")
        equip_carers()
        equip_office()


def equip_carers() -> None:
    """Give each carer a login, a confirmed grant in the own organisation, and a token."""
    from yinling.accounts.models import User  # noqa: PLC0415 - models need the settings first
    from yinling.demo.city import EARLIEST  # noqa: PLC0415 - as above
    from yinling.directory.models import Grant, Staff  # noqa: PLC0415 - as above

    people = list(Staff.objects.filter(kind="care_worker"))
    bare = [person for person in people if person.user_id is None]
    users = User.objects.bulk_create(
        User(username=f"bench-{person.pk}", name=person.name, is_active=True) for person in bare
    )
    for person, user in zip(bare, users, strict=True):
        person.user = user
    Staff.objects.bulk_update(bare, ["user"])
    first, second = User.objects.filter(username__in=("security_admin", "security_admin2")).order_by("pk")
    grants = Grant.objects.bulk_create(
        Grant(
            user=person.user, role="carer", organisation_id=person.provider_id, state="active", reason="bench", from_at=EARLIEST,
            proposed_by=first, confirmed_by=second, created_at=EARLIEST, changed_at=EARLIEST,
        )
        for person in bare
    )  # fmt: skip
    for grant, person in zip(grants, bare, strict=True):
        give_token(grant, str(person.pk))
    for person in people:
        if person not in bare:
            give_token(Grant.objects.get(user=person.user), str(person.pk))


def equip_office() -> None:
    """Give the demo logins of the office a token."""
    from yinling.directory.models import Grant  # noqa: PLC0415 - models need the settings first

    for role in OFFICE:
        give_token(Grant.objects.get(user__username=role), role)


def give_token(grant: object, name: str) -> None:
    """Make a token with a known text; the bench city is reached through a socket only its maker opens."""
    from yinling.directory.models import ApiToken, Grant  # noqa: PLC0415 - models need the settings first
    from yinling.directory.rules import token_hash  # noqa: PLC0415 - as above
    from yinling.ground.clock import real_now  # noqa: PLC0415 - as above

    assert isinstance(grant, Grant)  # noqa: S101 - for the type checker
    made = real_now()
    ApiToken.objects.create(
        user_id=grant.user_id, grant=grant, name="bench", token_hash=token_hash(f"bench-{name}"), created_at=made,
        expires_at=made + timedelta(days=3650),
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
