"""Money for organisations: canteens, awards, building, running, training; donations."""

from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    """Money for organisations: canteens, awards, building, running, training; donations."""

    name = "yinling.programmes.subsidies"

    def ready(self) -> None:
        """Let approved subsidies be paid out in the same batches as everything else."""
        from yinling.programmes.subsidies.models import Subsidy  # noqa: PLC0415 - models are loaded by now
        from yinling.programmes.subsidies.operations.revoking import after_payment  # noqa: PLC0415
        from yinling.programmes.subsidies.queries.subsidies import PREFIX, owed, sides_of  # noqa: PLC0415
        from yinling.settlement.payables import register  # noqa: PLC0415
        from yinling.settlement.queries.payables import revoked_of  # noqa: PLC0415

        register(PREFIX, owed, after_payment, sides=sides_of, held=revoked_of(Subsidy))
