"""Does memory grow with the harvest? Peak memory against records, on growing worlds.

``python -m tests.benchmarks.memory [--likers 100]`` runs ``user_depth`` on three worlds. The seed has the
given number of likers, three times and ten times as many, and users and tracks grow alike. "peak" is the
peak resident memory of the crawl process, and "times" compares it with the smallest world; the aim is at
most 1.5 at ten times the records. The records found are compared with the world, because a crawl that
loses records needs little memory. Some memory grows by design, up to a limit: the versions that
``DEDUPE_MEMORY`` remembers, and SQLite's cache of 64 MiB.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import Harvester
from tests.crawls.truth import likes_around
from tests.sandbox_process import SandboxProcess

AIM: Final = 1.5
UNCAPPED: Final = "{max_users_per_track: 1000000, max_tracks_per_user: 1000000}"
RECORDS: Final = """
SELECT (SELECT count(*) FROM tracks) + (SELECT count(*) FROM users) + (SELECT count(*) FROM engagements)
"""


@dataclass(frozen=True)
class Peak:
    """The peak memory of a crawl in MiB, and the records it found."""

    mib: float
    records: int
    likes: int


def world_of(likers: int) -> WorldOptions:
    """Return a world whose size is proportional to the seed's likers."""
    return WorldOptions(
        users=max(30, 2 * likers),
        tracks=max(60, 40 * likers),
        likes_per_user=100,
        seed_likers=likers,
        seed_reposters=likers // 10,
    )


def measure(world: WorldOptions) -> Peak:
    """Harvest a new world in a new process."""
    flags = {
        "--users": world.users,
        "--tracks": world.tracks,
        "--likes-per-user": world.likes_per_user,
        "--seed-likers": world.seed_likers,
        "--seed-reposters": world.seed_reposters,
    }
    words = [str(word) for flag in flags.items() for word in flag]
    with tempfile.TemporaryDirectory(prefix="memory-") as name, SandboxProcess(*words) as sandbox:
        folder = Path(name)
        config = folder / "config.yaml"
        config.write_text(f"deep_harvest: {{request_delay: 0, user_depth: {UNCAPPED}}}")
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
        harvester = Harvester(sandbox, folder / "harvest.db", environment=environment, config=str(config))
        harvester.is_forked = False
        process = harvester.start("user_depth")
        # Unlike getrusage(RUSAGE_CHILDREN), wait4 reports only this child.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"nothing measured: exit code {process.returncode}")
        unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
        likes = harvester.value("SELECT count(*) FROM engagements WHERE kind = 'like'")
        return Peak(usage.ru_maxrss / unit, harvester.value(RECORDS), likes)


def likes_in(options: WorldOptions) -> int:
    """Return the number of likes that a harvest of the world must find."""
    world = World.build(options)
    return len(likes_around(world, world.seed_track_id))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--likers", type=int, default=100, help="likers of the seed in the smallest world")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 3, 10], help="the sizes of the worlds")
    asked = parser.parse_args(arguments)
    worlds = [world_of(times * asked.likers) for times in asked.times]
    # Run all crawls before building the worlds here: a child starts with its parent's memory.
    peaks = [measure(world) for world in worlds]
    print(f"{'likers':>7} {'records':>9} {'times':>6} {'likes found':>11} {'peak MiB':>9} {'times':>6}")
    for world, peak in zip(worlds, peaks, strict=True):
        print(
            f"{world.seed_likers:>7} {peak.records:>9,} {peak.records / peaks[0].records:>6.1f}"
            f" {peak.likes / likes_in(world):>11.1%} {peak.mib:>9.1f} {peak.mib / peaks[0].mib:>6.2f}"
        )
    met = peaks[-1].mib <= AIM * peaks[0].mib
    print(f"aim: at most {AIM:.2f} times the memory for ten times the records: {'met' if met else 'missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
