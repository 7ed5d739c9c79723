"""Who acts, and what was done."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who acts, and what was done."""

    name = "yinling.accounts"
