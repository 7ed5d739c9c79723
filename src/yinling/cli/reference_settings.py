"""The page of the settings, read from the source of settings.py: what the environment may say, and what holds if it is silent."""

import ast
import re

from yinling.cli.hotline import SETTINGS as OF_THE_LINE
from yinling.cli.paths import SOURCE
from yinling.cli.tables import note, table

OTHERS = {
    "DATABASE_URL": "the database as the role that serves (`yl_app`)",
    "DATABASE_OWNER_URL": "the same database as the role that owns and migrates (`yl_owner`)",
    "DATABASE_AUDIT_URL": "the same database as the role that reads for supervision; without it DATABASE_URL with the user `yl_audit`",
    "STREAM_URL": "address of the live stream as browsers reach it; without it the next port of the same host",
    "PORT_TELEPHONY": "dotted path of the adapter of the telephone line",
    "PORT_SMS": "dotted path of the adapter of text messages",
    "PORT_WECHAT": "dotted path of the adapter of WeChat messages",
    "PORT_TTS": "dotted path of the adapter of the voice of the prompts",
    "SMS_URL": "address of the gateway of text messages: `http(s)://…`, or for SMPP `smpp://host:port` (`smpps://` with TLS)",
    "SMS_KEY": "name of the account at the gateway; for SMPP the system_id",
    "SMS_SECRET": "secret of the account: signs what is sent and what comes back; for SMPP the password",
    "SMS_SOURCE": "number from which messages come (SMPP)",
    "SMS_SIGNATURE": "signature registered with the carrier, with its brackets (【…】); stands before every text",
    "SMS_TIMEOUT": "seconds to wait for the gateway of text messages",
    "WECHAT_URL": "address of the interface of WeChat",
    "WECHAT_KEY": "AppID of the official account",
    "WECHAT_SECRET": "AppSecret of the official account",
    "WECHAT_TEMPLATE": "template of the subscribed message, and the names of its fields for title and text: `ID:thing1,thing2`",
    "WECHAT_TIMEOUT": "seconds to wait for WeChat",
    "CARRIER_URL": "address of the cloud call centre (carrier_http)",
    "CARRIER_KEY": "name of the account at the cloud call centre",
    "CARRIER_SECRET": "secret of that account: signs commands and events",
    "CARRIER_TIMEOUT": "seconds to wait for the cloud call centre",
    "MQTT_URL": "broker of the devices, `mqtt://name:password@host:1883` or `mqtts://…:8883`; `./run` then starts the gateway",
    "MQTT_CA": "file with the authority that signed the broker's certificate, where the system does not know it",
    "PORT_TICKET_EXCHANGE": "dotted path of the adapter of another line that knows the same tickets (12345)",
    "EXCHANGE_URL": "address of the interface of the other line; messages go to `/tickets` below it",
    "EXCHANGE_KEY": "name of this platform at the other line",
    "EXCHANGE_SECRET": "shared secret: signs what is sent there and what comes in; without it nothing is taken in",
    "EXCHANGE_TIMEOUT": "seconds to wait for the other line",
    "PORT_PAYMENT": "dotted path of the adapter of a payment channel; without it the made-up one in a demonstration, none elsewhere",
    "PAYMENT_NAME": "short name of the channel: stands on payments and in the address of its notices",
    "PAYMENT_URL": "address of the aggregator; `/orders`, `/refunds` and `/bills` below it",
    "PAYMENT_KEY": "name of this platform at the aggregator",
    "PAYMENT_SECRET": "shared secret: signs what is sent there and what comes in; without it nothing is taken in",
    "PAYMENT_TIMEOUT": "seconds to wait for the aggregator",
    "PORT_TRAVEL": "dotted path of the adapter of travel times",
    "TRAVEL_URL": "address of the map engine; for OSRM `{profile}` in it becomes foot, bike or car",
    "TRAVEL_KEY": "key of the map service (AMap)",
    "TRAVEL_SECRET": "private part of the key, where signing is switched on (AMap)",
    "TRAVEL_TIMEOUT": "seconds to wait for one answer of the map engine",
    "TRAVEL_RATE": "requests a second that the key allows (AMap)",
}
OF_TESTS = {"PYTEST_VERSION"}


def settings_page() -> str:
    tree = ast.parse((SOURCE / "settings.py").read_text("utf-8"))
    meanings = known(tree) | OTHERS | OF_THE_LINE
    read = defaults(tree)
    rows = [(f"`{name}`", meanings[name], f"`{read[name]}`" if read.get(name) else "") for name in sorted(meanings)]
    unexplained = set(read) - set(meanings) - OF_TESTS
    if unexplained:
        raise ValueError(f"settings.py reads {', '.join(sorted(unexplained))}: say what it means in {__name__}")
    text = (
        "Every setting has a default that works for a demonstration. An unknown `YINLING_` variable stops the start.\n"
    )
    return "\n".join(["# Settings\n", note("settings.py"), text, table(("variable", "meaning", "default"), rows)])


def known(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KNOWN":
            return dict(ast.literal_eval(node.value))
    raise ValueError("settings.py has no table KNOWN")


def defaults(tree: ast.Module) -> dict[str, str]:
    """Variables that settings.py reads, with the default as written there."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get":
            name = ast.literal_eval(node.args[0])
            found[name] = words(node.args[1]) if len(node.args) > 1 else ""
    return found


def words(node: ast.expr) -> str:
    """A text as it is, a path as it is written on the shell."""
    return "/".join(re.findall(r"'([^']*)'", ast.unparse(node)))
