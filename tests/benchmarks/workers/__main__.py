"""Gains of several workers on one PostgreSQL, and the costs of the death of one.

``python -m tests.benchmarks.workers`` starts a PostgreSQL server of its own, or uses the one named by
``HARVEST_TEST_POSTGRES_URL``, and harvests one seed of a sandbox without delay with 1, 2 and 4 workers:
pages per second from the first committed page to the last, relative to one worker, on processors that the
sandbox and the server use as well, and the CPU time of all these, which limits the pages per second of one
machine. Then three workers share a limit of the sandbox, first with a ``request_delay`` that fits it, then
without any: the share of it that they use, and that of refused requests. At last one of
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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests import databases
from tests.benchmarks.workers.processes import CpuTime, Meter
from tests.crawls.crawling import ROOT
from tests.crawls.crew import Crew, comparable
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM = 1.7
"""Times the pages per second of one worker that two are to reach."""
NO_TABLES = "{deep_harvest: {request_delay: 0}, relationships: {on_close: false}}"
"""A configuration in which the CPU time of the server is that of the crawl alone."""
WORLD = (
    "--users", "1500", "--tracks", "10000", "--playlists", "1000", "--seed-likers", "400",
    "--seed-reposters", "100", "--seed-comments", "200",
)  # fmt: skip
WARM_UP = 5.0
"""Seconds in which three workers start, and meet the limit for the first time."""
LEASE_SECONDS = 3
REFUSED = 429


def pages_per_second(crew: Crew) -> float:
    """Return the committed pages per second, without the start and the end of the processes."""
    ((pages, first, last),) = crew.query("SELECT count(*), min(fetched_at), max(fetched_at) FROM walk_pages")
    seconds = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return float(pages) / seconds.total_seconds()


@dataclass(frozen=True)
class Harvested:
    """A harvest of several workers."""

    pages_per_second: float
    repeated: int
    cpu: CpuTime


def measure(sandbox: SandboxProcess, folder: Path, workers: int) -> Harvested:
    """Harvest with this number of workers."""
    sandbox.clear_log()
    folder.mkdir()
    meter = Meter(sandbox, folder)
    # With the key they would share its pace, which has one request in flight at a time.
    settings = {"HARVEST_SHARE_LANES": False, **meter.settings}
    crew = Crew(sandbox, folder / "harvest.db", delay=0, settings=settings)
    for _ in range(workers):
        crew.environment = meter.environment()
        crew.start(config=NO_TABLES)
    for ended in crew.wait():
        if ended.code:
            raise SystemExit(f"nothing measured: exit code {ended.code}\n{ended.log}")
    ((pages,),) = crew.query("SELECT count(*) FROM walk_pages")
    return Harvested(pages_per_second(crew), crew.repeated(), meter.read(pages))


def share(sandbox: SandboxProcess, folder: Path, limit: float, delay: float) -> Iterator[tuple[float, float]]:
    """Harvest with three workers and a *limit* per second.

    Yield the shares used and refused: of all requests, and of those after the first ``WARM_UP`` seconds.
    """
    sandbox.clear_log()
    sandbox.set_faults([f"limiter:interval={1 / limit:g},burst=5"])
    crew = Crew(sandbox, folder / f"limited-{delay:g}.db", delay=delay)
    for _ in range(3):
        crew.start()
    crew.wait()
    sandbox.clear_faults()
    asked = [entry for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    # At the end, workers wait for the last walks.
    asked = asked[: -len(asked) // 10]
    for since in (0.0, WARM_UP):
        chosen = [entry for entry in asked if entry["time"] >= asked[0]["time"] + since]
        refused = sum(entry["status"] == REFUSED for entry in chosen)
        seconds = chosen[-1]["time"] - chosen[0]["time"]
        yield (len(chosen) - refused) / seconds / limit, refused / len(chosen)


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
        may_repeat = crew.may_repeat(killed=int(number is signal.SIGKILL))
        if codes or found != expected or crew.repeated() > may_repeat:
            different = [name for name in expected if found[name] != expected[name]]
            yield f"turn {turn}, page {moment}: exit codes {codes}, {crew.repeated()} repeated, {different}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "workers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        with SandboxProcess(*WORLD) as sandbox:
            show_speed(sandbox, Path(folder), options.rounds)
            for delay in (1 / options.limit, 0.0):
                show_limit(sandbox, Path(folder), options.limit, delay)
        with SandboxProcess("--users", "40") as sandbox:
            for number, times in ((signal.SIGKILL, options.kills), (signal.SIGSTOP, options.freezes)):
                found = list(disturb(sandbox, Path(folder), times, number))
                print(f"{number.name}  {times} times, {times - len(found)} equal databases")
                failures += found
        databases.drop_databases()
    print("\n".join(failures))
    return 1 if failures else 0


def show_speed(sandbox: SandboxProcess, folder: Path, rounds: int) -> None:
    """Print the pages per second, their ratio to those of one worker in the same round, and CPU times.

    ``at most``: the pages per second if all processors of this machine were busy all the time.
    """
    print(f"                 times one    CPU ms per page          pages/s  repeated (aim for two: {AIM})")
    print("workers  pages/s    worker    workers server sandbox   at most  requests")
    for turn in range(rounds):
        alone = 0.0
        for workers in (1, 2, 4):
            found = measure(sandbox, folder / f"{turn}-{workers}", workers)
            alone = alone or found.pages_per_second
            cpu, most = found.cpu, (os.cpu_count() or 1) * 1e3 / found.cpu.total
            print(
                f"{workers:7}  {found.pages_per_second:7.1f}  {found.pages_per_second / alone:8.2f}    "
                f"{cpu.workers:7.1f} {cpu.server:6.1f} {cpu.sandbox:7.1f}   {most:7.1f}  {found.repeated:8}",
                flush=True,
            )


def show_limit(sandbox: SandboxProcess, folder: Path, limit: float, delay: float) -> None:
    """Print the shares of a limit that three workers use, and of their requests that it refuses."""
    (used, refused), (used_later, refused_later) = share(sandbox, folder, limit, delay)
    print(
        f"limit of {limit:g}/s, three workers, delay {delay:g} s: {used:.0%} used, {refused:.1%} refused; "
        f"after {WARM_UP:g} s {used_later:.0%} used, {refused_later:.1%} refused",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
