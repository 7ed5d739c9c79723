"""``python -m yinling.bench.make_city CITY CLOCK``: migrate and load the demo city into the database of the environment."""

import os
import sys

from yinling.cli.environment import set_up_django


def main(city: str, clock: str) -> None:
    """Work as the owner, as ``./run`` does."""
    set_up_django(dict(os.environ), as_owner=True)
    from yinling.cli.migrate import migrate  # noqa: PLC0415 - models need the settings first
    from yinling.demo.load import main as load  # noqa: PLC0415 - as above

    migrate()
    load(city, clock)


if __name__ == "__main__":
    main(*sys.argv[1:])
