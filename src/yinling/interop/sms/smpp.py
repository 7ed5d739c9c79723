"""Short messages over SMPP 3.4 (library ``smpplib``), the way of carriers: one bound connection per round, receipts on the same line.

Chinese goes as UCS-2, in parts with a header that lets the phone join them. SMPP knows no idempotency key: a worker killed between the
carrier's answer and our mark sends that one message again.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from smpplib import consts, exceptions, smpp
from smpplib.client import Client
from smpplib.gsm import gsm_encode

from yinling.accounts.ports import Receipt, Rejected, Reply, Take, Throttled
from yinling.accounts.rules import bare_number
from yinling.accounts.wording import GSM_PART, GSM_WHOLE, UCS2_PART, UCS2_WHOLE, fits_gsm
from yinling.kernel.period import SHANGHAI

logger = logging.getLogger(__name__)
UCS2, GBK = 8, 15
RECEIPT = 0x04
OK, TRY_AGAIN = 0, 0x64
THROTTLED = frozenset({0x14, 0x58})
"""Queue full, too fast."""
REFUSED = frozenset({0x01, 0x0B, 0x33, 0x48, 0x49, 0x50, 0x51, 0x65, 0x66})
"""Faults of the message itself: length, destination, application says never."""
PATIENCE, PAUSE = 5.0, 0.2
QUIET = 0.2
"""Seconds without a word after which the line has nothing more for us."""
DELIVERED = frozenset({"DELIVRD"})
FAILED = frozenset({"UNDELIV", "EXPIRED", "DELETED", "REJECTD", "UNKNOWN"})
_FIELD = re.compile(r"\b(id|stat|err|done date):\s*(\S+)", re.ASCII)


class SmppSms:
    """A transceiver at ``SMS_URL`` (``smpp://host:port``, ``smpps://`` with TLS)."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._waiting: deque[Any] = deque()

    def send(self, *, number: str, text: str, key: str) -> Sequence[str]:
        """Send all parts; return the carrier's number of each."""
        given = settings.SMS
        coding, parts = parts_for(given["signature"] + text, reference=zlib.crc32(key.encode()) & 0xFF)
        common = {
            "source_addr_ton": 0, "source_addr_npi": 1, "source_addr": given["source"], "dest_addr_ton": 1, "dest_addr_npi": 1,
            "destination_addr": "86" + bare_number(number), "data_coding": coding, "registered_delivery": 1,
            "esm_class": consts.SMPP_GSMFEAT_UDHI if len(parts) > 1 else 0,
        }  # fmt: skip
        with self._words():
            return [self._submit(common | {"short_message": part}) for part in parts]

    def _submit(self, values: dict[str, Any]) -> str:
        """Send one part. Told to go slower it waits here: the parts before it are with the carrier already."""
        until = time.monotonic() + PATIENCE
        while True:
            line = self._line()
            sent = smpp.make_pdu("submit_sm", client=line, **values)
            line.send_pdu(sent)
            answer = self._answer(sent.sequence)
            if answer.status == OK:
                return answer.message_id.decode("ascii", "replace")
            if answer.status in REFUSED:
                raise Rejected(f"{answer.status:#06x}")
            if answer.status not in THROTTLED:
                raise OSError(f"status {answer.status:#06x}")
            if time.monotonic() > until:
                raise Throttled(f"{answer.status:#06x}")
            time.sleep(PAUSE)

    def _answer(self, sequence: int) -> Any:
        """Wait for the answer to a request; what comes in between is put aside."""
        until = time.monotonic() + float(settings.SMS["timeout"])
        while time.monotonic() < until:
            pdu = self._line().read_pdu()
            if pdu.command == "submit_sm_resp" and pdu.sequence == sequence:
                return pdu
            self._put_aside(pdu)
        raise TimeoutError("no answer in time")

    def _put_aside(self, pdu: Any) -> None:
        if pdu.command == "deliver_sm":
            self._waiting.append(pdu)
        elif pdu.command == "enquire_link":
            self._respond("enquire_link_resp", pdu)
        elif pdu.command == "unbind":
            raise ConnectionError("the carrier ended the session")

    def _respond(self, name: str, pdu: Any, **values: Any) -> None:
        answer = smpp.make_pdu(name, client=self._line(), **values)
        answer.sequence = pdu.sequence
        self._line().send_pdu(answer)

    def collect(self, take: Take) -> None:
        """Hand over receipts and replies; each is confirmed after it is stored, so that the carrier keeps what we could not store."""
        with self._words():
            self._read_waiting()
            while self._waiting:
                pdu = self._waiting.popleft()
                try:
                    for one in _meant(pdu):
                        take(one)
                except Exception:
                    self._respond("deliver_sm_resp", pdu, status=TRY_AGAIN)
                    raise
                self._respond("deliver_sm_resp", pdu)

    def _read_waiting(self) -> None:
        line = self._line()
        line._socket.settimeout(QUIET)  # noqa: SLF001 - the library waits five seconds in every read
        try:
            while True:
                self._put_aside(line.read_pdu())
        except TimeoutError:
            return
        finally:
            line._socket.settimeout(line.timeout)  # noqa: SLF001 - as above

    def _line(self) -> Client:
        if self._client is None:
            self._client = _bound()
        return self._client

    @contextmanager
    def _words(self) -> Iterator[None]:
        """Say the library's faults as the port does; a session that broke is begun anew by the next message."""
        try:
            yield
        except (exceptions.ConnectionError, exceptions.PDUError, TimeoutError, ConnectionError) as error:
            self.close()
            raise OSError(f"SMPP: {error}" if str(error) else "SMPP: the connection is gone") from error

    def close(self) -> None:
        """End the session."""
        line, self._client = self._client, None
        if line is None:
            return
        try:
            line.unbind()
        except (exceptions.ConnectionError, exceptions.PDUError, OSError):
            logger.info("the carrier had ended the session")
        line.state = consts.SMPP_CLIENT_STATE_OPEN
        line.disconnect()


def _bound() -> Client:
    given = settings.SMS
    parts = urlsplit(given["url"])
    if parts.scheme not in ("smpp", "smpps") or not parts.hostname:
        raise OSError("SMS_URL is not set or not smpp(s)://host:port")
    tls = ssl.create_default_context() if parts.scheme == "smpps" else None
    line = Client(
        parts.hostname, parts.port or 2775, timeout=float(given["timeout"]), ssl_context=tls, allow_unknown_opt_params=True,
        logger_name="yinling.smpp",
    )  # fmt: skip
    try:
        line.connect()
        line.bind_transceiver(system_id=given["key"], password=given["secret"])
    except BaseException:
        line.state = consts.SMPP_CLIENT_STATE_OPEN
        line.disconnect()
        raise
    return line


def parts_for(text: str, *, reference: int) -> tuple[int, list[bytes]]:
    """Return the coding and the bytes of each part; a part of several carries the header by which the phone joins them."""
    if fits_gsm(text):
        whole = gsm_encode(text)
        pieces = (
            [whole] if len(whole) <= GSM_WHOLE else [whole[at : at + GSM_PART] for at in range(0, len(whole), GSM_PART)]
        )
        coding = 0
    else:
        pieces = [piece.encode("utf-16-be") for piece in _cut(text)]
        coding = UCS2
    if len(pieces) == 1:
        return coding, pieces
    if len(pieces) > 255:  # noqa: PLR2004 - one byte
        raise Rejected("too long")
    return coding, [bytes([5, 0, 3, reference, len(pieces), place]) + piece for place, piece in enumerate(pieces, 1)]


def _cut(text: str) -> list[str]:
    """Cut where a part is full, never through a character of two places."""
    if len(text.encode("utf-16-be")) // 2 <= UCS2_WHOLE:
        return [text]
    pieces, length = [""], 0
    for letter in text:
        size = len(letter.encode("utf-16-be")) // 2
        if length + size > UCS2_PART:
            pieces.append("")
            length = 0
        pieces[-1] += letter
        length += size
    return pieces


def _meant(pdu: Any) -> list[Receipt | Reply]:
    """Return what a delivered message says: a receipt, a reply, or nothing yet (on its way)."""
    raw = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    if not pdu.esm_class & RECEIPT:
        sender = (pdu.source_addr or b"").decode("ascii", "replace").strip("\0")
        return [Reply(sender, _decoded(raw, pdu.data_coding))]
    fields = dict(_FIELD.findall(raw.decode("latin-1")))
    name = getattr(pdu, "receipted_message_id", None)
    port_id = name.decode("ascii", "replace").strip("\0") if name else fields.get("id", "")
    stat = fields.get("stat", "")[:7].upper()
    outcome = "delivered" if stat in DELIVERED else "failed" if stat in FAILED else ""
    if not port_id or not outcome:
        return []
    code = "" if outcome == "delivered" else f"{stat} {fields.get('err', '')}".strip()
    return [Receipt(port_id, outcome, _moment(fields.get("done date", "")), code)]


def _decoded(raw: bytes, coding: int) -> str:
    codec = {UCS2: "utf-16-be", GBK: "gb18030"}.get(coding, "latin-1")
    return raw.decode(codec, "replace")


def _moment(text: str) -> datetime | None:
    """Read ``YYMMDDhhmm`` (with seconds or without), in the time of China."""
    try:
        return datetime.strptime(text[:10], "%y%m%d%H%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
