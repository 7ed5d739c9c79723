"""Sealing of fields and blind indexes."""

import pytest

from yinling.ground import crypto


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_what_was_sealed_is_read_again(suite: str) -> None:
    sealed = crypto.seal("11010519491231002X", suite=suite, kid="1", bound_to="elder:1:id")
    assert b"1101" not in sealed
    assert crypto.unseal(sealed, suite=suite, kid="1", bound_to="elder:1:id") == "11010519491231002X"


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_a_text_moved_to_another_row_or_changed_is_refused(suite: str) -> None:
    sealed = crypto.seal("19900001234", suite=suite, kid="1", bound_to="elder:1:phone")
    for data, bound in ((sealed, "elder:2:phone"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "elder:1:phone")):
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(data, suite=suite, kid="1", bound_to=bound)


def test_a_lost_key_is_named() -> None:
    with pytest.raises(crypto.Unreadable, match="9"):
        crypto.unseal(b"0" * 40, suite="aes", kid="9", bound_to="x")


@pytest.mark.parametrize("suite", ["aes", "sm"])
def test_a_blind_index_is_equal_for_equal_texts_of_one_purpose(suite: str, settings) -> None:
    settings.SUITE = suite
    assert crypto.blind_index("19900001234", purpose="phone") == crypto.blind_index("19900001234", purpose="phone")
    assert crypto.blind_index("19900001234", purpose="phone") != crypto.blind_index("19900001234", purpose="id")
    assert len(crypto.blind_index("1", purpose="phone")) == 32
