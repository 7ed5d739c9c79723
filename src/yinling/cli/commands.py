"""The `yinling` command: one module of this package per word, loaded when called."""

import sys
from importlib import import_module

from yinling.cli.account import Unusable

COMMANDS = {
    "start": "启动演示城市 start the demo city (the default)",
    "test": "检查并运行全部测试 checks and all tests",
    "check": "格式、类型、分层、迁移、文档 format, types, layers, migrations, docs",
    "prove": "以完整随机种子证明 all seeds of the proofs",
    "walk": "走一遍服务闭环 play one service from call to indicator",
    "trace": "需求与测试对照 requirements against tests",
    "bench": "性能测量 numbers only",
    "solve": "求解公开算例 plan an instance of the published home care format",
    "invariants": "核对不变量 check what must never be false",
    "token": "接口令牌 tokens of the API",
    "docs": "重新生成参考文档 regenerate the reference",
    "load-registry": "载入全市底册 load the register of a city",
    "migrate": "升级数据库结构 bring the database up to date",
    "makemessages": "提取待翻译文字 collect texts to translate",
    "assess": "量表计分核对 score worked examples of the scales",
    "testdb": "开发用测试数据库 a test database for developers",
    "reset": "删除演示数据 delete the demo's data",
}


def main(argv: list[str]) -> int:
    name, rest = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("start", argv)
    if name == "help" or argv in (["-h"], ["--help"]):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"没有这个命令：{name} There is no command {name}.\n{usage()}", file=sys.stderr)
        return 2
    try:
        return int(import_module(f"yinling.cli.{name.replace('-', '_')}").main(rest))
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1


def usage() -> str:
    words = "\n".join(f"  {name:15}{text}" for name, text in COMMANDS.items())
    return f"用法 Usage: ./run [命令 command] [选项 options]\n\n{words}\n\n选项 Options: ./run start --help"
