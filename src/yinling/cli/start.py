"""`./run`: from nothing to a city that can be looked at, then keep it running."""

import argparse
import contextlib
import signal
import socket
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.cli.browser_files import ensure_browser_files
from yinling.cli.catalogues import compile_catalogues
from yinling.cli.database import ENVIRONMENT, EmbeddedPostgres
from yinling.cli.environment import (
    ANY_HOST,
    address_environment,
    data_folder,
    outside_database,
    platform_environment,
    set_up_django,
)
from yinling.cli.hotline import ADAPTER, edge_children, how_to_call, plan
from yinling.cli.lock import hold
from yinling.cli.migrate import migrate
from yinling.cli.reset import delete_data
from yinling.cli.supervisor import Child, Supervisor
from yinling.kernel.parameters import ParameterError

DEFAULT_CITY = "wuxi-332"
THREADS = 4
POOL = 6


def main(argv: list[str]) -> int:
    options = parse(argv)
    data = data_folder(options.data)
    shown = "127.0.0.1" if options.host in ANY_HOST else options.host
    address = f"http://{shown}:{options.port}/"
    with contextlib.closing(hold(data, address)):
        refuse_taken_ports(options.host, options.port)
        if options.fresh:
            delete_data(data)
        ensure_browser_files()
        compile_catalogues()
        supervisor = Supervisor()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            run(options, data, supervisor, address)
        except KeyboardInterrupt:
            return 130
        except TimeoutError as error:
            raise Unusable(str(error)) from error
        finally:
            supervisor.stop()
            print("已全部停止。 All stopped.")
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", description="启动演示城市 Start the demo city")
    parser.add_argument("--fresh", action="store_true", help="先删除已有数据 delete existing data first")
    parser.add_argument(
        "--port", type=int, default=8000, help="页面端口，推送用下一端口 pages; the stream takes the next one"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", metavar="DIR", help="数据目录 data folder (var/data)")
    parser.add_argument("--clock", metavar="ISO", help="演示时间 the demo's time, 2026-06-01T08:30+08:00")
    parser.add_argument("--city", default=DEFAULT_CITY, help="城市方案 a folder of cities/")
    parser.add_argument("--no-demo", action="store_true", help="不载入演示数据 without made-up people")
    parser.add_argument("--hotline", action="store_true", help="启动真实电话线路 a telephone line that really rings")
    return parser.parse_args(argv)


def run(options: argparse.Namespace, data: Path, supervisor: Supervisor, address: str) -> None:
    demo = not options.no_demo
    databases = outside_database() or start_database(supervisor, data)
    environment = platform_environment(data, databases, demo=demo, city=options.city)
    environment |= address_environment(options.host, options.port)
    edge = plan(data) if options.hotline else None
    if edge:
        environment |= {"PORT_TELEPHONY": ADAPTER}
    set_up_django(environment, as_owner=True)
    print("正在升级数据库结构… Migrating the database …", flush=True)
    migrate()
    load_city(options, demo=demo)
    for child in servers(options.host, options.port, environment):
        supervisor.start(child)
    if edge:
        for child in edge_children(edge, environment):
            supervisor.start(child)
        print(f"\n{how_to_call(edge)}", flush=True)
    print(f"\n银龄已启动 Yinling is running: {address}   (Ctrl-C 停止 stops)\n", flush=True)
    if demo:
        print(import_module("yinling.demo.logins").table(), flush=True)
    supervisor.watch()


def start_database(supervisor: Supervisor, data: Path) -> dict[str, str]:
    server = EmbeddedPostgres(data / "database")
    if server.is_ready():
        raise Unusable(f"数据库已在运行：{data} Another command is using the database in {data}; wait for its end.")
    server.prepare()
    database = Child("database", server.argv, ENVIRONMENT, signal.SIGINT, server.account, server.is_ready, hush="LOG:")
    supervisor.start(database)
    server.provision()
    return server.environment()


def servers(host: str, port: int, environment: dict[str, str]) -> list[Child]:
    granian = [sys.executable, "-m", "granian", "--log-level", "warning", "--host", host, "--workers", "1"]
    pages = [*granian, "--interface", "wsgi", "--port", str(port), "--blocking-threads", str(THREADS)]
    stream = [*granian, "--interface", "asgi", "--port", str(port + 1), "--workers-kill-timeout", "3"]
    planner = [sys.executable, "-m", "yinling.dispatch.worker"]
    environment = {name: value for name, value in environment.items() if name != "DATABASE_OWNER_URL"}
    children = [
        Child("pages", [*pages, "yinling.wsgi:application"], environment | {"YINLING_POOL": str(POOL)}),
        Child("stream", [*stream, "yinling.asgi:application"], environment | {"YINLING_POOL": "0"}),
        Child("worker", jobs_of("default"), environment | {"YINLING_POOL": "0"}),
        Child("alarms", jobs_of("alarms"), environment | {"YINLING_POOL": "0"}),
        Child("planner", planner, environment | {"YINLING_POOL": "0"}),
        *residents(environment | {"YINLING_POOL": "0"}),
        *gateways(environment | {"YINLING_POOL": "0"}),
    ]
    return [replace(children[0], is_ready=lambda: answers(host, port)), *children[1:]]


def jobs_of(queue: str) -> list[str]:
    """Return the command of a worker for one queue: deadlines of alarms have their own, so that no long job delays them."""
    return [sys.executable, "-m", "django", "procrastinate", "worker", "--queues", queue, "--delete-jobs", "successful"]


def residents(environment: dict[str, str]) -> list[Child]:
    """Return the resident ranking, or one for each area that YINLING_DISPATCH names."""
    areas = [part.rpartition("=")[0] for part in environment.get("YINLING_DISPATCH", "").split(",")]
    alone = [sys.executable, "-m", "yinling.dispatch.resident"]
    return [Child("dispatch", [*alone, "--area", area] if area else alone, environment) for area in areas]


def gateways(environment: dict[str, str]) -> list[Child]:
    """Return the gateway of the devices, where MQTT_URL names a broker."""
    command = [sys.executable, "-m", "yinling.interop.mqtt.gateway"]
    return [Child("mqtt", command, environment)] if environment.get("MQTT_URL") else []


def load_city(options: argparse.Namespace, *, demo: bool) -> None:
    """Fill an empty database: the city alone, or with made-up people. A city that is there is kept; the clock is followed."""
    load = import_module("yinling.demo.load")  # its tables need Django to be set up
    try:
        if demo:
            load.main(options.city, options.clock)
        else:
            load.city_only(options.city)
    except ParameterError as error:
        raise Unusable(f"城市方案有误 The city's profile is wrong: {error}") from error


def refuse_taken_ports(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (port, port + 1):
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, number))
            except OSError as error:
                raise Unusable(
                    f"端口 {number} 不可用。 Port {number} cannot be used ({error.strerror}); choose by --port."
                ) from error


def answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1" if host in ANY_HOST else host, port), 1):
        return True
    return False
