"""Is `request_delay` kept without wasting time? The duration of a crawl against requests times delay.

``python -m tests.benchmarks.politeness`` crawls a sandbox that responds at once, one with some latency, and
one with a latency above the delay. "between" is the time from the first request to the last as seen by the
sandbox; "expected" is the number of gaps times the delay; the aim is a ratio of at most 1.05. The slow
sandbox exceeds it by design: AutoThrottle sends requests no faster than responses arrive. The time before
the first request and after the last one is separate, because it does not grow with the harvest.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess

AIM: Final = 1.05
BUDGET_SPENT: Final = 3


@dataclass(frozen=True)
class Pace:
    """The duration of a crawl; times in seconds."""

    latency: float
    requests: int
    expected: float
    between: float
    shortest: float
    process: float

    @property
    def ratio(self) -> float:
        return self.between / self.expected


def measure(sandbox: SandboxProcess, folder: Path, requests: int, delay: float, latency: float) -> Pace:
    """Crawl with this number of requests, each with this latency."""
    sandbox.set_faults([f"slow:seconds={latency:g},path=^/(tracks|users|playlists)"] if latency else [])
    sandbox.clear_log()
    config = folder / "config.yaml"
    config.write_text(f"deep_harvest: {{request_delay: {delay}}}")
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
    harvester = Harvester(sandbox, folder / f"{latency:g}.db", environment=environment, config=str(config))
    harvester.is_forked = False
    started = time.monotonic()
    ended = harvester.crawl("deep_harvest", max_requests=requests)
    process = time.monotonic() - started
    if ended.code != BUDGET_SPENT:
        raise SystemExit(f"nothing measured: exit code {ended.code}\n{ended.log}")
    times = [entry["time"] for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    return Pace(latency, len(times), len(gaps) * delay, sum(gaps), min(gaps), process)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "politeness", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=80, help="requests of each crawl (80)")
    parser.add_argument("--delay", type=float, default=0.3, help="request_delay in seconds (0.3)")
    help_shares = "how long the sandbox takes to answer, as shares of the delay (0 0.5 1.5)"
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.5, 1.5], help=help_shares)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="politeness-") as folder, SandboxProcess() as sandbox:
        paces = [
            measure(sandbox, Path(folder), options.requests, options.delay, share * options.delay)
            for share in options.shares
        ]
    print(f"request_delay {options.delay:g} s; all times in seconds")
    print(
        f"{'answers in':>10} {'requests':>8} {'expected':>8} {'between':>8} {'ratio':>6}"
        f" {'shortest gap':>12} {'process':>8} {'before and after':>16}"
    )
    for pace in paces:
        print(
            f"{pace.latency:>10.2f} {pace.requests:>8} {pace.expected:>8.2f} {pace.between:>8.2f}"
            f" {pace.ratio:>6.3f} {pace.shortest:>12.3f} {pace.process:>8.2f}"
            f" {pace.process - pace.between:>16.2f}"
        )
    met = all(pace.ratio <= AIM for pace in paces if pace.latency < options.delay)
    print(f"aim: at most {AIM:.2f} where answers come within the delay: {'met' if met else 'missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
