"""Drawing up every statement of a month: one provider and payer after the other, as the person who asked."""

from __future__ import annotations

import logging
from datetime import date

from yinling.accounts.models import User
from yinling.directory.queries import active_grants, actor_from, system_actor
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refusal
from yinling.settlement.operations import draft_statement
from yinling.settlement.queries import to_draft

logger = logging.getLogger("yinling.settlement")
RIGHT = "settlement.statement.draft"


def asker(user_id: int, div: str) -> Actor:
    """Return who asked, in the grant of that area; a grant that was taken away in the meantime leaves no rights."""
    user = User.objects.get(pk=user_id)
    grants = [grant for grant in active_grants(user_id, business_now()) if grant.div and div.startswith(grant.div)]
    found = [actor for grant in grants if (actor := actor_from(user, grant)).has(RIGHT)]
    return max(found, key=lambda actor: len(actor.div or ""), default=Actor(user_id, user.name, "", div=div))


def draft_month(div: str, month: date, user_id: int) -> int:
    """Draw up what is missing; return how many. What is refused (drawn up by somebody meanwhile) is left to a person."""
    with scope(system_actor(div)):
        actor = asker(user_id, div)
        pairs = to_draft(div, month)
    done = 0
    for pair in pairs:
        try:
            with scope(actor):
                draft_statement(
                    actor=actor, now=business_now(), organisation_id=pair.provider_id, payer=pair.payer, month=month
                )
                done += 1
        except Refusal as refusal:
            logger.info("statement of %s, %s: %s", pair.provider_id, pair.payer, refusal.code)
    return done
