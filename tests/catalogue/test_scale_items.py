"""Items that are an assessment with clinical scales."""

import pytest
from django.db import IntegrityError, transaction
from tests.factories import make_item

pytestmark = pytest.mark.usefixtures("wide")


@pytest.mark.parametrize("values", [{"kind": "scale_assessment"}, {"scales": ["morse"]}])
def test_scales_and_the_type_go_together(values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="item_kind_scales"), transaction.atomic():
        make_item(**values)
