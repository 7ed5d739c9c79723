"""The published objective of a solution file, recomputed from the instance file and the solution file alone.

Reads both itself and shares no code with the planner. A solution that breaks a rule is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ROUNDING = 1.5e-3
"""Minutes. Solution files may round their moments to three decimals."""


class Infeasible(ValueError):  # noqa: N818 - says what is the matter
    """A solution that is none; the message says why."""


@dataclass(frozen=True)
class Published:
    """The three parts and their third."""

    travel: float
    total_tardiness: float
    max_tardiness: float

    @property
    def cost(self) -> float:
        """Return the published objective."""
        return (self.travel + self.total_tardiness + self.max_tardiness) / 3


@dataclass(frozen=True)
class Done:
    """One service as the solution says it was done."""

    caregiver: str
    patient: str
    service: str
    place: int
    start: float
    end: float


def published_cost(
    instance: Mapping[str, Any], solution: Mapping[str, Any], *, rounding: float = ROUNDING
) -> Published:
    """Return the objective of a solution; raise ``Infeasible`` if it is none of this instance."""
    done = _read(instance, solution)
    for route in done.values():
        for one in route:
            _check_stop(instance, one, rounding)
        _check_times(instance, route, rounding)
    for patient in instance["patients"]:
        _check_patient(patient, done, rounding)
    closes = {patient["id"]: float(patient["time_window"][1]) for patient in instance["patients"]}
    late = [max(0.0, one.start - closes[one.patient]) for route in done.values() for one in route]
    travel = sum(length for route in done.values() for length in _ways(instance, route))
    return Published(travel, sum(late), max(late, default=0.0))


def _read(instance: Mapping[str, Any], solution: Mapping[str, Any]) -> dict[str, list[Done]]:
    """Return the routes by caregiver. Row 0 of the matrix is the office, then the patients in their order."""
    places = {patient["id"]: number for number, patient in enumerate(instance["patients"], 1)}
    durations = {
        (patient["id"], one["service"]): float(one["duration"])
        for patient in instance["patients"]
        for one in patient["required_caregivers"]
    }
    known = {caregiver["id"] for caregiver in instance["caregivers"]}
    found: dict[str, list[Done]] = {}
    for route in solution["routes"]:
        name = route["caregiver_id"]
        if name not in known:
            raise Infeasible(f"There is no caregiver {name}.")
        if name in found:
            raise Infeasible(f"Caregiver {name} has two routes.")
        found[name] = []
        for stop in route["locations"]:
            patient, service = stop["patient"], stop["service"]
            if (patient, service) not in durations:
                raise Infeasible(f"Patient {patient} does not need service {service}.")
            end = float(stop["departure_time"])
            start = end - durations[patient, service]
            if float(stop["arrival_time"]) > start + ROUNDING:
                raise Infeasible(f"{name} leaves patient {patient} before service {service} can be over.")
            found[name].append(Done(name, patient, service, places[patient], start, end))
    return found


def _check_stop(instance: Mapping[str, Any], one: Done, rounding: float) -> None:
    abilities = next(row["abilities"] for row in instance["caregivers"] if row["id"] == one.caregiver)
    if one.service not in abilities:
        raise Infeasible(f"Caregiver {one.caregiver} is not able to do {one.service} at patient {one.patient}.")
    opens = float(instance["patients"][one.place - 1]["time_window"][0])
    if one.start < opens - rounding:
        raise Infeasible(f"Service {one.service} at patient {one.patient} starts before {opens:g}.")


def _check_times(instance: Mapping[str, Any], route: list[Done], rounding: float) -> None:
    free = 0.0
    for one, way in zip(route, _ways(instance, route), strict=False):
        if one.start < free + way - rounding:
            raise Infeasible(f"{one.caregiver} cannot be at patient {one.patient} by {one.start:.3f}.")
        free = one.end


def _ways(instance: Mapping[str, Any], route: list[Done]) -> Iterator[float]:
    if not route:
        return
    here = 0
    for one in route:
        yield float(instance["distances"][here][one.place])
        here = one.place
    yield float(instance["distances"][here][0])


def _check_patient(patient: Mapping[str, Any], done: Mapping[str, list[Done]], rounding: float) -> None:
    mine = [one for route in done.values() for one in route if one.patient == patient["id"]]
    starts = []
    for needed in patient["required_caregivers"]:
        found = [one for one in mine if one.service == needed["service"]]
        if len(found) != 1:
            raise Infeasible(f"Service {needed['service']} at patient {patient['id']} is done {len(found)} times.")
        starts.append(found[0].start)
    if len(starts) == 1:
        return
    if mine[0].caregiver == mine[1].caregiver:
        raise Infeasible(f"One caregiver does both services at patient {patient['id']}.")
    synchronization = patient["synchronization"]
    least, most = (0.0, 0.0) if synchronization["type"] == "simultaneous" else map(float, synchronization["distance"])
    gap = starts[1] - starts[0]
    if not least - rounding <= gap <= most + rounding:
        raise Infeasible(f"The services at patient {patient['id']} start {gap:.3f} apart, not {least:g} to {most:g}.")
