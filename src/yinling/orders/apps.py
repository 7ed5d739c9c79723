"""What is to be done for whom, by whom, at whose cost."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """What is to be done for whom, by whom, at whose cost."""

    name = "yinling.orders"
