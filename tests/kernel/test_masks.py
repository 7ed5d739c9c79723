import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.masks import mask_address, mask_id, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张三丰", "张*"),
        ("欧阳锋", "欧阳*"),
        ("欧阳", "欧*"),
        ("张", "*"),
        ("", ""),
        ("买买提·艾力", "买*"),
    ],
)
def test_mask_name(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("11010519491231002X", "110***********002X"),
        ("110105491231002", "110********1002"),
        ("E12345678", "E*******8"),
        ("AB", "**"),
        ("", ""),
    ],
)
def test_mask_id(number: str, masked: str) -> None:
    assert mask_id(number) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13912340001", "139****0001"),
        ("+86 139 1234 0001", "139****0001"),
        ("0510-82712345", "0510-****2345"),
        ("051082712345", "0510-****2345"),
        ("010-12345678", "010-****5678"),
        ("82712345", "****2345"),
        ("4008001234", "****1234"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("江苏省无锡市梁溪区中山路123号5单元601室", "江苏省无锡市梁溪区中山路****"),
        ("江苏省无锡市梁溪区中山路一百号", "江苏省无锡市梁溪区中山路****"),
        ("无锡市梁溪区广益街道尤渡苑12号", "无锡市梁溪区广益街道****"),
        ("镇江市京口区谏壁镇月湖村3组", "镇江市京口区谏壁镇****"),
        ("镇江市京口区学府小区12号", "镇江市京口区****"),
        ("江苏省镇江市京口区学府小区12号", "江苏省镇江市京口区****"),
        ("台州市路桥区路桥街道南官大道1号", "台州市路桥区路桥街道****"),
        ("汕尾市海丰县附城镇8号", "汕尾市海丰县附城镇****"),
        ("尤渡苑12号", "****"),
        ("12号", "****"),
        ("无锡市中山路", "无锡市中山路"),
        ("", ""),
    ],
)
def test_mask_address(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@given(st.text(max_size=20), st.text("0123456789", min_size=1, max_size=6))
def test_no_house_number_is_shown(street: str, number: str) -> None:
    masked = mask_address(f"无锡市梁溪区{street}{number}号")
    assert not any(character.isdecimal() for character in masked)


@given(st.text("0123456789X", min_size=15, max_size=18))
def test_a_masked_id_shows_seven_characters(number: str) -> None:
    assert len(mask_id(number)) == len(number)
    assert mask_id(number)[3:-4] == "*" * (len(number) - 7)
