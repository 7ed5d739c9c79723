import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinling.kernel.names import (
    MOST_READINGS,
    deletion_keys,
    initials_keys,
    normalise_phone,
    pinyin_keys,
    plain_name,
    search_kind,
)
from yinling.kernel.refusals import Refused

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("单雄信", "shanxiongxin"),
        ("曾国藩", "zengguofan"),
        ("解缙", "xiejin"),
        ("仇英", "qiuying"),
        ("区小平", "ouxiaoping"),
        ("查良镛", "zhaliangyong"),
        ("朴树", "piaoshu"),
        ("盖叫天", "gejiaotian"),
        ("翟志刚", "zhaizhigang"),
        ("缪荣", "miaorong"),
        ("贠敏", "yunmin"),
        ("尉迟恭", "yuchigong"),
        ("万俟卨", "moqixie"),
        ("吕布", "lvbu"),
    ],
)
def test_special_readings_of_surnames_are_kept(name: str, reading: str) -> None:
    assert reading in pinyin_keys(name)


def test_all_readings_are_kept() -> None:
    assert pinyin_keys("曾国藩") == {"zengguofan", "cengguofan"}
    assert initials_keys("曾国藩") == {"zgf", "cgf"}
    assert initials_keys("单雄信") == {"sxx", "sxs", "dxx", "dxs", "cxx", "cxs"}


def test_letters_read_as_themselves_and_marks_are_left_out() -> None:
    assert pinyin_keys("Li 三！") == {"lisan"}
    assert pinyin_keys("！") == initials_keys("") == pinyin_keys("") == set()
    assert plain_name(" 阿依努尔·买买提 ") == "阿依努尔买买提"
    assert plain_name("Lü Bu") == "lvbu"


def test_a_character_without_reading_is_left_out() -> None:
    assert pinyin_keys("张\U0003fff0") == {"zhang"}


@given(st.text(st.sampled_from("单曾解仇区查朴盖翟缪和着乐"), min_size=1, max_size=12))
def test_long_names_do_not_explode(name: str) -> None:
    assert 1 <= len(pinyin_keys(name)) <= MOST_READINGS
    assert 1 <= len(initials_keys(name)) <= len(pinyin_keys(name))


def test_deletion_keys() -> None:
    assert deletion_keys("张三丰") == {"张三丰", "三丰", "张丰", "张三"}
    assert deletion_keys("张") == {"张"}
    assert deletion_keys(" ") == set()


@given(HAN, HAN.map(lambda text: text[0]), st.data())
def test_names_that_differ_in_one_character_share_a_key(name: str, other: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    wrong = name[:place] + other + name[place + 1 :]
    missing = name[:place] + name[place + 1 :]
    assert len(name) == 1 or deletion_keys(name) & deletion_keys(wrong)
    assert missing in {*deletion_keys(name), ""}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("张三", "hanzi"),
        ("张s", "hanzi"),
        ("zhangsan", "pinyin"),
        ("Zhang San", "pinyin"),
        ("xi'an", "pinyin"),
        ("lü", "pinyin"),
        ("an", "pinyin"),
        ("zhangg", "pinyin"),
        ("zs", "initials"),
        ("ZSF", "initials"),
        ("oyf", "initials"),
        ("0001", "last4"),
        (" ０００１ ", "last4"),
        ("13912345678", "phone"),
        ("+86 139 1234 5678", "phone"),
        ("0510-82712345", "phone"),
        ("82712345", "phone"),
        ("11010519491231002x", "id"),
        ("110105491231002", "id"),
        ("W-240613-0042", "code"),
        ("91350100M000100Y43", "code"),
        ("12", "code"),
        ("！", "code"),
    ],
)
def test_search_kind(text: str, kind: str) -> None:
    assert search_kind(text) == kind


def test_an_empty_search_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        search_kind("  ")
    assert caught.value.code == "search.empty"


@given(HAN)
def test_every_key_of_a_name_is_taken_for_pinyin(name: str) -> None:
    for key in pinyin_keys(name):
        assert search_kind(key) == "pinyin" or not set(key) & set("aeiouv")


@pytest.mark.req("X-ID-04")
@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("139 1234 5678", "13912345678"),
        ("+86-13912345678", "13912345678"),
        ("008613912345678", "13912345678"),
        ("8613912345678", "13912345678"),
        ("１３９１２３４５６７８", "13912345678"),
        ("0510-82712345", "051082712345"),
        ("(0510) 82712345", "051082712345"),
        ("010 62345678", "01062345678"),
        ("+86 510 82712345", "051082712345"),
        ("+86 10 62345678", "01062345678"),
        ("82712345", "82712345"),
        ("86123456", "86123456"),
        ("(+86) 139 1234 5678", "13912345678"),
        ("400-800-1234", "4008001234"),
    ],
)
def test_normalise_phone(text: str, phone: str) -> None:
    assert normalise_phone(text) == phone
    assert normalise_phone(phone) == phone


@pytest.mark.req("X-ID-04")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "12912345678",
        "139123456789",
        "0510-82712345转801",
        "电话139",
        "0510-12345678",
        "+1 650 253 0000",
        "+86123456",
    ],
)
def test_a_wrong_phone_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        normalise_phone(text)
    assert caught.value.code == "phone.format"
    assert not text or text not in str(caught.value)
