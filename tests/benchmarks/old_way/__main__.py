"""A simple, typical harvester compared with ours on one world.

``python -m tests.benchmarks.old_way [--delays 0 0.05] [options of the sandbox]`` runs three harvesters that
collect the users who like or repost the sandbox's seed track, and everything they like: the plain one
(``harvester.py``) with the samples of earlier tools, the plain one without, and ours. The counts are those
in each harvester's own database: complete tracks, users, likes and reposts. "found" is the share of the
world's likes, and "records" is the sum of the four counts. "seconds" is the time from the first request to
the last as seen by the sandbox, and "process" includes startup and shutdown. A commit waits for the disk,
which causes much of the difference; ``TMPDIR=/dev/shm`` removes it. Ours stores the complete response with
each record and can be killed at any time; the plain one would have to restart from the beginning.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sgr_spiders.sandbox import options
from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import ROOT, Harvester
from tests.crawls.truth import likes_around
from tests.sandbox_process import SandboxProcess

WORLD: Final = (
    *("--users", "1000", "--tracks", "5000", "--likes-per-user", "80"),
    *("--seed-likers", "80", "--seed-reposters", "20"),
)
UNCAPPED: Final = "{max_users_per_track: 1000000, max_tracks_per_user: 1000000}"
PLAIN: Final = {
    "tracks": "SELECT count(*) FROM tracks",
    "users": "SELECT count(*) FROM users",
    "likes": "SELECT count(*) FROM likes",
    "reposts": "SELECT count(*) FROM reposts",
}
OURS: Final = {
    "tracks": "SELECT count(*) FROM tracks WHERE NOT is_stub",
    "users": "SELECT count(*) FROM users WHERE NOT is_stub",
    "likes": "SELECT count(*) FROM engagements WHERE kind = 'like'",
    "reposts": "SELECT count(*) FROM engagements WHERE kind = 'repost'",
}

COLUMNS: Final = "{:<16} {:>5} {:>8} {:>7} {:>6} {:>7} {:>7} {:>6} {:>8} {:>8} {:>10} {:>15}"
HEADINGS: Final = (
    *("harvester", "delay", "requests", "tracks", "users", "likes", "reposts", "found"),
    *("seconds", "process", "requests/s", "records/request"),
)


@dataclass(frozen=True)
class Harvested:
    """The result of one harvester; times in seconds."""

    requests: int
    seconds: float
    process: float
    rows: dict[str, int]

    @property
    def records(self) -> int:
        return sum(self.rows.values())


def plainly(sandbox: SandboxProcess, folder: Path, delay: float, *, sample: bool) -> Harvested:
    """Harvest with the plain harvester."""
    database = folder / f"plain-{delay:g}-{sample}.db"
    command = [sys.executable, "-m", "tests.benchmarks.old_way.harvester", f"--delay={delay:g}"]
    command += [sandbox.url, str(sandbox.seed_track_id), str(database), *(["--sample"] if sample else [])]
    return _timed(sandbox, database, PLAIN, lambda: subprocess.run(command, cwd=ROOT, check=True).returncode)


def by_us(sandbox: SandboxProcess, folder: Path, delay: float) -> Harvested:
    """Harvest with ours, with its default settings except the caps."""
    config = folder / "config.yaml"
    config.write_text(f"deep_harvest: {{request_delay: {delay:g}, user_depth: {UNCAPPED}}}")
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
    database = folder / f"ours-{delay:g}.db"
    harvester = Harvester(
        sandbox, database, environment=environment, config=str(config), unchecked="the crawl is timed"
    )
    return _timed(sandbox, database, OURS, lambda: harvester.crawl().code)


def _timed(
    sandbox: SandboxProcess, database: Path, counts: dict[str, str], harvest: Callable[[], int]
) -> Harvested:
    sandbox.clear_log()
    started = time.monotonic()
    code = harvest()
    process = time.monotonic() - started
    if code:
        raise SystemExit(f"nothing measured: exit code {code}")
    times = [entry["time"] for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    with closing(sqlite3.connect(database)) as connection:
        rows = {name: connection.execute(query).fetchone()[0] for name, query in counts.items()}
    return Harvested(len(times), times[-1] - times[0], process, rows)


def world_options(flags: list[str]) -> options.WorldOptions:
    parser = argparse.ArgumentParser("old_way", allow_abbrev=False)
    options.add_options(parser)
    return options.read(parser.parse_args(flags)).world


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "old_way", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--delays", type=float, nargs="+", default=[0.0, 0.05], help="seconds (0 0.05)")
    asked, others = parser.parse_known_args(arguments)
    flags = [*WORLD, *others]
    world = World.build(world_options(flags))
    with tempfile.TemporaryDirectory(prefix="old-way-") as name, SandboxProcess(*flags) as sandbox:
        folder, likes = Path(name), len(likes_around(world, sandbox.seed_track_id))
        print(f"{likes:,} likes are there to be found\n")
        print(COLUMNS.format(*HEADINGS))
        for delay in asked.delays:
            _show("plain, sampling", delay, likes, plainly(sandbox, folder, delay, sample=True))
            _show("plain, all", delay, likes, plainly(sandbox, folder, delay, sample=False))
            _show("ours", delay, likes, by_us(sandbox, folder, delay))
    return 0


def _show(name: str, delay: float, likes: int, harvested: Harvested) -> None:
    rows, requests, seconds = harvested.rows, harvested.requests, harvested.seconds
    found = f"{rows['likes'] / likes:.1%}"
    rates = f"{requests / seconds:.1f}", f"{harvested.records / requests:.1f}"
    times = f"{seconds:.2f}", f"{harvested.process:.2f}"
    counts = (rows[name] for name in ("tracks", "users", "likes", "reposts"))
    print(COLUMNS.format(name, f"{delay:.2f}", requests, *counts, found, *times, *rates), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
