"""Several workers on one database on a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.crawls import invariants
from tests.crawls.crawling import CrawlResult, Harvester

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.forks import Process
    from tests.sandbox_process import SandboxProcess

IN_FLIGHT = 16
"""Requests that a worker may have sent, and whose pages it has not committed."""
NOT_COMPARED = {"walk_pages", "rejects"}
"""Tables about answers: one that was not believed is asked for again, and both are pages."""


@dataclass
class Crew:
    """Workers on one database, which begin one after the other."""

    sandbox: SandboxProcess
    database: Path
    lease_seconds: float = 60
    delay: float = 0.05
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started: list[tuple[Harvester, Process]] = []

    def start(self, spider: str = "deep_harvest", **arguments: Any) -> Process:
        harvester = Harvester(
            self.sandbox,
            self.database,
            settings={
                "HARVEST_LEASE_SECONDS": self.lease_seconds,
                "DOWNLOAD_DELAY": self.delay,
                **self.settings,
            },
            environment=dict(self.environment),
            log_suffix=f".{len(self.started)}.log",
            unchecked="other workers are at work",
        )
        process = harvester.start(spider, **arguments)
        self.started.append((harvester, process))
        return process

    def wait(self, killed: Sequence[Process] = ()) -> list[CrawlResult]:
        ended = [harvester.wait(process, killed=process in killed) for harvester, process in self.started]
        invariants.check_ledger(self.database)
        return ended

    def wait_for(self, process: Process, *, killed: bool = False) -> CrawlResult:
        """Wait for the end of one worker."""
        (harvester,) = [harvester for harvester, started in self.started if started is process]
        return harvester.wait(process, killed=killed)

    def wait_for_pages(self, number: int) -> None:
        harvester, process = self.started[0]
        pages = "SELECT count(*) FROM walk_pages"
        harvester.wait_until(lambda: harvester.value(pages) >= number, process)

    def wait_for_workers(self, number: int) -> None:
        """Wait until as many workers are at work."""
        harvester, process = self.started[0]
        at_work = "SELECT count(*) FROM workers"
        harvester.wait_until(lambda: harvester.value(at_work) >= number, process)

    def wait_until_buried(self, process_id: int) -> None:
        """Wait until the others have taken a worker for dead."""
        harvester, process = self.started[0]
        was_buried = "SELECT count(ended_at) FROM workers WHERE process = ?"
        harvester.wait_until(lambda: harvester.value(was_buried, process_id) > 0, process)

    def logs(self) -> list[str]:
        return [harvester.log() for harvester, _ in self.started]

    def wait_for_logs(self, text: str, since: Sequence[str]) -> None:
        """Wait until each worker has logged *text* once more *since* its log was this."""
        for (harvester, process), before in zip(self.started, since, strict=True):
            known = before.count(text)
            harvester.wait_until(partial(_has_more, harvester, text, known), process)

    def repeated(self) -> int:
        """Return how many requests to the API repeat another one."""
        asked = [entry for entry in self.sandbox.log() if entry["path"] != "/oauth/token"]
        return len(asked) - len({(entry["path"], entry["query"]) for entry in asked})

    def may_repeat(self, killed: int = 0) -> int:
        """Return how many may: what was in flight in each worker that was *killed* or taken for dead.

        On a slow machine, living workers are taken for dead as well, if leases are short.
        """
        taken_for_dead = sum(log.count("so others have taken its walks over") for log in self.logs())
        return IN_FLIGHT * (killed + taken_for_dead)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.started[0][0].query(sql)

    def contents(self) -> dict[str, Any]:
        return comparable(self.started[0][0])


def _has_more(harvester: Harvester, text: str, known: int) -> bool:
    return harvester.log().count(text) > known


def comparable(harvester: Harvester) -> dict[str, Any]:
    """Return the contents without the number of pages, which counts answers that were not believed."""
    found = harvester.contents()
    found["walks"] = harvester.query(
        "SELECT walk_id, status, cursor, generation, received, kept, expected, capped_at, doubted FROM walks"
        " ORDER BY walk_id"
    )
    return {name: rows for name, rows in found.items() if name not in NOT_COMPARED}
