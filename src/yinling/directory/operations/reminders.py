"""Telling whom it concerns that a policy or a certificate ends soon."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import Recipient, notify
from yinling.directory.models import Policy, Qualification
from yinling.directory.queries import managers_of
from yinling.kernel.period import ONE_DAY
from yinling.kernel.words import N_


def remind_of_policy(now: datetime, row: Policy) -> None:
    """Tell the managers of a provider, once a policy."""
    if row.valid_to is None:
        return
    values = {"kind": dict(Policy.KINDS).get(row.kind, row.kind), "day": (row.valid_to - ONE_DAY).isoformat()}
    for user_id in managers_of(row.organisation_id, now):
        notify(
            now=now, about=row.organisation, to=Recipient(user_id=user_id), key=f"policy:{row.pk}:{user_id}", title=N_("保单即将到期"),
            text=N_("%(kind)s %(day)s 到期。到期后不能接单，请尽快续保并登记") % values, link=f"/organisations/{row.organisation_id}/",
        )  # fmt: skip


def remind_of_qualification(now: datetime, row: Qualification) -> None:
    """Tell the managers of the provider and the person, once a certificate."""
    if row.valid_to is None:
        return
    values = {
        "name": row.staff.name, "kind": dict(Qualification.KINDS).get(row.kind, row.kind), "day": (row.valid_to - ONE_DAY).isoformat()
    }  # fmt: skip
    page = f"/organisations/{row.provider_id}/staff/{row.staff_id}/"
    to = dict.fromkeys(managers_of(row.provider_id, now), page)
    if row.staff.user_id is not None:
        to.setdefault(row.staff.user_id, "/m/")
    for user_id, link in to.items():
        notify(
            now=now, about=row, to=Recipient(user_id=user_id), key=f"qualification:{row.pk}:{user_id}", title=N_("证书即将到期"),
            text=N_("%(name)s的%(kind)s %(day)s 到期。到期后不能派单，请尽快续证并登记") % values, link=link,
        )  # fmt: skip
