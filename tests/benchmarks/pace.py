"""Requests that a server refuses because of its rate limit, and the share of those it would pass that pass.

``python -m tests.benchmarks.pace`` runs the pace against token buckets in simulated time: constant limits,
steps and a drifting limit. The aim is at most 5% refused and at least 85% passed after the first minute.
``--crawl SECONDS`` also runs a real crawl of that length against a sandbox that passes one request in 2 s.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from sgr_spiders.sandbox.limiter import Limiter, LimitPlan
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess
from tests.traffic.simulation import Sent, Shares, new_pace, shares, simulate

MOST_REFUSED: Final = 0.05
LEAST_PASSED: Final = 0.85
WARM_UP: Final = 60.0
HOUR: Final = 3600.0

PLANS: Final = {
    "one in 2 s": LimitPlan(2.0),
    "one in 10 s": LimitPlan(10.0),
    "one in 30 s": LimitPlan(30.0),
    "two in 1 s": LimitPlan(0.5),
    "2 s, 4 s, 1 s, 10 min each": LimitPlan(2.0, steps=((600.0, 4.0), (1200.0, 1.0))),
    "2 s, 10 s, 2 s, 10 min each": LimitPlan(2.0, steps=((600.0, 10.0), (1200.0, 2.0))),
    "2 s, 3 s, 1.5 s, 3 min each": LimitPlan(2.0, steps=((180.0, 3.0), (360.0, 1.5))),
    "drift from 2 s to 4 s in 10 min and back": LimitPlan(2.0, drift=(4.0, 600.0)),
    "drift from 1 s to 4 s in 10 min and back": LimitPlan(1.0, drift=(4.0, 600.0)),
}
LENGTHS: Final = {
    "2 s, 4 s, 1 s, 10 min each": 1800.0,
    "2 s, 10 s, 2 s, 10 min each": 1800.0,
    "2 s, 3 s, 1.5 s, 3 min each": 540.0,
}


def simulated(name: str, burst: int, runs: int) -> Shares:
    """Return the mean shares of several runs against a limit."""
    end = LENGTHS.get(name, HOUR)
    results = [
        shares(simulate(new_pace(), Limiter(PLANS[name], burst), end, seed=seed), PLANS[name], WARM_UP, end)
        for seed in range(runs)
    ]
    return Shares(
        sum(result.refused for result in results) / runs, sum(result.passed for result in results) / runs
    )


def crawled(seconds: float, folder: Path) -> Shares:
    """Return the shares of a real crawl."""
    plan = LimitPlan(2.0)
    config = folder / "config.yaml"
    config.write_text("deep_harvest: {request_delay: 0.3}")
    with SandboxProcess() as sandbox:
        sandbox.set_faults([f"limiter:interval={plan.interval:g}"])
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
        harvester = Harvester(sandbox, folder / "harvest.db", environment=environment, config=str(config))
        harvester.crawl("deep_harvest", max_minutes=seconds / 60)
        entries = [entry for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    began = entries[0]["time"]
    sent = [Sent(entry["time"] - began, entry["status"] == 200) for entry in entries]
    return shares(sent, plan, WARM_UP, sent[-1].at)


def show(name: str, result: Shares) -> None:
    met = result.refused <= MOST_REFUSED and result.passed >= LEAST_PASSED
    print(f"{name:<50} {result.refused:>8.1%} {result.passed:>8.0%}  {'met' if met else 'missed'}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "pace", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10, help="simulated runs per limit (10)")
    parser.add_argument("--crawl", type=float, metavar="SECONDS", help="also crawl for so many seconds")
    options = parser.parse_args(arguments)
    print(f"{'limit':<50} {'refused':>8} {'passed':>8}  aim: at most 5%, at least 85%")
    for burst in (1, 5):
        for name in PLANS:
            suffix = "" if burst == 1 else f", {burst} at once"
            show(f"{name}{suffix}", simulated(name, burst, options.runs))
    if options.crawl:
        with tempfile.TemporaryDirectory(prefix="pace-") as folder:
            show(f"crawl of {options.crawl:.0f} s, one in 2 s", crawled(options.crawl, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
