"""What a cloud call centre is told: calls that seats dialled here, and calls that ended here.

Run as `python -m yinling.interop.telephony.carrier_follow --div 3202`.
Everything is read from the rows, so that a process that was away catches up; each command carries a key, so that two processes do no harm.
"""

from __future__ import annotations

import argparse
import logging
import time
from datetime import datetime, timedelta

import django

logger = logging.getLogger("yinling.carrier")
PAUSE = 1.0
LONGEST_RING = timedelta(minutes=2)
LONGEST_END = timedelta(minutes=10)


def follow(div: str, now: datetime) -> int:
    """Tell the call centre what it does not know yet; return how many commands it took."""
    from yinling.directory.queries import system_actor  # noqa: PLC0415 - after django.setup
    from yinling.ground.scope import scope  # noqa: PLC0415 - as above
    from yinling.hotline.models import Call, Seat  # noqa: PLC0415 - as above
    from yinling.interop.telephony.carrier_http import PREFIX, CarrierTelephony  # noqa: PLC0415 - as above

    line, actor, done = CarrierTelephony(), system_actor(div), 0
    with scope(actor):
        rows = Call.objects.visible_to(actor)
        dialled = list(rows.filter(is_outbound=True, state="ringing", leg="", rang_at__gt=now - LONGEST_RING))
        seats = dict(
            Seat.objects.filter(user_id__in={call.seat_id for call in dialled}, left_on=None).values_list(
                "user_id", "number"
            )
        )
        ended = list(rows.filter(leg__startswith=PREFIX, ended_by="seat", ended_at__gt=now - LONGEST_END))
        numbers = {call.pk: call.unseal_field("number") for call in dialled}
    for call in dialled:
        agent = seats.get(call.seat_id or 0)
        if agent is None:
            continue
        name = line.originate(key=call.key, agent=agent, number=numbers[call.pk])
        with scope(actor):
            Call.objects.filter(pk=call.pk, leg="").update(leg=f"{PREFIX}{name}"[:200])
        done += 1
    for call in ended:
        line.hang_up(call.leg.removeprefix(PREFIX))
        with scope(actor):
            Call.objects.filter(pk=call.pk).update(leg="")
        done += 1
    return done


def main() -> None:
    """Follow the rows of an area until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--div", required=True)
    div = parser.parse_args().div
    django.setup()
    from django.db import DatabaseError, connection  # noqa: PLC0415 - after django.setup

    from yinling.ground.clock import business_now  # noqa: PLC0415 - as above

    while True:
        try:
            follow(div, business_now())
        except (OSError, DatabaseError) as error:
            logger.warning("carrier: %s; again in a moment", type(error).__name__)
            connection.close()
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
