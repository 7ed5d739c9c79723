"""Build, then serve until the process is ended."""

import argparse
import signal
import sys

import django
from django.conf import settings


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m yinling.dispatch.resident")
    parser.add_argument("--area", default="", help="the division of the providers; without it, every loaded city")
    parser.add_argument("--socket", help="where to listen; without it, as the pages expect")
    options = parser.parse_args(argv)
    django.setup()
    from yinling.accounts.queries import audit_connection  # noqa: PLC0415 - Django must be set up before
    from yinling.directory.queries import cities  # noqa: PLC0415 - as above
    from yinling.dispatch.resident.memory import Resident  # noqa: PLC0415 - as above
    from yinling.dispatch.resident.server import Server  # noqa: PLC0415 - as above

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with audit_connection() as audit:
            audit.autocommit = True
            resident = Resident(audit, [options.area] if options.area else [city.div for city in cities()])
            resident.build()
            Server(resident, options.socket or settings.DISPATCH_SOCKETS[options.area]).serve()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
