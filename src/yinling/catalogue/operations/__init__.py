"""Keeping the list, and publishing prices and packages by two persons. One file per noun."""

from yinling.catalogue.operations.items import update_item
from yinling.catalogue.operations.packages import discard_package, draft_package, publish_package
from yinling.catalogue.operations.prices import draft_price_list, publish_price_list, withdraw_price_list

__all__ = [
    "discard_package",
    "draft_package",
    "draft_price_list",
    "publish_package",
    "publish_price_list",
    "update_item",
    "withdraw_price_list",
]
