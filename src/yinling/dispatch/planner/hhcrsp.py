"""Reader and writer of the published benchmark files (JSON, plain or gzip) of home health care routing and scheduling."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinling.dispatch.planner.problem import Plan, Problem, Task, Visit, Worker

SERVICES_AT_MOST = 2
TIME_STEP = 1e-9


class BadInstance(ValueError):  # noqa: N818 - it says what is bad
    """The file is not an instance of the published format; the message says where."""


@dataclass(frozen=True, eq=False)
class Instance:
    """A published instance as a problem, with the names that its solution file needs and the distances unrounded."""

    name: str
    problem: Problem
    visits: tuple[str, ...]
    services: tuple[tuple[str, ...], ...]
    carers: tuple[str, ...]
    distances: NDArray[np.float64]


def read_instance(path: str | Path) -> Instance:
    """Read an instance file; place 0 is the office, where every route starts and ends, place ``i`` the i-th patient."""
    data = _load(Path(path))
    try:
        return _instance(Path(path).name.split(".json")[0], data)
    except BadInstance:
        raise
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise BadInstance(
            f"{path}: not an instance of the published format ({type(error).__name__}: {error})"
        ) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        data = json.loads(text)
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInstance(f"{path}: cannot be read ({error})") from error
    if not isinstance(data, dict):
        raise BadInstance(f"{path}: the file must hold one JSON object")
    return data


def _instance(name: str, data: Mapping[str, Any]) -> Instance:
    patients, carers = data["patients"], data["caregivers"]
    size = len(patients) + 1
    try:
        distances = np.array(data["distances"], dtype=np.float64)
    except ValueError as error:
        raise BadInstance(f"{name}: distances must be {size} rows of {size} numbers") from error
    if distances.shape != (size, size):
        raise BadInstance(
            f"{name}: distances must be {size} x {size} (the office, then the patients), not {distances.shape}"
        )
    visits = tuple(_visit(row, place) for place, row in enumerate(patients, 1))
    may = [[task.id in carer["abilities"] for carer in carers] for visit in visits for task in visit.tasks]
    problem = Problem(
        visits=visits,
        workers=tuple(Worker(id=str(carer["id"]), start=0, end=0) for carer in carers),
        travel=distances.astype(np.float32)[None],
        may=np.array(may, dtype=np.bool_).reshape(-1, len(carers)),
    )
    services = tuple(tuple(task.id for task in visit.tasks) for visit in visits)
    return Instance(
        name, problem, tuple(visit.id for visit in visits), services, tuple(w.id for w in problem.workers), distances
    )


def _visit(row: Mapping[str, Any], place: int) -> Visit:
    needs = row["required_caregivers"]
    if not 1 <= len(needs) <= SERVICES_AT_MOST:
        raise BadInstance(f"patient {row['id']}: one or two required_caregivers, not {len(needs)}")
    gap = (0.0, 0.0)
    if len(needs) == SERVICES_AT_MOST:
        kind = row["synchronization"]["type"]
        if kind not in ("simultaneous", "sequential"):
            raise BadInstance(f"patient {row['id']}: synchronization is simultaneous or sequential, not {kind}")
        if kind == "sequential":
            least, most = row["synchronization"]["distance"]
            gap = (float(least), float(most))
    opens, closes = row["time_window"]
    tasks = tuple(Task(str(need["service"]), float(need["duration"])) for need in needs)
    return Visit(id=str(row["id"]), place=place, opens=float(opens), closes=float(closes), tasks=tasks, gap=gap)


def write_solution(instance: Instance, plan: Plan) -> dict[str, Any]:
    """Return the published solution format; the times are worked out anew from the unrounded distances."""
    starts = exact_starts(instance, plan)
    routes = []
    for carer, stops in zip(instance.carers, plan.routes, strict=True):
        locations = [
            {
                "patient": instance.visits[stop.visit],
                "service": instance.services[stop.visit][stop.task],
                "arrival_time": round(starts[stop.visit, stop.task], 6),
                "departure_time": round(starts[stop.visit, stop.task] + stop.ends - stop.starts, 6),
            }
            for stop in stops
        ]
        routes.append({"caregiver_id": carer, "locations": locations})
    return {"routes": routes}


def exact_starts(instance: Instance, plan: Plan) -> dict[tuple[int, int], float]:
    """Return the earliest start of each (visit, task) in the order of the plan: raised round by round until nothing moves."""
    visits = instance.problem.visits
    starts = {(stop.visit, stop.task): visits[stop.visit].opens for stops in plan.routes for stop in stops}
    moved = True
    while moved:
        before = dict(starts)
        for stops in plan.routes:
            free, place = 0.0, 0
            for stop in stops:
                here = visits[stop.visit]
                arrival = free + instance.distances[place, here.place]
                starts[stop.visit, stop.task] = max(starts[stop.visit, stop.task], float(arrival))
                _keep_gap(starts, stop.visit, here.gap)
                free, place = starts[stop.visit, stop.task] + here.tasks[stop.task].minutes, here.place
        moved = any(starts[key] > before[key] + TIME_STEP for key in starts)
    return starts


def _keep_gap(starts: dict[tuple[int, int], float], visit: int, gap: tuple[float, float]) -> None:
    if (visit, 1) in starts and (visit, 0) in starts:
        starts[visit, 1] = max(starts[visit, 1], starts[visit, 0] + gap[0])
        starts[visit, 0] = max(starts[visit, 0], starts[visit, 1] - gap[1])
