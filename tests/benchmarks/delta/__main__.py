"""``python -m tests.benchmarks.delta [--days N]``: requests of a refresh by delta.

A world drifts from day to day: 2% new likes, 0.5% of the likes taken back, new playlists and comments,
deletions. After each day a refresh by delta is counted against a full harvest of the same world: first with
the turns in which lists are looked at whole, then without them. Then the world stands still, and weekly
refreshes give each list its turn; the database is compared with a new harvest. The stamps of the database
are aged instead of waiting.

Pages have 50 items, a quarter of those of the API, and so have libraries.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Final

from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from tests.benchmarks.delta.measure import Day, compare, harvest, let_pass, refresh, true_likes, write_config
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess

AIM: Final = 0.30
AIM_OF_HEADS: Final = 0.15
HEADS, TURNS, STILL = "heads", "turns", "still"
"""The phases: days without turns of whole looks, days with them, and weeks without changes."""
PERIOD: Final = 28
NEVER: Final = 36_500
WEEKS: Final = PERIOD // 7 + 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "delta", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=3, help="days with turns, and as many without them (3)")
    parser.add_argument("--page-size", type=int, default=50, help="items per page (50)")
    parser.add_argument("--users", type=int, default=1200, help="users of the world (1200)")
    parser.add_argument("--tracks", type=int, default=8000, help="tracks of the world (8000)")
    parser.add_argument("--playlists", type=int, default=300, help="playlists of the world (300)")
    parser.add_argument("--likes-per-user", type=float, default=120, help="mean size of a library (120)")
    parser.add_argument("--seed-likers", type=int, default=250, help="likers of the seed (250)")
    options = parser.parse_args(arguments)
    names = ("users", "tracks", "playlists", "likes_per_user", "seed_likers")
    sizes = {name: getattr(options, name) for name in names}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in sizes.items()]
    with (
        tempfile.TemporaryDirectory(prefix="delta-") as folder,
        SandboxProcess(*flags, f"--page-size={options.page_size}") as sandbox,
    ):
        measure(Path(folder), sandbox, World.build(WorldOptions(**sizes)), options)
    return 0


def measure(folder: Path, sandbox: SandboxProcess, mirror: World, options: argparse.Namespace) -> None:
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
    config = str(write_config(folder, NEVER))
    harvester = Harvester(sandbox, folder / "refreshed.db", environment=dict(environment), config=config)
    first = harvest(harvester)
    print(f"first harvest: {first} requests\n")
    print(
        f"{'':<8} {'day':>4} {'requests':>8} {'share':>7} {'whole':>6} {'head':>6} {'counter':>7}"
        f" {'likes':>8} {'false':>7} {'age median':>10} {'max':>6}"
    )
    shares: dict[str, list[float]] = {}
    last = 0
    for phase, number in schedule(options.days):
        write_config(folder, NEVER if phase == HEADS else PERIOD)
        if phase != STILL:
            let_pass(harvester, mirror)
        day = refresh(harvester, number, last, mirror)
        last = number
        shares.setdefault(phase, []).append(day.requests / first)
        _show(phase, day, first)
    print()
    for phase, aim in ((HEADS, AIM_OF_HEADS), (TURNS, AIM)):
        share = mean(shares[phase])
        verdict = "met" if share <= aim else "missed"
        print(f"{phase}: {share:.1%} of a full harvest; aim: at most {aim:.0%}: {verdict}")
    fresh = Harvester(sandbox, folder / "fresh.db", environment=dict(environment), config=config)
    print(f"\nnew harvest of the changed world: {harvest(fresh)} requests\n")
    print(f"{'present':<16} {'rows':>8} {'missing':>8} {'more':>8}")
    for difference in compare(harvester, fresh):
        print(f"{difference.table:<16} {difference.rows:>8} {difference.missing:>8} {difference.more:>8}")
    likes = set(harvester.query(
        "SELECT user_id, track_id FROM engagements WHERE kind = 'like' AND removed_at IS NULL"
    ))  # fmt: skip
    print(f"\nlikes presented that the world has not: {len(likes - true_likes(mirror))}")


def schedule(days: int) -> Iterator[tuple[str, int]]:
    """Yield the refreshes: phase and day."""
    for number in range(1, 2 * days + 1):
        yield TURNS if number <= days else HEADS, number
    for week in range(1, WEEKS + 1):
        yield STILL, 2 * days + 7 * week


def _show(phase: str, day: Day, first: int) -> None:
    looks = day.looks
    print(
        f"{phase:<8} {day.number:>4} {day.requests:>8} {day.requests / first:>7.1%} {looks['whole']:>6}"
        f" {looks['head']:>6} {looks['counter']:>7} {day.likes:>8} {day.false:>7.2%}"
        f" {day.median_age:>10.1f} {day.oldest:>6.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
