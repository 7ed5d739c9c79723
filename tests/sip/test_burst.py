"""Many calls at once, more than the line process enters in time: every one is served, none twice."""

from __future__ import annotations

from collections import Counter

from tests.factories import WIDE, actor, make_seat, serial
from tests.sip.conftest import Line, free_port

from yinling.bench.sipline import Caller
from yinling.ground.scope import scope
from yinling.interop.telephony.sip_kamailio.follow import seat_name

SEATS, CALLS = 20, 60


def test_a_burst_is_served_to_the_last_call(line: Line) -> None:
    line.start()
    port = free_port()
    line.listens(port, timeout=150)
    for _number in range(SEATS):
        with scope(WIDE):
            row = make_seat(actor("seat"), group=line.group)
        line.stage.register(seat_name(row.user_id), port)
    text, edge = Caller(number="[field0]", talk_ms=700).text(), line.edge
    numbers = [f"139{serial():08d}" for _call in range(CALLS)]
    burst = line.stage.run(
        "caller", text, f"{edge.host}:{edge.trunk_port}", count=CALLS, rate=30, timeout=90, numbers=numbers
    )
    assert burst.end(100) == 0, burst.log()[:2000]
    calls = line.wait_over(CALLS, within=30)
    assert Counter((call.state, call.ended_by, call.is_entered_late) for call in calls) == {
        ("ended", "caller", False): CALLS
    }
    # On a machine with no time to spare a ring can end before it is answered, and the call rings again.
    answered = Counter(offer.call_id for offer in line.offers(outcome="answered"))
    assert set(answered.values()) == {1}
    assert line.offers(ended_at=None) == []
