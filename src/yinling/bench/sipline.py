"""Callers and seats of sipp for tests and benches of the line. Every run ends by itself after ``timeout`` seconds."""

from __future__ import annotations

import csv
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from yinling.interop.telephony.sip_kamailio.files import Edge, credential

OK = 200
FAR_FUTURE = 4102444800
SDP = """v=0
      o=- 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 8 0 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:0 PCMU/8000
      a=rtpmap:101 telephone-event/8000"""

INVITE = Template("""
  <send retrans="500"><![CDATA[
      INVITE sip:$called@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: $display<sip:$number@[local_ip]>;tag=[call_number]x[pid]
      To: <sip:$called@[remote_ip]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:trunk@[local_ip]:[local_port]>
      Max-Forwards: 70
      $headers
      Content-Type: application/sdp
      Content-Length: [len]

      $sdp
  ]]></send>
""")

TO_THE_END = """
  <send><![CDATA[
      ACK [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:$number@[local_ip]>;tag=[call_number]x[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
"""

BYE = """
  <send retrans="500"><![CDATA[
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:$number@[local_ip]>;tag=[call_number]x[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 3 BYE
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
  <recv response="200" timeout="8000"/>
"""

HOLD = """
  <send retrans="500"><![CDATA[
      INVITE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:$number@[local_ip]>;tag=[call_number]x[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 2 INVITE
      Contact: <sip:trunk@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      $sdp
      a=sendonly
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="200" rrs="true" timeout="8000"/>
  <send><![CDATA[
      ACK [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:$number@[local_ip]>;tag=[call_number]x[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 2 ACK
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
"""

CANCEL = """
  <send retrans="500"><![CDATA[
      CANCEL sip:$called@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-0
      From: $display<sip:$number@[local_ip]>;tag=[call_number]x[pid]
      To: <sip:$called@[remote_ip]>
      Call-ID: [call_id]
      CSeq: 1 CANCEL
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
  <recv response="200"/>
  <recv response="487"/>
  <send><![CDATA[
      ACK sip:$called@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-0
      From: $display<sip:$number@[local_ip]>;tag=[call_number]x[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
"""

REFUSED = """
  <send><![CDATA[
      ACK sip:$called@[remote_ip]:[remote_port] SIP/2.0
      [last_Via:]
      [last_From:]
      [last_To:]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
"""
RINGING = """
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
"""
ANSWERED_OR_REFUSED = (
    RINGING + '<recv response="486" optional="true" next="refused"/><recv response="200" rrs="true"/>' + TO_THE_END + BYE
    + '<nop next="end"/><label id="refused"/>' + REFUSED + '<label id="end"/>'
)  # fmt: skip
ANSWERED = RINGING + '<recv response="200" rrs="true" rtd="true" timeout="$patience"/>' + TO_THE_END
RINGS = """
  <recv response="100" optional="true"/>
  <recv response="180" rtd="true"/>
"""
WAIT_FOR_BYE = """
  <recv request="BYE" timeout="$patience"/>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0
  ]]></send>
"""
PAUSE = '<pause milliseconds="$talk"/>'

REGISTER = Template("""
  <send retrans="500"><![CDATA[
      REGISTER sip:$domain SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:$user@$domain>;tag=[call_number]r[pid]
      To: <sip:$registered@$domain>
      Call-ID: [call_id]
      CSeq: 1 REGISTER
      Contact: <sip:$user@[local_ip]:$contact_port>;expires=600
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
      REGISTER sip:$domain SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:$user@$domain>;tag=[call_number]r[pid]
      To: <sip:$registered@$domain>
      Call-ID: [call_id]
      CSeq: 2 REGISTER
      Contact: <sip:$user@[local_ip]:$contact_port>;expires=600
      [authentication username=$name password=$password]
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
  <recv response="$expected"/>
""")

DIAL = Template("""
  <send retrans="500"><![CDATA[
      INVITE sip:$target@$domain SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:$user@$domain>;tag=[call_number]d[pid]
      To: <sip:$target@$domain>
      Call-ID: [call_id]
      CSeq: [cseq] INVITE
      Contact: <sip:$user@[local_ip]:[local_port]>
      $proof
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      $sdp
  ]]></send>
""")
DIALLED = """
  <recv response="407" auth="true"/>
  <send><![CDATA[
      ACK sip:$target@$domain SIP/2.0
      [last_Via:]
      From: <sip:$user@$domain>;tag=[call_number]d[pid]
      [last_To:]
      Call-ID: [call_id]
      CSeq: [cseq] ACK
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
"""

