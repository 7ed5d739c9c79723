"""What a row of a sheet would change on a file, and whether it speaks of somebody known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from yinling.kernel.names import plain_name
from yinling.kernel.words import N_
from yinling.people.wanted import ERROR, Fault, Truth, Wanted

PLAIN_FIELDS = ("name", "sex", "born_on", "hukou_div")
STOPPING = frozenset({"in_hospital", "in_institution", "moved_away"})
"""Circumstances that stop plans and benefits: they are recorded by their own operation."""


@dataclass(frozen=True)
class Held:
    """A circumstance on file."""

    pk: int
    kind: str
    from_: str
    to: str
    detail: str


@dataclass(frozen=True)
class Keys:
    """The fingerprints of what a row or a file holds in sealed columns."""

    id_number: bytes = b""
    phone: bytes = b""
    contact_phone: bytes = b""


@dataclass(frozen=True)
class OnFile:
    """A file as far as a row may change it."""

    pk: int
    div: str
    name: str
    sex: str
    born_on: str
    id_type: str
    hukou_div: str
    address: str
    died_on: str
    keys: Keys
    held: tuple[Held, ...] = ()
    contacts: tuple[tuple[str, bytes], ...] = ()
    health: frozenset[tuple[str, str]] = frozenset()


@dataclass
class Difference:
    """What would be written."""

    fields: dict[str, str] = field(default_factory=dict)
    home: tuple[str, str] | None = None
    truths: list[Truth] = field(default_factory=list)
    ends: list[tuple[Held, str]] = field(default_factory=list)
    contact: bool = False
    health: dict[str, str] = field(default_factory=dict)
    died_on: str = ""
    moved_on: str = ""
    faults: list[Fault] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.fields
            or self.home
            or self.truths
            or self.ends
            or self.contact
            or self.health
            or self.died_on
            or self.moved_on
        )

    @property
    def names(self) -> list[str]:
        """What is touched, for people."""
        found = list(self.fields)
        found += ["address"] if self.home else []
        found += ["circumstance"] if self.truths or self.ends else []
        found += ["contact_name"] if self.contact else []
        found += [f"health.{kind}" for kind in self.health]
        return found + [name for name in ("died_on", "moved_on") if getattr(self, name)]


def difference(wanted: Wanted, keys: Keys, file: OnFile, today: date) -> Difference:
    """Return what a row would change. What the row does not say stays; the file of a dead person gets no new circumstances."""
    found = Difference()
    for name in PLAIN_FIELDS:
        value = getattr(wanted, name)
        if value and value != getattr(file, name) and not (name == "sex" and value == "9"):
            found.fields[name] = value
    if keys.id_number and keys.id_number != file.keys.id_number:
        found.fields |= {"id_number": wanted.id_number, "id_type": wanted.id_type}
    if keys.phone and keys.phone != file.keys.phone:
        found.fields["phone"] = wanted.phone
    _death(wanted, file, found)
    if not file.died_on:
        _home(wanted, file, found)
        _truths(wanted, file, today, found)
        held = {(name, phone) for name, phone in file.contacts} | {("", phone) for _name, phone in file.contacts}
        found.contact = bool(wanted.contact_name and ("", keys.contact_phone) not in held)
    found.health = {kind: text for kind, text in wanted.health.items() if (kind, text) not in file.health}
    return found


def _death(wanted: Wanted, file: OnFile, found: Difference) -> None:
    if wanted.died_on and not file.died_on:
        found.died_on = wanted.died_on
    elif wanted.died_on and wanted.died_on != file.died_on:
        found.faults.append(
            Fault("died_on", "elder.other_death", N_("档案里登记的去世日期不同，请核实后由街道更正"), level=ERROR)
        )


def _home(wanted: Wanted, file: OnFile, found: Difference) -> None:
    div, address = wanted.div or file.div, wanted.address or file.address
    if div != file.div and not wanted.address:
        found.faults.append(Fault("address", "home.no_address", N_("换了社区，请写明新的详细住址"), level=ERROR))
    elif (div, address) != (file.div, file.address):
        found.home = (div, address)


def _truths(wanted: Wanted, file: OnFile, today: date, found: Difference) -> None:
    wished = [dated(one, today) for one in wanted.truths]
    if wanted.moved_on and not any(one.kind == "moved_away" and not one.to for one in file.held):
        found.moved_on = wanted.moved_on
    for one in wished:
        overlapping = [held for held in file.held if held.kind == one.kind and _overlap(held, one)]
        if not overlapping:
            found.truths.append(one)
        elif any(one.detail and held.detail != one.detail for held in overlapping):
            found.ends += [(held, one.from_) for held in overlapping]
            found.truths.append(one)
        else:
            found.ends += [(held, one.to) for held in overlapping if one.to and not held.to]


def dated(truth: Truth, today: date) -> Truth:
    """Return the circumstance with its first day: one without a day holds from the day of the import."""
    return truth if truth.from_ else Truth(truth.kind, today.isoformat(), truth.to, truth.detail)


def _overlap(held: Held, wished: Truth) -> bool:
    return (not wished.to or held.from_ < wished.to) and (not held.to or wished.from_ < held.to)


@dataclass(frozen=True)
class Candidate:
    """A file that may be of the same person, and by what it was found: id, person (name, birth, phone) or home (name, address)."""

    file: OnFile
    why: str


@dataclass(frozen=True)
class Verdict:
    """What is to become of a row: new, changed, same, double or error; with the file it goes to."""

    outcome: str
    elder: int | None = None
    candidates: tuple[Candidate, ...] = ()
    faults: tuple[Fault, ...] = ()
    touched: tuple[str, ...] = ()


def verdict(wanted: Wanted, keys: Keys, candidates: Sequence[Candidate], today: date) -> Verdict:
    """Decide a row that has no errors of its own.

    The same number and name are the same person. Whoever else may be the same is shown to people, unless the row says nothing new.
    """
    by_number = [one for one in candidates if one.why == "id"]
    certain = [one for one in by_number if plain_name(one.file.name) == plain_name(wanted.name)]
    if certain:
        return _update(wanted, keys, certain[0].file, today)
    likely = by_number or [one for one in candidates if not _are_two(wanted, keys, one.file)]
    for one in likely:
        if not by_number and not (change := difference(wanted, keys, one.file, today)) and not change.faults:
            return Verdict("same", one.file.pk)
    if likely:
        return Verdict("double", None, tuple(likely))
    missing = [
        Fault(column, code, text, level=ERROR)
        for column, code, text in (
            ("div", "place.missing", N_("新登记的老年人要写明社区（村）")),
            ("address", "address.missing", N_("新登记的老年人要写明详细住址")),
        )
        if not getattr(wanted, column)
    ]
    return Verdict("error", faults=tuple(missing)) if missing else Verdict("new")


def _update(wanted: Wanted, keys: Keys, file: OnFile, today: date) -> Verdict:
    change = difference(wanted, keys, file, today)
    if change.faults:
        return Verdict("error", file.pk, faults=tuple(change.faults))
    return Verdict("changed" if change else "same", file.pk, touched=tuple(change.names))


def _are_two(wanted: Wanted, keys: Keys, file: OnFile) -> bool:
    """Whether a namesake is surely somebody else: another number and another birth date, such as father and son in one home."""
    other_number = bool(keys.id_number and file.keys.id_number and keys.id_number != file.keys.id_number)
    return other_number and wanted.born_on != file.born_on
