"""`python -m yinling.dispatch.worker`: computes plans of days, one after another. Start one for each core a host can spare, on any host."""

import os

import django
from django.core.management import call_command

KINDNESS = 5
"""Pages and calls come first on a machine shared with them."""


def main() -> None:
    """Compile the planner, or load it compiled, then take plans from the queue until the process is ended."""
    os.nice(KINDNESS)
    django.setup()
    from yinling.dispatch.operations.plans import PLANS  # noqa: PLC0415 - Django must be set up before
    from yinling.dispatch.planner.search import warm_up  # noqa: PLC0415 - as above

    warm_up()
    call_command("procrastinate", "worker", "--queues", PLANS, "--delete-jobs", "successful")


if __name__ == "__main__":
    main()
