from typing import get_args

from yinling.kernel.inputs import Id, Input, Reason


def test_an_annotation_carries_its_field() -> None:
    assert get_args(Id) == (int, Input("编号", least=1, widget="hidden"))
    assert get_args(Reason)[1].max_length == 500
