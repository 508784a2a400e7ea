"""Speed of building relationships: ``python -m tests.benchmarks.relationships [PART] [SCALE]``.

The parts:

- ``ways``: pairs of invented users, playlists and artists, computed by our kernels and by other methods,
  which must give the same result. sparse_dot_topn and duckdb are skipped unless installed (``pip install
  sparse_dot_topn duckdb``).
- ``tables``: from database to database, with the share of each part.
- ``significance``: from database to database with and without the significance of pairs, in turn.
- ``growth``: time and memory from 1,000 to 200,000 users.

A scale of 0.1 makes all worlds a tenth as large. Times are from one run; processor time counts all threads.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.engine import available_processors
from tests.benchmarks.relationships import end_to_end
from tests.benchmarks.relationships.data import libraries, turned
from tests.benchmarks.relationships.process import measure
from tests.benchmarks.relationships.ways import WAYS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.relationships.base import RelationshipType
    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.relationships.keys import Keys

RIVAL_LIMIT_S = 120
MODE_ROUNDS = 2


def main(arguments: list[str]) -> int:
    scale = float(arguments[1]) if len(arguments) > 1 else 1.0
    parts = {"ways": ways, "tables": tables, "significance": significance, "growth": growth}
    for name in arguments[:1] or parts:
        parts[name](scale)
    return 0


def _type(name: str) -> RelationshipType:
    return TYPES[name](HarvestConfig().relationships.section(name))


def ways(scale: float) -> None:
    users, playlists = int(50_000 * scale), int(50_000 * scale)
    likes = libraries(users, 100, int(300_000 * scale))
    worlds = {
        f"users: {users:,} x 100 likes, Jaccard": ("user_similarity", likes),
        f"tracks: {playlists:,} playlists x 60": (
            "track_cooccurrence",
            turned(libraries(playlists, 60, int(400_000 * scale), seed=2)),
        ),
        f"artists: {users:,} fans": (
            "artist_relation",
            turned(libraries(users, 40, int(30_000 * scale), seed=3)),
        ),
    }
    _warm_up()
    for title, (name, nodes) in worlds.items():
        print(f"\n{title}: {len(nodes.ids):,} nodes, {len(nodes.contexts):,} entries")
        _compare(_type(name), nodes)


def _compare(relationship: RelationshipType, nodes: Incidence) -> None:
    print(f"  {'way':<18} {'wall s':>8} {'cpu s':>8} {'peak MB':>8}  times ours (wall, cpu)")
    ours = None
    for way, function in WAYS.items():
        found = measure(_summary, function, relationship, nodes, limit=RIVAL_LIMIT_S)
        if found.failed:
            print(f"  {way:<18} {found.answer}")
            continue
        ours = ours or found
        same = "" if found.answer == ours.answer else "  NOT THE SAME PAIRS"
        print(
            f"  {way:<18} {found.wall:>8.2f} {found.cpu:>8.2f} {found.peak_mb:>8.0f}"
            f"  {found.wall / ours.wall:>5.1f} {found.cpu / ours.cpu:>5.1f}{same}"
        )
    if ours is not None:
        print(f"  {ours.answer[0]:,} pairs")


def _summary(function: object, relationship: RelationshipType, nodes: Incidence) -> tuple[int, int]:
    keys: Keys = function(nodes, relationship, available_processors())  # type: ignore[operator]
    places = np.arange(1, len(keys) + 1, dtype=np.uint64)
    return len(keys), int((keys * places).sum())


def _warm_up() -> None:
    """Compile in another process, so that the measured ones only load the kernels."""
    measure(_summary, compiled, _type("user_similarity"), libraries(3_000, 60, 2_000))


def tables(scale: float) -> None:
    with tempfile.TemporaryDirectory(prefix="relate-") as folder:
        path = Path(folder) / "harvest.db"
        entries = _spill(path, scale)
        _warm_up()
        related = measure(end_to_end.relate, path, limit=3_600)
        print(f"\n{entries}: {related.wall:.1f} s, {related.cpu:.1f} s cpu, peak {related.peak_mb:.0f} MB")
        _row(
            "type",
            "rows",
            "read s",
            "compute s",
            "write s",
            "floor: read",
            "copy",
            "ratio",
            "us a row",
            "by rows",
        )
        total = np.zeros(6)
        for name, row in related.answer.items():
            reading, copying, by_rows = end_to_end.floors(path, name)
            parts = np.array([row["rows"], row["read"], row["compute"], row["write"], reading, copying])
            total += parts
            _shares(name, parts, f"{(row['write']) / max(1, row['rows']) * 1e6:.2f}", f"{by_rows * 1e6:.2f}")
        _shares("total", total)


def significance(scale: float) -> None:
    with tempfile.TemporaryDirectory(prefix="relate-") as folder:
        path, copy = Path(folder) / "harvest.db", Path(folder) / "copy.db"
        print(f"\n{_spill(path, scale)}")
        # Compiles the kernels, so that the measured processes only load them.
        end_to_end.relate(Path(shutil.copy(path, copy)))
        compare_modes(path, copy)


def compare_modes(path: Path, copy: Path) -> None:
    """Relate copies of the database at *path* with and without the significance, in turn."""
    _row("significance", "wall s", "cpu s", "peak MB", "read s", "tested s", "compute s", "write s")
    cpu: dict[str, list[float]] = {"none": [], "bicm": []}
    for mode in ("none", "bicm") * MODE_ROUNDS:
        shutil.copy(path, copy)
        found = measure(end_to_end.relate, copy, mode, limit=3_600)
        cpu[mode].append(found.cpu)
        parts = [
            sum(row.get(part, 0.0) for row in found.answer.values())
            for part in ("read", "significance", "compute", "write")
        ]
        _row(mode, *(f"{figure:,.1f}" for figure in (found.wall, found.cpu, found.peak_mb, *parts)))
    print(f"  {sum(cpu['bicm']) / sum(cpu['none']):.2f} times the processor time of no significance")


def _spill(path: Path, scale: float) -> str:
    """Create a database with libraries and playlists; return what it has."""
    likes = libraries(int(50_000 * scale), 100, int(300_000 * scale))
    playlists = libraries(int(20_000 * scale), 60, int(150_000 * scale), seed=2)
    end_to_end.spill(path, likes, playlists, int(100_000 * scale))
    return f"{len(likes.contexts):,} likes, {len(playlists.contexts):,} places in playlists"


def _shares(name: str, parts: NDArray[np.float64], *others: str) -> None:
    rows, read, _, write, reading, copying = parts.tolist()
    ratio = (read + write) / (reading + copying)
    _row(name, f"{int(rows):,}", *(f"{part:.2f}" for part in (*parts[1:], ratio)), *others)


def growth(scale: float) -> None:
    _warm_up()
    print()
    _row("users", "likes", "meetings", "pairs", "cpu s", "peak MB", "ns a meeting")
    for users in (1_000, 5_000, 20_000, 50_000, 100_000, 200_000):
        nodes = libraries(int(users * scale), 50, int(6 * users * scale))
        found = measure(_summary, compiled, _type("user_similarity"), nodes)
        degrees = np.bincount(nodes.contexts)
        meetings = int((degrees * (degrees - 1) // 2).sum())
        counts = (len(nodes.ids), len(nodes.contexts), meetings, found.answer[0])
        figures = (f"{found.cpu:.2f}", f"{found.peak_mb:.0f}", f"{found.cpu / meetings * 1e9:.2f}")
        _row(*(f"{count:,}" for count in counts), *figures)


def _row(first: str, *others: str) -> None:
    print(f"  {first:<18}", *(f"{cell:>13}" for cell in others), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
