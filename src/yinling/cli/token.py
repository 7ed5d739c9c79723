"""A token of the API for a role of the demo city; prints the token only."""

import argparse
import sys
from importlib import import_module

from yinling.cli.account import Unusable
from yinling.cli.environment import connected
from yinling.directory.roles import DEMO_ROLES, ROLES


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./run token", description="演示城市的接口令牌 a token of the demo city's API"
    )
    parser.add_argument("role", nargs="?", help="角色；不填则列出 without it the roles are listed")
    parser.add_argument(
        "--area", metavar="CODE", default="", help="区划代码 division code, default: where the demo login works"
    )
    parser.add_argument("--org", metavar="CODE", default="", help="统一社会信用代码或编号 credit code or number")
    parser.add_argument("--elder", metavar="ID", type=int, default=0, help="老年人编号 number of an elder")
    parser.add_argument(
        "--second",
        action="store_true",
        help="该角色的另一个账号，用于二人复核 another login of the role, where two persons must act",
    )
    parser.add_argument("--data", metavar="DIR", help="数据目录 data folder (var/data)")
    options = parser.parse_args(argv)
    if not options.role:
        print(roles())
        return 0
    if options.role not in DEMO_ROLES:
        print(roles(), file=sys.stderr)
        raise Unusable(f"没有这个角色：{options.role}。 There is no role {options.role}; choose one of the above.")
    with connected(as_owner=True, data=options.data):
        issue = import_module("yinling.cli.token_issue")  # its tables need Django to be set up
        place = {"area": options.area, "org": options.org, "elder_id": options.elder}
        print(issue.token(options.role, **place, is_second=options.second))
    return 0


def roles() -> str:
    return "\n".join(f"{code:18}{ROLES[code].name}\t{ROLES[code].purpose}" for code in DEMO_ROLES)
