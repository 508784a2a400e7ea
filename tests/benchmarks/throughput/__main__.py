"""``python -m tests.benchmarks.throughput [--rounds N] [options of the sandbox]``: speed of a harvest.

``user_depth`` harvests the seed of a sandbox, mostly pages of 200 complete tracks, without a delay and
with everything spilled. A spider with Scrapy's default settings fetches the same URLs from the same
sandbox and discards them. Both run alternately in separate processes, with 8 concurrent requests, on a
sandbox that has cached the responses. Startup and shutdown do not count. The figures are medians of the
rounds; CPU milliseconds are more robust, because the sandbox needs a core as well. Finally, one more
harvest measures its CPU time by stage.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.benchmarks.throughput.measure import Bench, Speed, middle
from tests.sandbox_process import SandboxProcess

AIM: Final = 0.5
WORLD: Final = (
    "--users", "400", "--tracks", "20000", "--likes-per-user", "800", "--seed-likers", "120",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.throughput")
    parser.add_argument("--rounds", type=int, default=5)
    given, options = parser.parse_known_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="throughput-") as folder,
        SandboxProcess(*WORLD, *options) as sandbox,
    ):
        bench = Bench(sandbox, Path(folder))
        urls = bench.urls()
        rounds = [(bench.harvest(), bench.bare(urls)) for _ in range(given.rounds)]
        stages = bench.stages()
    harvest, bare = (middle(speeds) for speeds in zip(*rounds, strict=True))
    print(f"{len(urls)} pages, {given.rounds} rounds")
    print(f"{'':<10} {'pages/s':>8} {'CPU ms/page':>12}")
    _show("harvest", harvest)
    _show("bare", bare)
    ratio = harvest.pages_per_second / bare.pages_per_second
    verdict = "met" if ratio >= AIM else "missed"
    print(f"{'ratio':<10} {ratio:>8.2f} {harvest.cpu_ms_per_page / bare.cpu_ms_per_page:>12.2f}")
    print(f"aim: at least {AIM} of the bare spider's pages a second: {verdict}")
    print(f"\n{'stage':<10} {'CPU ms/page':>12}")
    for name, milliseconds in sorted(stages.items(), key=lambda stage: -stage[1]):
        print(f"{name:<10} {milliseconds:>12.2f}")
    return 0


def _show(name: str, speed: Speed) -> None:
    print(f"{name:<10} {speed.pages_per_second:>8.1f} {speed.cpu_ms_per_page:>12.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
