"""The proven optimum of a small day by CP-SAT: one circuit a carer, moments in whole minutes.

Knows windows (soft and hard), abilities, doubles with their gap, shifts, ends of the day, modes, order, locked carers, wishes and visits left
out; the cost is that of ``planner.problem`` with travel, tardiness, worst, wish and left_out.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from ortools.sat.python import cp_model

from yinling.dispatch.planner.problem import Problem, Weights, Worker

HORIZON = 3_000
LONGEST = 60.0
Literal = cp_model.IntVar


class Model:
    """The variables of one day: who goes where after what, when each task starts, what is left out."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.tasks = [(number, task) for number, visit in enumerate(problem.visits) for task in range(len(visit.tasks))]
        self.row = {key: row for row, key in enumerate(self.tasks)}
        self.starts = [self.model.new_int_var(0, HORIZON, "") for _ in self.tasks]
        self.served = [self.model.new_bool_var("") for _ in problem.visits]
        self.by = [[self.model.new_bool_var("") for _ in problem.workers] for _ in self.tasks]
        self.travel: list[cp_model.LinearExpr] = []
        for number, worker in enumerate(problem.workers):
            self._route(number, worker)
        self._who()
        self._when()

    def _way(self, worker: Worker, here: int, there: int) -> int:
        return int(self.problem.travel[worker.mode, here, there])

    def _route(self, number: int, worker: Worker) -> None:
        """One ring through the home (node 0) and the tasks of this carer; who is not in it points to itself."""
        idle = self.model.new_bool_var("")
        arcs = [(0, 0, idle)]
        places = [self.problem.visits[visit].place for visit, _ in self.tasks]
        for row, (here, place) in enumerate(zip(self.starts, places, strict=True)):
            leaves, comes = self.model.new_bool_var(""), self.model.new_bool_var("")
            out, back = self._way(worker, worker.start, place), self._way(worker, place, worker.end)
            minutes = self._minutes(row)
            arcs += [(row + 1, row + 1, ~self.by[row][number]), (0, row + 1, leaves), (row + 1, 0, comes)]
            self.model.add(here >= int(worker.day_from) + out).only_enforce_if(leaves)
            if worker.day_to < HORIZON:
                self.model.add(here + minutes + back <= int(worker.day_to)).only_enforce_if(comes)
            self.travel += [out * leaves, back * comes]
        for one, two in product(range(len(self.tasks)), repeat=2):
            if one == two:
                continue
            goes, way = self.model.new_bool_var(""), self._way(worker, places[one], places[two])
            arcs.append((one + 1, two + 1, goes))
            self.model.add(self.starts[two] >= self.starts[one] + self._minutes(one) + way).only_enforce_if(goes)
            self.travel.append(way * goes)
        self.model.add_circuit(arcs)

    def _minutes(self, row: int) -> int:
        visit, task = self.tasks[row]
        return int(self.problem.visits[visit].tasks[task].minutes)

    def _who(self) -> None:
        for row, (number, task) in enumerate(self.tasks):
            visit = self.problem.visits[number]
            self.model.add(sum(self.by[row]) == self.served[number])
            for worker, literal in enumerate(self.by[row]):
                locked = visit.carers[task] if visit.carers else -1
                if not self.problem.may[row, worker] or locked not in (-1, worker):
                    self.model.add(literal == 0)
        for number, visit in enumerate(self.problem.visits):
            if len(visit.tasks) > 1:
                first, second = self.by[self.row[number, 0]], self.by[self.row[number, 1]]
                for one, two in zip(first, second, strict=True):
                    self.model.add_at_most_one([one, two])

    def _when(self) -> None:
        numbers = {visit.id: number for number, visit in enumerate(self.problem.visits)}
        for number, visit in enumerate(self.problem.visits):
            rows = [self.row[number, task] for task in range(len(visit.tasks))]
            served = self.served[number]
            for row in rows:
                self.model.add(self.starts[row] >= int(visit.opens))
                if visit.is_hard:
                    self.model.add(self.starts[row] <= int(visit.closes)).only_enforce_if(served)
            if len(rows) > 1:
                gap = self.starts[rows[1]] - self.starts[rows[0]]
                self.model.add_linear_constraint(gap, int(visit.gap[0]), int(visit.gap[1])).only_enforce_if(served)
            if visit.after:
                earlier = numbers[visit.after]
                self.model.add_implication(served, self.served[earlier])
                for task, row in product(range(len(self.problem.visits[earlier].tasks)), rows):
                    before = self.row[earlier, task]
                    free = self.starts[before] + self._minutes(before) + int(visit.after_minutes)
                    self.model.add(self.starts[row] >= free).only_enforce_if(served)

    def cost(self, weights: Weights) -> tuple[cp_model.LinearExprT, int]:
        """Return the cost times a whole number, and that number."""
        wanted = (weights.travel, weights.tardiness, weights.worst, weights.wish, weights.left_out)
        fractions = [Fraction(one).limit_denominator(12) for one in wanted]
        scale = 12
        travel, tardiness, worst, wish, left_out = (int(one * scale) for one in fractions)
        late = []
        most = self.model.new_int_var(0, HORIZON, "")
        for row, (number, _) in enumerate(self.tasks):
            one = self.model.new_int_var(0, HORIZON, "")
            closes = int(self.problem.visits[number].closes)
            self.model.add(one >= self.starts[row] - closes).only_enforce_if(self.served[number])
            self.model.add(most >= one)
            late.append(one)
        left = [
            int(visit.priority) * len(visit.tasks) * (1 - served)
            for visit, served in zip(self.problem.visits, self.served, strict=True)
        ]
        wishes = self.problem.wishes
        wished = [] if wishes is None else [
            int(wishes[row, worker]) * literal for row, line in enumerate(self.by) for worker, literal in enumerate(line)
        ]  # fmt: skip
        total = travel * sum(self.travel) + tardiness * sum(late) + worst * most
        return total + wish * sum(wished) + left_out * sum(left), scale


def optimum(problem: Problem, weights: Weights, *, seconds: float = LONGEST) -> float | None:
    """Return the least cost, or None if it was not proven in time."""
    model = Model(problem)
    cost, scale = model.cost(weights)
    model.model.minimize(cost)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    status = solver.solve(model.model)
    return solver.objective_value / scale if status == cp_model.OPTIMAL else None
