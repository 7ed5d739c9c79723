"""A city profile: everything that makes a folder below ``cities/`` a city, read and checked before anything is loaded."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from yinling.assessment.inputs import SCALES
from yinling.catalogue.models import BASIC, FAMILIES, ITEM_KINDS, PriceList
from yinling.demo.reading import Document, ProfileError, Row, read_table
from yinling.directory.models import DATUMS, PRICE_GROUPS, Area, Qualification
from yinling.entitlements.conditions import ConditionError
from yinling.entitlements.models import PAYERS
from yinling.entitlements.queries.eligibility import key_of, terms_of
from yinling.ground.models import CalendarDay
from yinling.ground.parameters import product_files
from yinling.kernel.geo import Datum, Position, inside
from yinling.kernel.parameters import ParameterError, Parameters, load
from yinling.kernel.period import DayPeriod
from yinling.kernel.words import N_
from yinling.orders.pricing import LEVELS as WHO_COMES
from yinling.orders.rules import SERVICES

LEVELS = tuple(level for level, _ in Area.LEVELS)
STATISTICAL = ("统计用园区农场", "统计用功能区", "虚拟社区")
CODE_LENGTH = 12
LONGEST_MINUTES = 600


@dataclass(frozen=True)
class AreaRow:
    """A division of the tree."""

    div: str
    code: str
    name: str
    short_name: str
    level: str
    kind: str
    parent: str | None
    is_statistical: bool


@dataclass(frozen=True)
class PriceRow:
    """What one list asks for one item."""

    item: str
    amount_fen: int
    callout_fee_fen: int


@dataclass(frozen=True)
class PriceTable:
    """A price list with its days, of every provider or of a price group."""

    document: str
    basis: str
    valid: DayPeriod
    rows: tuple[PriceRow, ...]
    document_on: date | None = None
    price_group: str = ""
    callout: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """A checked profile."""

    code: str
    name: str
    area: str
    city: dict[str, Any]
    areas: tuple[AreaRow, ...]
    outlines: dict[str, dict[str, Any]]
    old_codes: tuple[Row, ...]
    street_points: dict[str, tuple[float, float]]
    calendar: tuple[tuple[date, str, str], ...]
    calendar_source: str
    items: tuple[dict[str, Any], ...]
    price_tables: tuple[PriceTable, ...]
    schemes: tuple[dict[str, Any], ...]
    parameters: Parameters

    @property
    def dialect(self) -> str:
        """What people speak there, if the profile says."""
        return next(iter(self.city.get("dialects", ())), "")


def validate(code: str, cities: Path | None = None) -> Profile:
    """Read and check a profile. Raises ProfileError, or ParameterError for its parameter files."""
    folder = (cities or settings.CITIES) / code
    document = Document(folder / "city.yaml")
    city = _city(document, code)
    areas = _areas(folder / city["areas"]["file"], city["area"])
    outlines = _outlines(folder / city["outlines"]["file"], areas)
    calendar = folder / city["calendar"]
    items = _items(Document(folder / city["items"]))
    parameters = _parameters(folder, city["area"])
    points = _street_points(folder / city["street_points"], areas, outlines) if "street_points" in city else {}
    return Profile(
        code=code, name=city["name"], area=city["area"], city=city, areas=areas, outlines=outlines,
        old_codes=tuple(read_table(folder / city["old_codes"], ("code", "name", "first_year", "last_year", "status", "now_code", "note"))),
        street_points=points, calendar=_calendar(calendar), calendar_source=calendar.name, items=items,
        price_tables=_price_tables(Document(folder / city["prices"]), {item["code"] for item in items}),
        schemes=_schemes(Document(folder / city["schemes"]), city["area"], parameters), parameters=parameters,
    )  # fmt: skip


def check() -> list[str]:
    """Return what is wrong with the profiles that ship, one complaint for each city."""
    complaints = []
    for path in sorted(settings.CITIES.glob("*/city.yaml")):
        try:
            validate(path.parent.name)
        except ParameterError as error:
            complaints.append(str(error))
    return complaints


def trimmed(code: str, level: str) -> str:
    """Return a twelve-digit code without the zeros that mean "all of it"."""
    if level == "community":
        return code
    if level == "street":
        return code[:9]
    return re.sub(r"(00)+$", "", code[:6])


def _city(document: Document, code: str) -> dict[str, Any]:
    needed = {
        "code": str, "name": str, "area": str, "plan": dict, "brand": dict, "hotline": str, "calendar": str, "areas": dict,
        "outlines": dict, "old_codes": str, "items": str, "prices": str, "schemes": str,
    }  # fmt: skip
    city = document.check((), needed, {"street_points": str, "dialects": list, "demo_area": str})
    document.check(("plan",), {"name": str, "from": date}, {"to": date})
    document.check(("brand",), {"name": str, "subtitle": str, "owner": str})
    document.check(("areas",), {"file": str, "source": str, "valid_from": date})
    outlines = document.check(("outlines",), {"file": str, "datum": str, "source": str})
    if city["code"] != code:
        document.fail(("code",), N_("应与文件夹名“%(folder)s”相同，请改正"), folder=code)
    if not re.fullmatch(r"\d{2}|\d{4}|\d{6}", city["area"]):
        document.fail(("area",), N_("应是带引号的2、4或6位区划代码，例如 “3202”，请改正"))
    if outlines["datum"] not in dict(DATUMS):
        document.fail(("outlines", "datum"), N_("只能是 %(known)s"), known=", ".join(dict(DATUMS)))
    return city


def _areas(path: Path, area: str) -> tuple[AreaRow, ...]:
    found: dict[str, AreaRow] = {}
    by_code: dict[str, AreaRow] = {}
    for row in read_table(path, ("code", "name", "level", "parent_code", "kind", "short_name")):
        new = _area(row, by_code)
        if new.div in found:
            row.fail("code", N_("代码 %(code)s 重复，请删去一行"), code=new.code)
        if not new.div.startswith(area):
            row.fail("code", N_("代码 %(code)s 不在 %(area)s 之下，请改正"), code=new.code, area=area)
        found[new.div] = by_code[new.code] = new
    cities = [new for new in found.values() if new.level == "city"]
    if [new.div for new in cities] != [area]:
        raise ProfileError(str(path), 2, "level", N_("应恰有一行是市（%(area)s），请改正"), area=area)
    return tuple(found.values())


def _area(row: Row, known: dict[str, AreaRow]) -> AreaRow:
    level = row["level"]
    if not re.fullmatch(rf"\d{{{CODE_LENGTH}}}", row["code"]):
        row.fail("code", N_("应是12位数字，请改正"))
    if level not in LEVELS:
        row.fail("level", N_("只能是 %(known)s"), known=", ".join(LEVELS))
    parent = known.get(row["parent_code"])
    if level != "city" and (parent is None or LEVELS.index(parent.level) >= LEVELS.index(level)):
        row.fail("parent_code", N_("上级 %(code)s 不在前面的行中，请补上或改正"), code=row["parent_code"])
    return AreaRow(
        div=trimmed(row["code"], level), code=row["code"], name=row["name"], short_name=row["short_name"] or row["name"], level=level,
        kind=row["kind"], parent=parent.div if parent else None,
        is_statistical=row["kind"] in STATISTICAL or bool(parent and parent.is_statistical),
    )  # fmt: skip


def _outlines(path: Path, areas: tuple[AreaRow, ...]) -> dict[str, dict[str, Any]]:
    """Return the features by trimmed code."""
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = N_("读不出轮廓，请提供带 features 的 GeoJSON（%(error)s）")
        raise ProfileError(str(path), getattr(error, "lineno", 1), "features", reason, error=error) from error
    divs = {area.code: area.div for area in areas}
    found: dict[str, dict[str, Any]] = {}
    for index, feature in enumerate(features):
        code = str(feature.get("properties", {}).get("code", ""))
        place = f"features.{index}"
        if code not in divs:
            raise ProfileError(str(path), 1, f"{place}.code", N_("区划代码 %(code)s 不在 areas 中"), code=code)
        if feature.get("geometry", {}).get("type") not in ("Polygon", "MultiPolygon"):
            raise ProfileError(str(path), 1, f"{place}.geometry", N_("应是 Polygon 或 MultiPolygon"))
        if len(feature["properties"].get("label_point", ())) != len(("lon", "lat")):
            raise ProfileError(str(path), 1, f"{place}.label_point", N_("缺少标注点 [经度, 纬度]，请补上"))
        found[divs[code]] = feature
    return found


def _street_points(
    path: Path, areas: tuple[AreaRow, ...], outlines: dict[str, dict[str, Any]]
) -> dict[str, tuple[float, float]]:
    streets = {area.div: area for area in areas if area.level == "street"}
    found = {}
    for row in read_table(path, ("code", "lon", "lat")):
        street = streets.get(row["code"])
        if street is None:
            row.fail("code", N_("没有街道（镇）%(code)s，请改正"), code=row["code"])
        lon, lat = row.number("lon"), row.number("lat")
        outline = outlines.get(street.parent or "")
        if outline and not inside(Position(lon, lat, Datum.WGS84), outline["geometry"]):
            row.fail("lon", N_("位置不在%(name)s所属区县的轮廓内，请改正"), name=street.name)
        found[street.div] = (lon, lat)
    return found


def _calendar(path: Path) -> tuple[tuple[date, str, str], ...]:
    kinds = (CalendarDay.HOLIDAY, CalendarDay.MAKEUP)
    found: dict[date, tuple[date, str, str]] = {}
    for row in read_table(path, ("date", "kind", "name")):
        try:
            day = date.fromisoformat(row["date"])
        except ValueError:
            row.fail("date", N_("“%(text)s”不是日期，请改正"), text=row["date"])
        if row["kind"] not in kinds:
            row.fail("kind", N_("只能是 %(known)s"), known=", ".join(kinds))
        if day in found:
            row.fail("date", N_("%(day)s 写了两次，请删去一行"), day=day)
        found[day] = (day, row["kind"], row["name"])
    return tuple(found.values())


ITEM = {
    "code": str, "family": str, "name": str, "description": str, "standard": str, "standard_minutes": int, "steps": list,
    "needs_qualification": str, "department": str, "guide": str, "support_policy": str,
}  # fmt: skip
ITEM_OPTIONAL = {
    "carers_needed": int, "is_medical": bool, "charges_callout": bool, "kind": str, "scales": list, "units": list, "is_insurable": bool,
    "needs_visit": bool,
}  # fmt: skip


def _one_of(document: Document, place: tuple[str | int, ...], known: tuple[str, ...]) -> None:
    if document.at(place) not in known:
        document.fail(place, N_("只能是 %(known)s"), known=", ".join(known))


def _check_kind(document: Document, index: int, item: dict[str, Any]) -> None:
    """An assessment names its clinical scales, any other item none."""
    known, named = [scale_id for scale_id, _name in SCALES], item.get("scales", [])
    if item.get("kind", "service") not in {kind for kind, _name in ITEM_KINDS}:
        _one_of(document, ("items", index, "kind"), tuple(kind for kind, _name in ITEM_KINDS))
    if (item.get("kind") == "scale_assessment") != bool(named) or set(map(str, named)) - set(known):
        sentence = N_("量表评估项目（kind: scale_assessment）应写明 scales：%(known)s，其他项目不写")
        document.fail(("items", index, "code"), sentence, known=", ".join(known))


def _items(document: Document) -> tuple[dict[str, Any], ...]:
    top = document.check((), {"items": list})
    families = tuple(code for code, _ in FAMILIES)
    items = [document.check(("items", index), ITEM, ITEM_OPTIONAL) for index in range(len(top["items"]))]
    codes = Counter(item["code"] for item in items)
    for index, item in enumerate(items):
        _one_of(document, ("items", index, "family"), families)
        _one_of(document, ("items", index, "needs_qualification"), tuple(kind for kind, _ in Qualification.KINDS))
        _check_kind(document, index, item)
        is_service = item.get("kind", "service") in SERVICES
        if not is_service and (item["standard_minutes"] or item["steps"]):
            document.fail(
                ("items", index, "standard_minutes"), N_("药品、耗材、床日和费用没有服务时间和步骤，请写 0 和 []")
            )
        if is_service and not 0 < item["standard_minutes"] <= LONGEST_MINUTES:
            document.fail(("items", index, "standard_minutes"), N_("应在1至600分钟之间"))
        if item.get("carers_needed", 1) not in (1, 2):
            document.fail(("items", index, "carers_needed"), N_("每个项目派 1 人或 2 人同去，请写 1 或 2"))
        if (is_service and not item["steps"]) or not all(isinstance(step, str) for step in item["steps"]):
            document.fail(("items", index, "steps"), N_("应列出服务步骤，每步一句文字"))
        if codes[item["code"]] > 1:
            document.fail(("items", index, "code"), N_("代码 %(code)s 重复，请改正"), code=item["code"])
    missing = [family for family in BASIC if family not in {item["family"] for item in items}]
    if missing:
        document.fail(("items",), N_("五类基本服务缺少 %(missing)s，请补上"), missing=", ".join(missing))
    return tuple(items)


def _price_tables(document: Document, items: set[str]) -> tuple[PriceTable, ...]:
    top = document.check((), {"lists": list})
    tables = []
    spans: dict[str, list[DayPeriod]] = {}
    for index in range(len(top["lists"])):
        place = ("lists", index)
        spec = document.check(
            place,
            {"document": str, "basis": str, "valid_from": date, "prices": dict},
            {"valid_to": date, "document_on": date, "price_group": str, "callout": dict},
        )
        _one_of(document, (*place, "basis"), tuple(basis for basis, _ in PriceList.BASES))
        if "price_group" in spec:
            _one_of(document, (*place, "price_group"), tuple(group for group, _ in PRICE_GROUPS))
        if spec["basis"] != "market" and "document_on" not in spec:
            document.fail((*place, "document_on"), N_("核定或招标的价目须写明文件日期 document_on，请补上"))
        if spec.get("valid_to", spec["valid_from"]) < spec["valid_from"]:
            document.fail((*place, "valid_to"), N_("valid_to（含当日）早于 valid_from，请改正"))
        valid = DayPeriod.through(spec["valid_from"], spec.get("valid_to"))
        rows = []
        for item in spec["prices"]:
            rows.append(_price(document, (*place, "prices", item), items))
            if any(other.overlaps(valid) for other in spans.setdefault(item, [])):
                document.fail((*place, "prices", item), N_("同一天有两个价格，请调整各价目的日期"))
            spans[item].append(valid)
        if "callout" in spec:
            _check_callout(document, (*place, "callout"), is_group="price_group" in spec)
        named = (spec.get("document_on"), spec.get("price_group", ""), spec.get("callout", {}))
        tables.append(PriceTable(spec["document"], spec["basis"], valid, tuple(rows), *named))
    if items - set(spans):
        document.fail(
            ("lists",), N_("以下项目没有价格，请补上：%(items)s"), items=", ".join(sorted(items - set(spans)))
        )
    return tuple(tables)


CALLOUT = dict.fromkeys(("base_fen", "free_m", "km_fen", "night_fen", "night_from", "night_to", "holiday_fen"), int)
LAST_HOUR = 23


def _check_callout(document: Document, place: tuple[str | int, ...], *, is_group: bool) -> None:
    """The on-site rate that every body of the list publishes with it."""
    if is_group:
        document.fail(place, N_("上门服务费由各机构自己制定，请写在没有 price_group 的价目里"))
    found = document.check(place, {}, CALLOUT | {"level_fen": dict})
    if "level_fen" in found:
        document.check((*place, "level_fen"), {}, dict.fromkeys(WHO_COMES, int))
    amounts: dict[tuple[str, ...], int] = {(name,): value for name, value in found.items() if name != "level_fen"}
    amounts |= {("level_fen", who): fen for who, fen in found.get("level_fen", {}).items()}
    for name, value in amounts.items():
        if value < 0 or (name[0] in ("night_from", "night_to") and value > LAST_HOUR):
            document.fail((*place, *name), N_("金额和里程不能是负数，时刻是0至23的整点，请改正"))


def _price(document: Document, place: tuple[str | int, ...], items: set[str]) -> PriceRow:
    item = str(place[-1])
    if item not in items:
        document.fail(place, N_("服务清单中没有项目 %(item)s，请改正"), item=item)
    found = document.check(place, {"amount_fen": int}, {"callout_fee_fen": int})
    for name, amount in found.items():
        if amount < 0:
            document.fail((*place, name), N_("价格不能是负数，请改正"))
    return PriceRow(item, found["amount_fen"], found.get("callout_fee_fen", 0))


def _schemes(document: Document, area: str, parameters: Parameters) -> tuple[dict[str, Any], ...]:
    top = document.check((), {"schemes": list})
    known = tuple(code for code, _ in FAMILIES)
    for index in range(len(top["schemes"])):
        place = ("schemes", index)
        spec = document.check(
            place,
            {"code": str, "name": str, "payer": str, "fund": str, "families": list, "document": str},
            {"div": str},
        )
        _one_of(document, (*place, "payer"), tuple(payer for payer, _ in PAYERS))
        for number in range(len(spec["families"])):
            _one_of(document, (*place, "families", number), known)
        if not spec.get("div", area).startswith(area):
            document.fail((*place, "div"), N_("应是 %(area)s 或其下级，请改正"), area=area)
        if key_of(spec["code"]) not in parameters.keys():  # noqa: SIM118 - not a dict
            document.fail((*place, "code"), N_("缺少参数 %(key)s，请在 parameters/ 中补上"), key=key_of(spec["code"]))
        _grades(spec["code"], spec.get("div", area), parameters)
    return tuple(top["schemes"])


def _grades(code: str, area: str, parameters: Parameters) -> None:
    """Read the conditions of a scheme on the first day of each of its entries, as they will be read."""
    for entry in parameters.entries(key_of(code)):
        if area.startswith(entry.area):
            try:
                terms_of(code, area, entry.valid.from_, parameters)
            except ConditionError as error:
                reason = N_("%(place)s：%(reason)s")
                values = {"place": error.place, "reason": error.reason % error.values}
                raise ParameterError(entry.file, entry.line, entry.key, reason, **values) from error


def _parameters(folder: Path, area: str) -> Parameters:
    own = sorted(folder.glob("parameters/*.yaml"))
    for path in own:
        document = Document(path)
        document.check((), {"area": str, "parameters": dict})
        if not document.at(("area",)).startswith(area):
            document.fail(("area",), N_("应是 %(area)s 或其下级，请改正"), area=area)
    return load([*product_files(), *own])
