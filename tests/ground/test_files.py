"""Files are kept encrypted, pictures are made harmless."""

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from yinling.ground.crypto import Unreadable
from yinling.ground.files import LONGEST_SIDE, clean_image, content_of, store
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.people.models import Household

NOW = datetime(2026, 2, 13, 1, 0, tzinfo=UTC)
CITY = Actor(None, "city", "city", div="3202")


def picture(width: int, height: int) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (width, height), "red")
    exif = image.getexif()
    exif[0x010E] = "示例路1号"
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_picture_is_shrunk_and_loses_its_metadata() -> None:
    cleaned = Image.open(io.BytesIO(clean_image(picture(4000, 1000))))
    assert cleaned.size == (LONGEST_SIDE, 400)
    assert dict(cleaned.getexif()) == {}


@pytest.mark.parametrize("content", [b"", b"<script>", b"%PDF-1.7", picture(10, 10)[:40]])
def test_what_is_not_a_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        clean_image(content)
    assert (caught.value.code, caught.value.field) == ("file.not_image", "content")


def test_a_picture_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused, match=r"file\.too_large"):
        clean_image(b"0" * (8 * 1024 * 1024 + 1))


@pytest.mark.django_db
def test_a_file_is_encrypted_on_disk_and_bound_to_its_row(settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    with scope(CITY):
        owner = Household(div="320205001001")
        row = store(b"photo", kind="photo", purpose="visit", content_type="image/jpeg", owner=owner, now=NOW)
        other = store(b"other", kind="photo", purpose="visit", content_type="image/jpeg", owner=owner, now=NOW)
    assert bytes(row.sha256) == hashlib.sha256(b"photo").digest()
    assert (row.div, row.size) == ("320205001001", 5)
    assert content_of(row) == b"photo"
    one, two = tmp_path / "files" / row.path, tmp_path / "files" / other.path
    assert b"photo" not in one.read_bytes()
    one.write_bytes(two.read_bytes())
    with pytest.raises(Unreadable):
        content_of(row)
