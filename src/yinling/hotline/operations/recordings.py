"""What was said on the line: kept encrypted, listened to with a reason, deleted when its time is over."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Grant
from yinling.directory.rules import require
from yinling.directory.states import GrantState
from yinling.ground.files import discard, store
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, note_recorded, operation
from yinling.ground.parameters import parameter
from yinling.hotline import rules
from yinling.hotline.models import Call, Recording
from yinling.hotline.queries.recordings import is_held, is_intact
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Moment, Reason
from yinling.kernel.period import last_day_of_span, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

MOST_BYTES = 64 * 1024 * 1024
"""Nearly an hour of telephone sound as it comes from the line, uncompressed."""
MOST_TEXT = 11 * 1024 * 1024
"""Characters of base64 that fit into one request: seventeen minutes of telephone sound in eight bits."""
WAVE = "audio/wav"

Sound = Annotated[str, Input(N_("录音内容"), max_length=MOST_TEXT, widget="hidden")]
Kind = Annotated[str, Input(N_("录音类别"), choices=Recording.KINDS, widget="choice")]
Seconds = Annotated[int, Input(N_("时长（秒）"), least=0, most=86400, widget="number")]


def store_recording(
    *, actor: Actor, now: datetime, call_id: int, content: bytes, kind: str = "talk", started_at: datetime, seconds: int,
    content_type: str = WAVE,
) -> Recording:  # fmt: skip
    """Keep the sound of a call (a plain function, for the line). A second arrival for the same call and kind is the first."""
    call = locked(Call.objects.all(), call_id)
    known = Recording.objects.filter(call=call, kind=kind).first()
    if known is not None:
        note_recorded()  # the row of the first arrival stands for both
        return known
    rules.check_listed(kind, Recording.KINDS, field="kind")
    _check_size(content)
    days = int(parameter("recording.keep_days", call.div, local_date(started_at)))
    keep_until = last_day_of_span(local_date(started_at), days=days)
    file = store(
        content, kind="sound", purpose=f"recording:{kind}", content_type=content_type, owner=call, now=now, keep_until=keep_until
    )  # fmt: skip
    row = Recording.objects.create(
        call=call, div=call.div, elder_id=call.elder_id, provider_id=call.provider_id, kind=kind, file=file, started_at=started_at,
        seconds=seconds, keep_until=keep_until,
    )  # fmt: skip
    changes = {"kind": [None, kind], "seconds": [None, seconds], "sha256": [None, bytes(file.sha256).hex()]}
    record(actor=actor, now=now, event="hotline.recording.attach", subject=row, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return row


def _check_size(content: bytes) -> None:
    if not content:
        raise Refused("recording.empty", N_("录音没有内容，请检查录音设备后重新传送"), field="content")
    if len(content) > MOST_BYTES:
        raise Refused("recording.too_large", N_("录音超过 64 MB，请压缩后再传"), field="content")


@operation("hotline.recording.attach", label=N_("存入录音"))
def attach_recording(
    *, actor: Actor, now: datetime, call_id: Id, content: Sound, started_at: Moment, seconds: Seconds, kind: Kind = "talk"
) -> Recording:  # fmt: skip
    """Keep the sound of a call that another line recorded, as base64. Twice is once."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.recording.attach", div=call.div)
    try:
        sound = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("file.not_base64", N_("录音没有传完整，请重新传送"), field="content") from error
    return store_recording(
        actor=actor, now=now, call_id=call.pk, content=sound, kind=kind, started_at=started_at, seconds=seconds
    )


@operation("hotline.recording.listen", label=N_("收听录音"))
def listen_recording(*, actor: Actor, now: datetime, recording_id: Id, reason: Reason) -> Recording:
    """Open a recording for half an hour to the person who says why. The sound itself is ``queries.sound_of``."""
    row = locked(Recording.objects.select_related("file"), recording_id)
    require(actor, "hotline.recording.listen", div=row.div, provider_id=row.provider_id)
    rules.check_written(reason, field="reason")
    if row.deleted_at is not None:
        raise NotAllowed("recording.deleted", N_("这段录音保存期已满，内容已删除"))
    if not is_intact(row):
        raise NotAllowed(
            "recording.broken", N_("这段录音与存入时的校验值不一致，不能作为依据。请联系系统管理员从备份恢复")
        )
    record(
        actor=actor, now=now, event="hotline.recording.listen", subject=row, changes={"call_id": row.call_id}, reason=reason
    )  # fmt: skip
    return row


@operation("hotline.recording.delete")
def delete_recording(*, actor: Actor, now: datetime, recording_id: Id) -> Recording:
    """Delete the sound of a recording whose time is over; the row with its hash stays."""
    row = locked(Recording.objects.select_related("file"), recording_id)
    require(actor, "hotline.recording.delete", div=row.div)
    if row.deleted_at is not None:
        raise NotAllowed("recording.deleted", N_("这段录音保存期已满，内容已删除"))
    if local_date(now) <= row.keep_until:
        raise NotAllowed(
            "recording.kept", N_("录音还在保存期内，%(until)s 之后才能删除"), until=row.keep_until.isoformat()
        )
    if is_held(row):
        raise NotAllowed("recording.held", N_("这通来电的工单或质检还没有结束，录音要保留到结束之后"))
    changes = changed(row, now=now, deleted_at=now)
    record(actor=actor, now=now, event="hotline.recording.delete", subject=row, changes=changes)
    discard(row.file)
    return row


def report_broken(*, actor: Actor, now: datetime, recording: Recording) -> None:
    """Tell the leaders of the line, once, that a sound is not what was stored (a plain function, for the nightly check)."""
    leaders = Grant.objects.filter(
        role="line_leader", state=GrantState.ACTIVE, div__in=[recording.div[:size] for size in (4, 6, 9, 12)]
    )
    text = f"通话 {recording.call_id} 的录音与存入时的校验值不一致，请联系系统管理员从备份恢复。"
    for user_id in sorted(set(leaders.values_list("user_id", flat=True))):
        key, link = f"recording:{recording.pk}:broken:{user_id}", f"/line/calls/{recording.call_id}/"
        notify(
            now=now,
            about=recording,
            to=Recipient(user_id=user_id),
            key=key,
            title=N_("录音校验不一致"),
            text=text,
            link=link,
        )
    record(
        actor=actor, now=now, event="hotline.recording.break", subject=recording, changes={"call_id": recording.call_id}
    )
