"""Growth of spill, relate and embed, with a cost model, its check, and its prediction.

``python -m tests.benchmarks.scaling [--users 1000,2000,4000] [--steps spill,relate,read,svd,walk]`` makes
libraries of about 50 tracks and spills them page by page into SQLite, and into PostgreSQL if
``HARVEST_TEST_POSTGRES_URL`` names a server; without the step ``spill``, they are written in bulk. Each step
runs in a process of its own: CPU seconds of all its threads, and of the server if it is on this machine, and
peak memory.

The model is fitted to all sizes but the largest, and predicts that one; ``ratio`` is predicted by measured.
Fitted to all sizes, it predicts the costs of 1, 10 and 100 million users.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.relationships.engine import MIN_COMPILED_WORK
from tests.benchmarks.relationships.process import measure
from tests.benchmarks.scaling import steps
from tests.benchmarks.scaling.model import DRIVERS, Point, extrapolate, fit, predict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.scaling.steps import World

STEPS: dict[str, Callable[[str, int], int]] = {
    "spill": steps.spill,
    "relate": steps.relate,
    "read": steps.read_corpus,
    "svd": steps.fit_svd,
    "walk": steps.fit_walk,
}
FAR = {"1M": 1_000_000, "10M": 10_000_000, "100M": 100_000_000}
LIMIT_S = 7_200


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("scaling", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--users", default="1000,2000,4000", help="sizes (default 1000,2000,4000)")
    parser.add_argument("--steps", default=",".join(STEPS), help="steps (default all)")
    asked = parser.parse_args(arguments)
    sizes = sorted(int(size) for size in asked.users.split(","))
    worlds = [measure(steps.describe, users).answer for users in sizes]
    if worlds[-1].meetings >= MIN_COMPILED_WORK:
        measure(steps.warm_up)
    server = os.environ.get("HARVEST_TEST_POSTGRES_URL")
    for place in ("sqlite", "postgresql")[: 2 if server else 1]:
        points = []
        for world in worlds:
            with _file() if place == "sqlite" else _database(server or "") as url:
                points.append(measure_point(url, world, asked.steps.split(",")))
        _print_points(place, points)
        _print_check(points)
        _print_forecast(points)
    return 0


def measure_point(url: str, world: World, chosen: list[str]) -> Point:
    """Return the costs of the chosen steps on an empty database, which is filled in bulk if not spilled."""
    costs: dict[str, float] = {}
    if "spill" not in chosen:
        costs["database MB"] = measure(steps.fill, url, world.users, limit=LIMIT_S).answer / 1e6
    for name, step in STEPS.items():
        if name not in chosen:
            continue
        before = server_seconds(url)
        found = measure(step, url, world.users, limit=LIMIT_S)
        if found.failed:
            raise SystemExit(f"nothing measured: {name} of {world.users:,} users: {found.answer}")
        costs[f"{name} cpu s"] = found.cpu
        costs[f"{name} MB"] = found.peak_mb
        if not url.startswith("sqlite"):
            costs[f"{name} server s"] = server_seconds(url) - before
        if name == "spill":
            costs["database MB"] = found.answer / 1e6
    return Point(world, {name: cost for name, cost in costs.items() if name in DRIVERS})


@contextmanager
def _file() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
        yield f"sqlite:///{Path(folder) / 'harvest.db'}"


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"scaling_{os.getpid()}"
    engine = _connect(server)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def _connect(url: str) -> sa.Engine:
    return sa.create_engine(
        url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )


def server_seconds(url: str) -> float:
    """Return the CPU seconds of the server and of its processes that have ended, if it is on this machine."""
    if url.startswith("sqlite"):
        return 0.0
    with _connect(url).connect() as connection:
        pid = str(connection.scalar(sa.text("SELECT pg_read_file('postmaster.pid')"))).split()[0]
    state = Path(f"/proc/{pid}/stat")
    if not state.exists():
        return 0.0
    ticks = state.read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _print_points(place: str, points: list[Point]) -> None:
    print(f"\n{place}")
    counts = ("users", "tracks", "likes", "meetings", "ways")
    _row("measured", *(f"{point.world.users:,}" for point in points))
    for name in counts[1:]:
        _row(name, *(f"{getattr(point.world, name):,}" for point in points))
    for name in points[0].costs:
        _row(name, *(f"{point.costs[name]:,.1f}" for point in points))
    likes = points[-1].world.likes
    _row("bytes per like", f"{points[-1].costs['database MB'] * 1e6 / likes:,.0f}")


def _print_check(points: list[Point]) -> None:
    print()
    _row(f"at {points[-1].world.users:,} users", "predicted", "measured", "ratio")
    for name, measured in points[-1].costs.items():
        predicted = predict(fit(points[:-1], name), name, points[-1].world)
        _row(name, f"{predicted:,.1f}", f"{measured:,.1f}", f"{predicted / max(measured, 1e-9):.2f}")


def _print_forecast(points: list[Point]) -> None:
    print()
    worlds = [extrapolate([point.world for point in points], users) for users in FAR.values()]
    _row("predicted", *FAR)
    for name in ("likes", "meetings", "ways"):
        _row(name, *(f"{getattr(world, name):.2e}" for world in worlds))
    for name in points[0].costs:
        factors = fit(points, name)
        _row(name, *(f"{predict(factors, name, world):,.0f}" for world in worlds))


def _row(first: str, *others: str) -> None:
    print(f"  {first:<18}", *(f"{cell:>15}" for cell in others), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