REPLY = Template("""
  <send$retrans><![CDATA[
      SIP/2.0 $status
      [last_Via:]
      [last_Record-Route:]
      [last_From:]
      [last_To:];tag=[call_number]s[pid]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:seat@[local_ip]:[local_port]>
      $body
  ]]></send>
""")
BODY = "Content-Type: application/sdp\n      Content-Length: [len]\n\n      " + SDP
EMPTY = "Content-Length: 0"
OK_AGAIN = """
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:seat@[local_ip]:[local_port]>
      """


def reply(status: str, *, body: str = EMPTY) -> str:
    """A reply of a seat; the final ones are repeated until they are acknowledged."""
    retrans = ' retrans="500"' if not status.startswith("1") else ""
    return REPLY.substitute(status=status, retrans=retrans, body=body)


def scenario(name: str, *parts: str) -> str:
    """A scenario of sipp."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
    return f'{head}<scenario name="{name}">{"".join(parts)}</scenario>\n'


@dataclass(frozen=True)
class Caller:
    """A caller behind the trunk: whom it calls, from which number, and how the call goes (parts of a scenario)."""

    parts: tuple[str, ...] = (ANSWERED, PAUSE, BYE)
    number: str = "13900000001"
    called: str = "12349"
    display: str = ""
    headers: str = "P-Asserted-Identity: <sip:$number@trunk>"
    talk_ms: int = 500
    patience_ms: int = 20000

    def text(self) -> str:
        """The scenario of the call."""
        values = {"number": self.number, "called": self.called, "display": self.display, "talk": self.talk_ms}
        values |= {"patience": self.patience_ms, "sdp": SDP}
        headers = Template(self.headers).safe_substitute(values)
        invite = INVITE.substitute(values | {"headers": headers}).replace("\n      \n      Content", "\n      Content")
        rest = "".join(Template(part).safe_substitute(values) for part in self.parts)
        return scenario("caller", invite, rest)


@dataclass
class Sipp:
    """One run of sipp."""

    process: subprocess.Popen[bytes]
    folder: Path
    name: str
    port: int

    def end(self, within: float = 30) -> int:
        """Wait for the end and return its exit code: 0 if every call went as written."""
        return self.process.wait(within)

    def stop(self) -> None:
        """End it now."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def seconds(self) -> list[float]:
        """The measured times of each call (rtd), in seconds."""
        found = sorted(self.folder.glob(f"{self.name}_{self.process.pid}_rtt.csv"))
        rows = csv.DictReader(found[0].open(encoding="ascii"), delimiter=";") if found else []
        return [float(row["response_time_ms"]) / 1000 for row in rows]

    def log(self) -> str:
        """What sipp says about errors."""
        return "".join(path.read_text("utf-8", "replace") for path in self.folder.glob(f"{self.name}_*errors.log"))


