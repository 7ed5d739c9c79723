"""The register of devices: whose, where, who paid, with which key; fences; and where one is, for a reason."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.devices import rules
from yinling.devices.models import Device
from yinling.devices.states import DEVICE, DeviceState
from yinling.directory.models import DATUMS, Organisation, Site
from yinling.directory.rules import at_field, known_choice, position_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import consents_of, find_elders

explain_constraint("devices_device_serial_key", "device.serial_twice", N_("这个设备编号已登记"))

KEY_BYTES = 32
COLUMNS = ("serial", "kind", "funding", "elder", "place", "sim", "interval_s", "key")
MOST_LINES = 5000
LEAST_KEY = 16
Serial = Annotated[str, Input(N_("设备编号"), help=N_("机身上的编号，或平台给出的编号"), max_length=40)]
Kind = Annotated[str, Input(N_("设备种类"), choices=rules.DEVICE_KINDS, widget="choice")]
Funding = Annotated[str, Input(N_("经费来源"), choices=rules.FUNDINGS, widget="choice")]
ElderId = Annotated[int | None, Input(N_("使用的老人"), least=1, widget="hidden")]
ProviderId = Annotated[int | None, Input(N_("所在机构"), least=1, widget="choice")]
SiteId = Annotated[int | None, Input(N_("所在站点"), least=1, widget="hidden")]
Place = Annotated[str, Input(N_("安装位置"), help=N_("如：卧室床头、二楼走廊"), max_length=60)]
Maker = Annotated[str, Input(N_("厂家型号"), max_length=60)]
Sim = Annotated[str, Input(N_("SIM 卡号码"), help=N_("没有请留空；修改时不改请留空"), max_length=30)]
Interval = Annotated[
    int, Input(N_("应报间隔（秒）"), help=N_("正常时多久至少发来一条消息"), least=10, most=604_800, widget="number")
]


@operation("devices.device.register", label=N_("登记设备"))
def register_device(  # noqa: PLR0913 - what a device consists of
    *, actor: Actor, now: datetime, serial: Serial, kind: Kind, funding: Funding, elder_id: ElderId = None, provider_id: ProviderId = None,
    site_id: SiteId = None, place: Place = "", maker: Maker = "", sim: Sim = "", interval_s: Interval = 3600,
) -> Device:  # fmt: skip
    """Enter a device with a key of its own, which is shown once. It waits for its installation."""
    rules.check_owner(elder_id=elder_id, provider_id=provider_id)
    elder, provider = _elder(elder_id), _provider(provider_id)
    div = elder.div if elder else (provider.div if provider else "")
    require(actor, "devices.device.register", div=div, provider_id=provider_id)
    row = Device(
        div=div, serial=required_text(serial, "serial", most=40), kind=known_choice(kind, rules.DEVICE_KINDS, "kind"), elder=elder,
        funding=known_choice(funding, rules.FUNDINGS, "funding"), provider=provider, site=_site(site_id, provider), place=place.strip(),
        maker=maker.strip(), interval_s=interval_s, created_at=now, changed_at=now,
    )  # fmt: skip
    with at_field("sim"):
        row.set_sim(normalise_phone(sim) if sim.strip() else "")
    return _enter(actor, now, row, secrets.token_urlsafe(KEY_BYTES))


def _enter(actor: Actor, now: datetime, row: Device, key: str) -> Device:
    row.seal_field("key", key)
    row.save(force_insert=True)
    changes = {"state": [None, str(row.state)], "serial": [None, row.serial], "kind": [None, row.kind]}
    record(actor=actor, now=now, event="devices.device.register", subject=row, changes=changes)
    tell("devices", pk=row.pk, div=row.div)
    row.plain = key
    return row


def _elder(elder_id: int | None) -> Elder | None:
    if elder_id is None:
        return None
    row = Elder.objects.filter(pk=elder_id, merged_into=None).first()
    if row is None:
        raise NotFound("row.not_found", N_("没有这位老人，或者不在您的权限范围内"), field="elder_id")
    return row


def _provider(provider_id: int | None) -> Organisation | None:
    if provider_id is None:
        return None
    row = Organisation.objects.filter(pk=provider_id).first()
    if row is None:
        raise Refused("device.provider", N_("没有这家机构，请从列表中选择"), field="provider_id")
    return row


def _site(site_id: int | None, provider: Organisation | None) -> Site | None:
    if site_id is None:
        return None
    row = Site.objects.filter(pk=site_id, organisation=provider).first()
    if row is None:
        raise Refused("device.site", N_("这家机构没有这个站点，请从列表中选择"), field="site_id")
    return row


def _device(actor: Actor, verb: str, device_id: int, seen: int | None = None) -> Device:
    row = locked(Device.objects.select_related("elder__household", "provider"), device_id, seen)
    require(actor, f"devices.device.{verb}", div=row.div, provider_id=row.provider_id)
    return row


def _write(actor: Actor, now: datetime, row: Device, verb: str, reason: str = "", **values: Any) -> Device:
    changes = changed(row, now=now, **values)
    record(actor=actor, now=now, event=f"devices.device.{verb}", subject=row, changes=changes, reason=reason)
    tell("devices", pk=row.pk, div=row.div)
    return row


@operation("devices.device.update", label=N_("修改设备"))
def update_device(  # noqa: PLR0913 - what may be changed
    *, actor: Actor, now: datetime, device_id: Id, funding: Funding, place: Place = "", maker: Maker = "", sim: Sim = "",
    interval_s: Interval = 3600, seen: Seen = None,
) -> Device:  # fmt: skip
    """Correct what is known of a device; an empty SIM number leaves the old one."""
    row = _device(actor, "update", device_id, seen)
    values: dict[str, Any] = {
        "funding": known_choice(funding, rules.FUNDINGS, "funding"), "place": place.strip(), "maker": maker.strip(), "interval_s": interval_s,
    }  # fmt: skip
    if sim.strip():
        with at_field("sim"):
            row.set_sim(normalise_phone(sim))
        row.save(update_fields=["sim_enc", "sim_index", "enc_suite", "enc_kid"])
        values["sim_last4"] = row.sim_last4
    return _write(actor, now, row, "update", **values)


@operation("devices.device.install", label=N_("安装启用"))
def install_device(*, actor: Actor, now: datetime, device_id: Id, seen: Seen = None) -> Device:
    """Put a device into use; from now on its silence is noticed."""
    row = _device(actor, "install", device_id, seen)
    target = DEVICE.target("install", DeviceState(row.state))
    return _write(
        actor, now, row, "install", state=target, installed_on=row.installed_on or local_date(now), last_seen_at=now
    )


@operation("devices.device.pause", label=N_("停用检修"))
def pause_device(*, actor: Actor, now: datetime, device_id: Id, reason: Reason, seen: Seen = None) -> Device:
    """Take a device out of use for a while. A call for help from it is still an alarm."""
    row = _device(actor, "pause", device_id, seen)
    target = DEVICE.target("pause", DeviceState(row.state))
    return _write(actor, now, row, "pause", required_text(reason, "reason", most=500), state=target)


@operation("devices.device.remove", label=N_("拆除设备"))
def remove_device(*, actor: Actor, now: datetime, device_id: Id, reason: Reason, seen: Seen = None) -> Device:
    """Take a device away for good; its last position goes with it."""
    row = _device(actor, "remove", device_id, seen)
    target = DEVICE.target("remove", DeviceState(row.state))
    why = required_text(reason, "reason", most=500)
    gone: dict[str, Any] = dict.fromkeys(
        ("lon", "lat", "accuracy_m", "positioned_at", "fence_lon", "fence_lat", "fence_radius_m")
    )
    return _write(actor, now, row, "remove", why, state=target, removed_on=local_date(now), **gone)


@operation("devices.device.rekey", label=N_("更换密钥"))
def rekey_device(*, actor: Actor, now: datetime, device_id: Id, reason: Reason, seen: Seen = None) -> Device:
    """Give a device a new key, shown once; what is signed with the old one is refused from now on."""
    row = _device(actor, "rekey", device_id, seen)
    why, key = required_text(reason, "reason", most=500), secrets.token_urlsafe(KEY_BYTES)
    row.seal_field("key", key)
    row.save(update_fields=["key_enc", "enc_suite", "enc_kid"])
    _write(actor, now, row, "rekey", why)
    row.plain = key
    return row


@operation("devices.device.fence", label=N_("设置围栏"))
def fence_device(
    *, actor: Actor, now: datetime, device_id: Id,
    radius_m: Annotated[int, Input(N_("半径（米）"), help=N_("0 表示取消围栏"), least=0, most=20_000, widget="number")],
    lon: Annotated[float | None, Input(N_("经度"), help=N_("留空：以住址为中心"), least=-180, most=180, widget="number")] = None,
    lat: Annotated[float | None, Input(N_("纬度"), least=-90, most=90, widget="number")] = None,
    datum: Annotated[str, Input(N_("坐标系"), choices=DATUMS, widget="choice")] = "wgs84",
    seen: Seen = None,
) -> Device:  # fmt: skip
    """Draw a circle around the home or a point; leaving it is an alarm (R-IOT-06). It needs the consent to being located."""
    row = _device(actor, "fence", device_id, seen)
    if not radius_m:
        return _write(actor, now, row, "fence", fence_lon=None, fence_lat=None, fence_radius_m=None)
    home = row.elder.household if row.elder else None
    rules.check_fence(lon=lon, lat=lat, has_home=home is not None and home.lon is not None)
    if row.elder_id and "position" not in consents_of(row.elder_id, local_date(now)):
        raise Refused("fence.no_consent", N_("老人没有同意设备定位，请先在档案中登记同意"), field="radius_m")
    point = position_of(lon, lat, datum)
    middle = (point.lon, point.lat) if point else (home.lon, home.lat) if home else (None, None)
    return _write(actor, now, row, "fence", fence_lon=middle[0], fence_lat=middle[1], fence_radius_m=radius_m)


@operation("devices.device.locate", label=N_("查看位置"))
def locate_device(*, actor: Actor, now: datetime, device_id: Id, reason: Reason) -> dict[str, str]:
    """Return where a device was last, for a reason that stays on the elder's timeline."""
    row = _device(actor, "locate", device_id)
    why = required_text(reason, "reason", most=500)
    if row.lon is None or row.lat is None or row.positioned_at is None:
        raise Refused("device.no_position", N_("这台设备没有位置，或本人没有同意定位"))
    record(actor=actor, now=now, event="devices.device.locate", subject=row, reason=why)
    about = {
        N_("经度（WGS-84）"): f"{row.lon:.6f}",
        N_("纬度（WGS-84）"): f"{row.lat:.6f}",
        N_("时间"): row.positioned_at.isoformat(),
    }
    return about | ({N_("精度（米）"): f"{row.accuracy_m:.0f}"} if row.accuracy_m is not None else {})


