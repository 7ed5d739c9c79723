"""The port of the line for the platform's pages: seats join with a password that holds for an hour."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from yinling.ground.clock import real_now
from yinling.hotline.models import Call
from yinling.hotline.operations import receive_call
from yinling.interop.telephony.sip_kamailio.files import CREDENTIAL_SECONDS, Edge, credential, load
from yinling.interop.telephony.sip_kamailio.follow import seat_name
from yinling.kernel.actor import Actor


class SipKamailio:
    """The edge of Kamailio and rtpengine that runs beside the platform; its plan lies in the data folder."""

    def __init__(self) -> None:
        self.edge: Edge = load(settings.DATA / "hotline")

    @property
    def ws_url(self) -> str:
        """Where a seat's page connects."""
        return self.edge.ws_url

    def seat_credentials(self, user: Any) -> dict[str, str]:
        """Return what a seat's page needs to join the line, and until when it holds."""
        expires = int(real_now().timestamp()) + CREDENTIAL_SECONDS
        name, password = credential(self.edge.secret, seat_name(user.pk), expires)
        return {
            "uri": f"sip:{seat_name(user.pk)}@{self.edge.domain}", "ws_url": self.ws_url, "username": name, "password": password,
            "expires": datetime.fromtimestamp(expires, UTC).isoformat(),
        }  # fmt: skip

    def ring(self, number: str, *, actor: Actor, now: datetime, key: str = "") -> Call:
        """Bring in a made-up call of a demonstration; the edge knows nothing of it, a seat answers it in the page."""
        name = key or f"memory:{uuid.uuid4().hex}"
        return receive_call(actor=actor, now=now, key=name, number=number, channel="phone")
