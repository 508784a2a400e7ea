"""Gains of several workers on one PostgreSQL, and the costs of the death of one.

``python -m tests.benchmarks.workers`` starts a PostgreSQL server of its own, or uses the one named by
``HARVEST_TEST_POSTGRES_URL``, and harvests one seed of a sandbox without delay with 1, 2 and 4 workers:
pages per second from the first committed page to the last, relative to one worker, on processors that the
sandbox and the server use as well. Then three workers share a limit of the sandbox, with a
``request_delay`` that fits it: the share of it that they use, and that of refused requests. At last one of
three workers is killed at random moments, or frozen until it has lost its leases; each time, the database
must equal that of one worker, table by table.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests import databases
from tests.crawls.crawling import ROOT
from tests.crawls.crew import IN_FLIGHT, Crew, comparable
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM = 1.7
"""Times the pages per second of one worker that two are to reach."""
LEASE_SECONDS = 3
REFUSED = 429


def pages_per_second(crew: Crew) -> float:
    """Return the committed pages per second, without the start and the end of the processes."""
    ((pages, first, last),) = crew.query("SELECT count(*), min(fetched_at), max(fetched_at) FROM walk_pages")
    seconds = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return float(pages) / seconds.total_seconds()


def measure(sandbox: SandboxProcess, folder: Path, workers: int) -> tuple[float, int]:
    """Harvest with this number of workers; return pages per second, and the number of repeated requests."""
    sandbox.clear_log()
    # With the key they would share its pace, which has one request in flight at a time.
    crew = Crew(sandbox, folder / f"{workers}.db", delay=0, settings={"HARVEST_SHARE_LANES": False})
    for _ in range(workers):
        crew.start()
    for ended in crew.wait():
        if ended.code:
            raise SystemExit(f"nothing measured: exit code {ended.code}\n{ended.log}")
    return pages_per_second(crew), crew.repeated()


def share(sandbox: SandboxProcess, folder: Path, limit: float) -> tuple[float, float]:
    """Harvest with three workers and a *limit* per second; return the shares used and refused."""
    sandbox.clear_log()
    sandbox.set_faults([f"limiter:interval={1 / limit:g},burst=5"])
    crew = Crew(sandbox, folder / "limited.db", delay=1 / limit)
    for _ in range(3):
        crew.start()
    crew.wait()
    sandbox.clear_faults()
    asked = [entry for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    refused = sum(entry["status"] == REFUSED for entry in asked)
    # Of the middle: at the ends, workers start, and wait for the last walks.
    middle = asked[len(asked) // 5 : -len(asked) // 5]
    seconds = middle[-1]["time"] - middle[0]["time"]
    return len(middle) / seconds / limit, refused / len(asked)


def disturb(sandbox: SandboxProcess, folder: Path, times: int, number: signal.Signals) -> Iterator[str]:
    """Kill or freeze one of three workers at random moments; yield what differs from a quiet harvest."""
    alone = Crew(sandbox, folder / f"alone-{number.name}.db")
    alone.start()
    alone.wait()
    expected, pages = comparable(alone.started[0][0]), alone.query("SELECT count(*) FROM walk_pages")[0][0]
    moments = random.Random(1)  # noqa: S311 - no secret
    for turn in range(times):
        sandbox.clear_log()
        crew = Crew(sandbox, folder / f"{number.name}-{turn}.db", lease_seconds=LEASE_SECONDS)
        workers = [crew.start() for _ in range(3)]
        victim = moments.choice(workers)
        moment = moments.randrange(pages)
        crew.wait_for_pages(moment)
        victim.send_signal(number)
        if number is signal.SIGSTOP:
            crew.wait_until_buried(victim.pid)
            victim.send_signal(signal.SIGCONT)
        ended = crew.wait(killed=[victim] if number is signal.SIGKILL else [])
        codes = {result.code for result in ended} - {0, -signal.SIGKILL}
        found = crew.contents()
        if codes or found != expected or crew.repeated() > IN_FLIGHT:
            different = [name for name in expected if found[name] != expected[name]]
            yield f"turn {turn}, page {moment}: exit codes {codes}, {crew.repeated()} repeated, {different}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "workers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=150, help="users of the sandbox's world (150)")
    parser.add_argument("--rounds", type=int, default=2, help="harvests with each number of workers (2)")
    parser.add_argument("--limit", type=float, default=50, help="requests per second of the limit (50)")
    parser.add_argument("--kills", type=int, default=50, help="workers to kill (50)")
    parser.add_argument("--freezes", type=int, default=5, help="workers to freeze (5)")
    options = parser.parse_args(arguments)
    if databases.VARIABLE not in os.environ:
        command = [
            str(ROOT / "tests" / "postgres" / "with_postgres"),
            sys.executable,
            "-m",
            "tests.benchmarks.workers",
        ]
        return subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode
    databases.use_server()
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="workers-") as folder:
        with SandboxProcess("--users", str(options.users)) as sandbox:
            show_speed(sandbox, Path(folder), options.rounds)
            used, refused = share(sandbox, Path(folder), options.limit)
            print(f"limit of {options.limit:g}/s, three workers: {used:.0%} used, {refused:.1%} refused")
        with SandboxProcess("--users", "40") as sandbox:
            for number, times in ((signal.SIGKILL, options.kills), (signal.SIGSTOP, options.freezes)):
                found = list(disturb(sandbox, Path(folder), times, number))
                print(f"{number.name}  {times} times, {times - len(found)} equal databases")
                failures += found
        databases.drop_databases()
    print("\n".join(failures))
    return 1 if failures else 0


def show_speed(sandbox: SandboxProcess, folder: Path, rounds: int) -> None:
    """Print the pages per second, and their ratio to those of one worker in the same round."""
    print(f"workers  pages/s  repeated requests  times one worker (aim for two: {AIM})")
    for turn in range(rounds):
        alone = 0.0
        for workers in (1, 2, 4):
            (folder / str(turn)).mkdir(exist_ok=True)
            speed, again = measure(sandbox, folder / str(turn), workers)
            alone = alone or speed
            print(f"{workers:7}  {speed:7.1f}  {again:17}  {speed / alone:5.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