@operation("devices.device.import", label=N_("导入设备"))
def import_device(
    *, actor: Actor, now: datetime,
    text: Annotated[
        str,
        Input(
            N_("设备清单"), help=N_("CSV，第一行 serial,kind,funding,elder,place,sim,interval_s,key；elder 写证件号或档案编号"),
            max_length=2_000_000, widget="area",
        ),
    ],
) -> list[Device]:  # fmt: skip
    """Enter a list of devices whose makers have given them keys: all of it or nothing, the line named."""
    require(actor, "devices.device.import", div=actor.div or "")
    found = [_enter(actor, now, _line(actor, now, number, row), row["key"].strip()) for number, row in _lines(text)]
    for row in found:
        del row.plain  # the maker knows it
    return found


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(text.lstrip("\ufeff").strip().splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise Refused("import.columns", N_("第一行应为 %(columns)s"), field="text", columns=",".join(COLUMNS))
    rows = [{name: str(row.get(name) or "") for name in COLUMNS} for row in reader]
    if not 0 < len(rows) <= MOST_LINES:
        raise Refused("import.count", N_("一次导入 1 到 %(most)s 台设备"), field="text", most=MOST_LINES)
    return iter(enumerate(rows, start=2))


def _line(actor: Actor, now: datetime, number: int, row: dict[str, str]) -> Device:
    elders = find_elders(actor, row["elder"].strip(), limit=2) if row["elder"].strip() else []
    serial, interval = row["serial"].strip(), row["interval_s"].strip() or "3600"
    wrong = next(
        (
            name for name, is_right in (
                ("serial", 0 < len(serial) <= 40 and not Device.objects.filter(serial=serial).exists()),  # noqa: PLR2004 - the column
                ("kind", row["kind"] in dict(rules.DEVICE_KINDS)), ("funding", row["funding"] in dict(rules.FUNDINGS)),
                ("elder", len(elders) == 1), ("interval_s", interval.isascii() and interval.isdigit() and 10 <= int(interval) <= 604_800),  # noqa: PLR2004
                ("key", len(row["key"].strip()) >= LEAST_KEY), ("place", len(row["place"]) <= 60),  # noqa: PLR2004 - the column
            ) if not is_right
        ), "",
    )  # fmt: skip
    if wrong:
        raise Refused(
            "import.line", N_("第%(line)s行的 %(column)s 不正确，全部没有导入"), field="text", line=number, column=wrong
        )
    device = Device(
        div=elders[0].div, serial=serial, kind=row["kind"], funding=row["funding"], elder=elders[0], place=row["place"].strip(),
        interval_s=int(interval), created_at=now, changed_at=now,
    )  # fmt: skip
    with at_field("text"):
        device.set_sim(normalise_phone(row["sim"]) if row["sim"].strip() else "")
    return device
