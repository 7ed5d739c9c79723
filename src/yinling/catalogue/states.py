"""States of a price list: two persons publish it."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class PriceListState(State):
    """From the draft to the end."""

    DRAFT = "draft", N_("草稿")
    PUBLISHED = "published", N_("已公布")
    WITHDRAWN = "withdrawn", N_("已撤回")


PRICE_LIST = Machine(
    "price_list",
    PriceListState,
    PriceListState.DRAFT,
    [
        ("publish", {PriceListState.DRAFT}, PriceListState.PUBLISHED, N_("公布")),
        ("withdraw", {PriceListState.DRAFT}, PriceListState.WITHDRAWN, N_("撤回")),
    ],
)
