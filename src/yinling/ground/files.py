"""Keeping files: encrypted on disk under their hash, with a row that says what they are for and how long they stay."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import date, datetime

from django.conf import settings
from django.db import models
from PIL import Image, UnidentifiedImageError

from yinling.ground import crypto
from yinling.ground.models import StoredFile
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST_BYTES = 8 * 1024 * 1024
LONGEST_SIDE = 1600


def clean_image(content: bytes) -> bytes:
    """Return the picture re-encoded as JPEG, at most 1,600 px long, without metadata. Raises Refused."""
    if len(content) > MOST_BYTES:
        raise Refused("file.too_large", N_("照片超过 8 MB，请缩小后再传"), field="content")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            plain = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise Refused("file.not_image", N_("这不是照片文件，请重新拍照"), field="content") from error
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=82)
    return out.getvalue()


def store(
    content: bytes,
    *,
    kind: str,
    purpose: str,
    content_type: str,
    owner: models.Model,
    now: datetime,
    keep_until: date | None = None,
    sha256: bytes | None = None,
) -> StoredFile:
    """Encrypt and keep a file that belongs to a row (whose division, provider and elder it takes).

    ``sha256`` is the hash of what was sent, where that differs from what is kept.
    """
    row = StoredFile(
        sha256=sha256 or hashlib.sha256(content).digest(),
        kind=kind,
        purpose=purpose,
        content_type=content_type,
        size=len(content),
        div=getattr(owner, "div", ""),
        provider_id=getattr(owner, "provider_id", None),
        elder_id=getattr(owner, "elder_id", None),
        stored_at=now,
        keep_until=keep_until,
        enc_suite=settings.SUITE,
        enc_kid=crypto.current_key(),
    )
    row.path = f"{row.seal_id.hex[:2]}/{row.seal_id.hex}"
    target = settings.DATA / "files" / row.path
    target.parent.mkdir(parents=True, exist_ok=True)
    text = base64.b64encode(content).decode()
    target.write_bytes(crypto.seal(text, suite=row.enc_suite, kid=row.enc_kid, bound_to=f"file:{row.seal_id}"))
    row.save()
    return row


def content_of(row: StoredFile) -> bytes:
    """Return the content; the caller has checked the right. Raises crypto.Unreadable."""
    sealed = (settings.DATA / "files" / row.path).read_bytes()
    text = crypto.unseal(sealed, suite=row.enc_suite, kid=row.enc_kid, bound_to=f"file:{row.seal_id}")
    return base64.b64decode(text)


def discard(row: StoredFile) -> None:
    """Delete the content for good; the row with its hash stays. Twice is once."""
    (settings.DATA / "files" / row.path).unlink(missing_ok=True)
