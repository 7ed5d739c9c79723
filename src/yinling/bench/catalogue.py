"""The list of benches, readable before Django is set up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bench:
    """A bench: what it measures and how many minutes it takes with the data at hand."""

    name: str
    purpose: str
    quick_minutes: float
    full_minutes: float
    options: tuple[str, ...] = ()
    """Words of the command line that only some benches know."""
    file: str = ""
    """Its module, where another has its name already."""

    @property
    def module(self) -> str:
        """Return the name of the module that measures."""
        return f"yinling.bench.{self.file or self.name}"

    def minutes(self, *, quick: bool) -> float:
        """Return the expected time."""
        return self.quick_minutes if quick else self.full_minutes


DATA_MINUTES = 0.7
SEED = 332
"""Of the demo city (``demo.load.SEED``), readable without Django."""
PLANNER_SEED = 1
"""Of the batch planner in every bench."""
BENCHES = {
    bench.name: bench
    for bench in (
        Bench(
            "pages", "十个主要页面 ten main pages at 5,000 elders: time, queries, CPU, database", 0.5, 3, ("elders",)
        ),
        Bench("loop", "完整服务闭环 complete service loops a second through the HTTP API, 8 clients", 1, 4),
        Bench("supervision", "从签到到预警 from check-in to finding; rows a second of one live round", 1, 4),
        Bench("registry", "全市底册 1.9 million elders: load, look-ups, eligibility", 1.5, 15),
        Bench(
            "dispatch",
            "批量排班 the batch planner on published instances, against VROOM and PyVRP",
            2.5,
            50,
            ("instances", "seconds", "write"),
        ),
        Bench(
            "city",
            "全市排班 the day of a city: 100 streets, one through the database, a sick carer",
            2.5,
            11,
            file="cityday",
        ),
        Bench("rank", "一张订单的推荐 one order among 20,000 carers: process, HTTP with the write, SQL", 2, 4),
        Bench("calls", "热线 the line: arrival to ring, screen pop, a burst; sipp, edge, line process, pages", 4, 20),
        Bench(
            "devices",
            "设备 300 messages a second through the broker into the database; message to alarm, to the desk",
            1.5,
            5,
        ),
        Bench("settle", "结算 visits settled a second, batch and one by one; balances of 20 million entries", 2.5, 12),
        Bench("start", "首次与再次启动 first and later start of ./run, packages cached", 2, 4),
    )
}
