"""The Django side of the kernel."""

from django.apps import AppConfig


class GroundConfig(AppConfig):
    """App of the tables that know no domain word."""

    name = "yinling.ground"

    def ready(self) -> None:
        """Keep the views of the past in step with the tables, and plans on the server."""
        from yinling.ground import asof, prepared  # noqa: PLC0415 - needs the apps loaded

        asof.connect(self)
        prepared.connect()
