"""Items that are an assessment with clinical scales."""

import pytest
from django.db import IntegrityError, transaction
from tests.factories import make_item, make_price

from yinling.catalogue.models import ServiceItem

pytestmark = pytest.mark.usefixtures("wide")


def test_a_geriatric_assessment_is_a_priced_item_of_its_own_type() -> None:
    item = make_item(kind="scale_assessment", scales=["barthel", "morse"], family="medical")
    price = make_price(item, amount_fen=6000)
    assert price.amount_fen == 6000
    assert list(ServiceItem.objects.filter(kind="scale_assessment")) == [item]
    assert make_item().kind == "service"


@pytest.mark.parametrize("values", [{"kind": "scale_assessment"}, {"scales": ["morse"]}])
def test_scales_and_the_type_go_together(values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="item_kind_scales"), transaction.atomic():
        make_item(**values)
