"""Money for organisations: canteens, awards, building, running, training; donations."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    """Money for organisations: canteens, awards, building, running, training; donations."""

    name = "yinling.programmes.subsidies"

    def ready(self) -> None:
        """Let approved subsidies be paid out in the same batches as everything else."""
        from yinling.programmes.subsidies.queries.subsidies import PREFIX, owed, sides_of  # noqa: PLC0415 - models are loaded by now
        from yinling.settlement.payables import register  # noqa: PLC0415 - models are loaded by now

        register(PREFIX, owed, sides=sides_of)