@dataclass
class Stage:
    """A folder in which runs of sipp are kept, and how they find the edge."""

    folder: Path
    edge: Edge
    runs: list[Sipp] = field(default_factory=list)

    def caller(
        self,
        caller: Caller,
        *,
        count: int = 1,
        rate: int = 10,
        timeout: int = 40,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> Sipp:
        """Let callers call through the trunk."""
        to = f"{self.edge.host}:{self.edge.trunk_port}"
        return self.run("caller", caller.text(), to, count=count, rate=rate, timeout=timeout, local=(host, port))

    def seat(self, *parts: str, port: int, count: int = 1000, timeout: int = 60) -> Sipp:
        """A telephone that does the same with every call it gets."""
        return self.run("seat", scenario("seat", *parts), "", count=count, timeout=timeout, local=("127.0.0.1", port))

    def register(
        self,
        user: str,
        contact_port: int,
        *,
        registered: str = "",
        secret: str = "",
        expires: int = FAR_FUTURE,
        expected: int = 200,
    ) -> None:
        """Register a telephone as a seat, and check the answer."""
        name, password = credential(secret or self.edge.secret, user, expires)
        text = REGISTER.substitute(
            domain=self.edge.domain, user=user, registered=registered or user, contact_port=contact_port, name=name, password=password,
            expected=expected,
        )  # fmt: skip
        run = self.run("register", scenario("register", text), f"{self.edge.host}:{self.edge.seat_port}", timeout=10)
        if run.end(15) != 0:
            raise AssertionError(f"{user} was not answered with {expected}: {run.log()}")

    def dial(self, user: str, target: str, *, expected: int = 200, talk_ms: int = 500) -> Sipp:
        """A seat calls out: what a page asks for is the number of a call's row."""
        name, password = credential(self.edge.secret, user, FAR_FUTURE)
        proof = f"[authentication username={name} password={password}]"
        values = {
            "user": user,
            "target": target,
            "domain": self.edge.domain,
            "sdp": SDP,
            "talk": talk_ms,
            "expected": expected,
        }
        parts = [
            DIAL.substitute(values | {"proof": "Allow: INVITE"}),
            DIALLED,
            DIAL.substitute(values | {"proof": proof}),
            RINGING,
        ]
        if expected == OK:
            talk = (TO_THE_END + PAUSE + BYE).replace(
                "$number@[local_ip]>;tag=[call_number]x", "$user@$domain>;tag=[call_number]d"
            )
            parts += ['<recv response="200" rrs="true" timeout="8000"/>', talk.replace("CSeq: 1 ACK", "CSeq: 2 ACK")]
        else:
            refused = REFUSED.replace("$called@[remote_ip]:[remote_port]", "$target@$domain").replace(
                "CSeq: 1", "CSeq: 2"
            )
            parts += ['<recv response="$expected" timeout="8000"/>', refused]
        text = "".join(Template(part).safe_substitute(values) for part in parts)
        return self.run("dial", scenario("dial", text), f"{self.edge.host}:{self.edge.seat_port}", timeout=20)

    def run(
        self, name: str, text: str, to: str, *, count: int = 1, rate: int = 10, timeout: int = 40,
        local: tuple[str, int] = ("127.0.0.1", 0), numbers: Sequence[str] = (),
    ) -> Sipp:  # fmt: skip
        """Start sipp with a scenario; ``numbers`` stand for ``[field0]`` in it, one a call."""
        number, (host, port) = len(self.runs), local
        file = self.folder / f"{name}{number}.xml"
        file.write_text(text, "utf-8")
        argv = [
            shutil.which("sipp") or "sipp",
            *([to] if to else []),
            "-sf",
            str(file),
            "-i",
            host,
            "-m",
            str(count),
            "-r",
            str(rate),
        ]
        argv += [
            "-nostdin",
            "-trace_err",
            "-trace_rtt",
            "-trace_logs",
            "-rtt_freq",
            "1",
            "-timeout",
            f"{timeout}s",
            "-timeout_error",
        ]
        argv += ["-recv_timeout", "30000", "-default_behaviors", "-bye", "-skip_rlimit"]
        argv += ["-p", str(port)] if port else []
        if numbers:
            lines = file.with_suffix(".csv")
            lines.write_text("SEQUENTIAL\n" + "".join(f"{one}\n" for one in numbers), "ascii")
            argv += ["-inf", str(lines)]
        process = subprocess.Popen(argv, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.runs.append(Sipp(process, self.folder, file.stem, port))
        return self.runs[-1]

    def stop(self) -> None:
        """End all runs."""
        for run in self.runs:
            run.stop()


def seat_answers(*, ring_ms: int = 50) -> Sequence[str]:
    """The parts of a seat that rings, answers and waits for the end, with holds in between."""
    pause = f'<pause milliseconds="{ring_ms}"/>'
    again = '<recv request="INVITE" optional="true" next="hold"/>'
    end = '<recv request="BYE"/>' + OK_AGAIN + EMPTY + "\n  ]]></send>"
    held = '<label id="hold"/>' + OK_AGAIN + BODY + '\n  ]]></send><recv request="ACK" next="talk"/>'
    first = '<recv request="INVITE"/>'
    talk = '<recv request="ACK"/><label id="talk"/>'
    over = '<nop next="over"/>'
    return (
        first,
        reply("180 Ringing"),
        pause,
        reply("200 OK", body=BODY),
        talk,
        again,
        end,
        over,
        held,
        '<label id="over"/>',
    )


def seat_refuses(status: str) -> Sequence[str]:
    """The parts of a seat that rings and refuses."""
    return ('<recv request="INVITE"/>', reply("180 Ringing"), reply(status), '<recv request="ACK"/>')


def seat_rings() -> Sequence[str]:
    """The parts of a seat that rings until the edge gives up."""
    cancelled = OK_AGAIN + EMPTY + "\n  ]]></send>"
    return (
        '<recv request="INVITE"/>',
        reply("180 Ringing"),
        '<recv request="CANCEL"/>',
        cancelled,
        reply("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE"),
        '<recv request="ACK"/>',
    )


def wait_until(is_true, within: float = 10, what: str = "") -> None:  # noqa: ANN001 - any callable
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + within
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen in {within} s: {what}")
        time.sleep(0.03)
