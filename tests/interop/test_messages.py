"""Text messages and WeChat over HTTP, and the voice: against servers on this machine."""

from __future__ import annotations

import io
import wave
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.interop.server import Asked, Reply, Server

from yinling.accounts.ports import Rejected, Throttled
from yinling.ground.clock import real_now
from yinling.interop.signed import Forged, check_signed, signed_headers
from yinling.interop.sms.http import HttpSms
from yinling.interop.tts import espeak
from yinling.interop.tts.espeak import Espeak
from yinling.interop.tts.prompts import write_prompts
from yinling.interop.wechat.http import HttpWechat

NUMBER, SECRET = "13912345678", "s3cret"


class Gateway:
    """A gateway that checks what it is given and sends once per idempotency key."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, Any]] = {}
        self.nonces: set[str] = set()
        self.status = 200

    def __call__(self, asked: Asked) -> Reply:
        try:
            check_signed(asked.headers, secret=SECRET, path=asked.path, body=asked.raw, is_new=self._is_new)
        except Forged:
            return Reply({"code": "forged"}, 401)
        if self.status != 200:
            return Reply({"code": "E1"}, self.status)
        self.sent.setdefault(asked.headers["Idempotency-Key"], asked.body)
        return Reply({"ids": [f"g{list(self.sent).index(asked.headers['Idempotency-Key'])}"]})

    def _is_new(self, nonce: str) -> bool:
        known = nonce in self.nonces
        self.nonces.add(nonce)
        return not known


@pytest.fixture
def gateway(server: Server, settings: Any) -> Gateway:
    one = Gateway()
    server.reply = one
    settings.SMS = {
        "url": server.address + "/v1/",
        "key": "yl",
        "secret": SECRET,
        "source": "",
        "signature": "【银龄】",
        "timeout": "30",
    }
    return one


def test_a_message_is_signed_and_sent_once_per_key(gateway: Gateway, server: Server) -> None:
    first = HttpSms().send(number="+86 " + NUMBER, text="明天上门", key="a")
    again = HttpSms().send(number=NUMBER, text="明天上门", key="a")
    other = HttpSms().send(number=NUMBER, text="明天上门", key="b")
    assert (first, again, other) == (["g0"], ["g0"], ["g1"])
    assert server.asked[0].path == "/v1/messages"
    assert server.asked[0].body == {"to": NUMBER, "text": "【银龄】明天上门", "key": "a"}
    assert len({one.headers["X-Nonce"] for one in server.asked}) == 3


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (429, Throttled),
        (400, Rejected),
        (422, Rejected),
        (403, OSError),
        (404, OSError),
        (500, OSError),
        (302, OSError),
    ],
)
def test_what_the_gateway_says_is_understood(gateway: Gateway, status: int, fault: type[Exception]) -> None:
    gateway.status = status
    with pytest.raises(fault) as found:
        HttpSms().send(number=NUMBER, text="明天上门", key="a")
    assert type(found.value) is fault
    assert NUMBER not in str(found.value)


def test_a_wrong_secret_is_our_fault_and_not_the_message_s(gateway: Gateway, settings: Any) -> None:
    settings.SMS = settings.SMS | {"secret": "other"}
    with pytest.raises(OSError, match="401"):
        HttpSms().send(number=NUMBER, text="明天上门", key="a")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b"not json"),
        Reply({"ids": "g1"}),
        Reply([]),
        Reply({}),
        Reply(raw=b"{" * 3_000_000),
        Reply({"ids": []}, wait=3),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(
    gateway: Gateway, server: Server, settings: Any, reply: Reply
) -> None:
    server.reply = lambda _asked: reply
    settings.SMS = settings.SMS | {"timeout": "1" if reply.wait else "30"}
    with pytest.raises(OSError, match=r"answer|status"):
        HttpSms().send(number=NUMBER, text="明天上门", key="a")


def test_no_address_and_nobody_there(settings: Any, gateway: Gateway) -> None:
    for url in ("", "file:///etc/passwd", "http://127.0.0.1:1"):
        settings.SMS = settings.SMS | {"url": url}
        with pytest.raises(OSError, match=r"address|no answer"):
            HttpSms().send(number=NUMBER, text="明天上门", key="a")


def test_forged_skewed_and_replayed_requests_are_not_taken() -> None:
    known: set[str] = set()

    def is_new(nonce: str) -> bool:
        return nonce not in known and not known.add(nonce)  # type: ignore[func-returns-value]

    def check(
        headers: dict[str, str], *, body: bytes = b"{}", path: str = "/x", secret: str = SECRET, now: Any = None
    ) -> None:
        check_signed(headers, secret=secret, path=path, body=body, is_new=is_new, now=now)

    headers = signed_headers(key="k", secret=SECRET, path="/x", body=b"{}")
    for values in ({"body": b"{ }"}, {"path": "/y"}, {"secret": "other"}, {"secret": ""}):
        with pytest.raises(Forged):
            check(headers, **values)
    for name in ("X-Timestamp", "X-Nonce", "X-Signature"):
        with pytest.raises(Forged):
            check(headers | {name: ""})
    with pytest.raises(Forged, match="time"):
        check(headers, now=real_now() + timedelta(days=20_000))
    check(headers)
    with pytest.raises(Forged, match="nonce"):
        check(headers)


# WeChat


@pytest.fixture
def wechat(server: Server, settings: Any) -> list[Any]:
    """Answers of the interface, one after the other; then everything is well."""
    answers: list[Any] = []
    tokens = iter(range(9))

    def reply(asked: Asked) -> Reply:
        if asked.path == "/cgi-bin/stable_token":
            assert asked.body["secret"] == SECRET
            return Reply({"access_token": f"t{next(tokens)}", "expires_in": 7200})
        return Reply(answers.pop(0) if answers else {"errcode": 0, "msgid": 7})

    server.reply = reply
    settings.WECHAT = {
        "url": server.address,
        "key": "wx1",
        "secret": SECRET,
        "template": "T1:thing1,thing2",
        "timeout": "30",
    }
    HttpWechat._token = ("", 0.0)
    return answers


def say() -> Any:
    return HttpWechat().send(
        open_id="o-1", title="上门时间已约定", text="服务人员 06-16 10:00 上门，比预约的时间有调整", link="/e/", key="k"
    )


def test_a_subscribed_message_goes_out_with_one_token_for_many(wechat: list[Any], server: Server) -> None:
    assert (say(), say()) == (["7"], ["7"])
    assert [one.path for one in server.asked] == ["/cgi-bin/stable_token", *["/cgi-bin/message/subscribe/bizsend"] * 2]
    body = server.asked[1].body
    assert (body["touser"], body["template_id"], body["client_msg_id"]) == ("o-1", "T1", "k")
    assert body["data"] == {"thing1": {"value": "上门时间已约定"}, "thing2": {"value": "服务人员 06-16 10:00 上门，"}}
    assert all(len(one["value"]) <= 20 for one in body["data"].values())


def test_an_expired_token_is_fetched_anew_once(wechat: list[Any], server: Server) -> None:
    wechat += [{"errcode": 42001}]
    assert say() == ["7"]
    assert [one.query.get("access_token") for one in server.asked if one.query] == ["t0", "t1"]


@pytest.mark.parametrize(("code", "fault"), [(43101, Rejected), (45009, Throttled), (-1, OSError), (99999, OSError)])
def test_what_wechat_says_is_understood(wechat: list[Any], code: int, fault: type[Exception]) -> None:
    wechat += [{"errcode": code}]
    with pytest.raises(fault) as found:
        say()
    assert type(found.value) is fault


def test_without_a_token_nothing_is_sent(server: Server, wechat: list[Any]) -> None:
    server.reply = lambda _asked: Reply({"errcode": 40013})
    with pytest.raises(OSError, match="no token"):
        say()


# The voice


def test_a_prompt_is_spoken_as_the_line_carries_it() -> None:
    sound = Espeak().prompt_wav("您好，本次通话将被录音。")
    with wave.open(io.BytesIO(sound)) as one:
        assert (one.getnchannels(), one.getsampwidth(), one.getframerate()) == (1, 2, 8000)
        samples = np.frombuffer(one.readframes(one.getnframes()), "<i2").astype(float)
    assert 1.5 < len(samples) / 8000 < 12
    assert np.sqrt(np.mean(samples**2)) > 500
    longer = Espeak().prompt_wav("您好，本次通话将被录音。坐席全忙，请稍候，您的来电已经排队。")
    assert len(longer) > len(sound) * 1.5


def test_without_the_voice_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OSError, match="apt-get install espeak-ng"):
        Espeak().prompt_wav("您好")
    monkeypatch.undo()
    monkeypatch.setattr(espeak, "SECONDS", 0.0001)
    with pytest.raises(OSError, match="did not speak"):
        Espeak().prompt_wav("您好")


def test_every_prompt_of_the_line_becomes_a_file(tmp_path: Path) -> None:
    made = write_prompts(tmp_path / "prompts", "3202", date(2026, 6, 15))
    assert [path.name for path in made] == ["recording.wav", "busy.wav", "after_hours.wav"]
    for path in made:
        with wave.open(str(path)) as one:
            assert 2 < one.getnframes() / one.getframerate() < 25
    assert sorted(path.suffix for path in (tmp_path / "prompts").iterdir()) == [".wav"] * 3
