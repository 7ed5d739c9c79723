"""Many calls at once, more than the line process enters in time: every one is served, none twice."""

from __future__ import annotations

from collections import Counter

from tests.factories import WIDE, actor, make_seat, serial
from tests.sip.conftest import Line, free_port

from yinling.bench.sipline import Caller, seat_answers, wait_until
from yinling.ground.scope import scope
from yinling.interop.telephony.sip_kamailio import files
from yinling.interop.telephony.sip_kamailio.follow import seat_name

SEATS, CALLS = 20, 60


def test_a_burst_is_served_to_the_last_call(line: Line) -> None:
    line.start()
    port = free_port()
    line.stage.seat(*seat_answers(), port=port, timeout=150)
    wait_until(lambda: not files.is_free("127.0.0.1", port), 10, "the telephone of all seats listens")
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
    assert Counter(offer.outcome for offer in line.offers()) == {"answered": CALLS}
