"""Real crawls: ``scrapy crawl`` as a separate process, and the resulting database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import databases, forks
from tests.crawls import invariants

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from tests.forks import Process
    from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 280
"""Even on a loaded machine only a crawl that hangs takes this long; pytest's own limit is 300 s."""
USAGE_ERROR, LOCKED = 2, 5
"""Exit codes of crawls that did not start: the database is unchanged, or locked by another crawl."""
OBSERVED = {"not_before", "not_after"}
"""Columns with the times of the requests that found a like."""
JOURNAL = {
    "runs",
    "run_seeds",
    "run_scope",
    "workers",
    "relationship_runs",
    "lanes",
    "alembic_version",
}
"""Tables about the crawls and builds themselves, without harvested data."""


@dataclass(frozen=True)
class CrawlResult:
    code: int
    log: str


@dataclass
class Harvester:
    """Crawls of one sandbox into one database."""

    sandbox: SandboxProcess
    database: Path
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    config: str | None = "sandbox"
    requests: list[dict[str, Any]] = field(default_factory=list)
    root: Path = ROOT
    unchecked: str = ""
    """Reason for not checking the database after a crawl, where the check would distort timings."""
    is_forked: bool = True
    """False to start Python for each crawl, where its limits, its memory or its time matter."""
    makes_database: bool = False
    """True if the first crawl is to create the database, which takes half a second of CPU time."""
    log_suffix: str = ".log"
    """The suffix of the log beside the database, where several crawls run at the same time."""
    _log: Path = field(init=False)
    _last_command: tuple[str, dict[str, Any], dict[str, Any]] = field(init=False)
    _runs_before: dict[int, int] = field(init=False, default_factory=dict)
    """The latest run before each crawl, by process ID."""

    def __post_init__(self) -> None:
        # A file, because a full pipe without a reader would block the crawl.
        self._log = self.database.with_suffix(self.log_suffix)

    @property
    def url(self) -> str:
        return databases.url_of(self.database)

    def crawl(
        self, spider: str = "user_depth", settings: Mapping[str, Any] = {}, **arguments: Any
    ) -> CrawlResult:
        """Crawl to the end. The default seed is the sandbox's."""
        process = self.start(spider, settings, **arguments)
        return self.wait(process)

    def rerun(self, code: int = 0) -> CrawlResult:
        """Rerun the latest crawl without ``refresh``; check that it sends no request and changes nothing."""
        spider, settings, arguments = self._last_command
        before = self.contents()
        self.sandbox.clear_log()
        ended = self.crawl(spider, settings, **{k: v for k, v in arguments.items() if k != "refresh"})
        assert ended.code == code, ended.log
        assert self.sandbox.log() == []
        assert self.contents() == before
        return ended

    def start(
        self, spider: str = "user_depth", settings: Mapping[str, Any] = {}, **arguments: Any
    ) -> Process:
        if not {"track_id", "track_url", "seeds", "due"} & arguments.keys():
            arguments["track_id"] = self.sandbox.seed_track_id
        if self.config is not None:
            arguments.setdefault("config", self.config)
        self._last_command = spider, dict(settings), dict(arguments)
        if not databases.exists(self.database):
            create = databases.create_blank if self.makes_database else databases.create_empty
            create(self.database)
        before = invariants.latest_run(self.database)
        command = [sys.executable, "-m", "scrapy", "crawl", spider]
        for name, value in arguments.items():
            command += ["-a", f"{name}={value}"]
        for name, value in {**self.settings, **settings}.items():
            command += ["-s", f"{name}={value}"]
        environment = {
            **os.environ,
            **self.sandbox.env(),
            "HARVEST_DATABASE_URL": self.url,
            **self.environment,
        }
        with self._log.open("w") as log:
            output = log.fileno()
            start = forks.start if self.is_forked else subprocess.Popen
            process = start(command, cwd=self.root, env=environment, stdout=output, stderr=output)
        self._runs_before[process.pid] = before
        return process

    def log(self) -> str:
        """Return the log of the latest crawl so far."""
        return self._log.read_text()

    def wait(self, process: Process, *, killed: bool = False, no_outcome: str = "") -> CrawlResult:
        """Wait for the end of a crawl, and check the invariants of its database.

        *killed* expects that SIGKILL ended it. *no_outcome* is the reason why a crawl that ended otherwise
        could not save its outcome. In both cases only the rules that hold at every commit are checked: the
        next crawl releases the leases.
        """
        try:
            code = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the crawl did not end in {LIMIT_S} s:\n{self._log.read_text()}") from None
        assert (code == -signal.SIGKILL) == killed, self._log.read_text()
        if databases.exists(self.database) and not self.unchecked:
            self._check(self._runs_before[process.pid], code, has_outcome=not killed and not no_outcome)
        return CrawlResult(code, self._log.read_text())

    def _check(self, before: int, code: int, *, has_outcome: bool) -> None:
        has_run = invariants.latest_run(self.database) > before
        if not has_outcome or code in {USAGE_ERROR, LOCKED}:
            invariants.check_ledger(self.database)
            return
        assert has_run, f"exit code {code}, but no run in the database:\n{self._log.read_text()}"
        invariants.check_ended(self.database, code)

    def interrupt_when(
        self, condition: Callable[[], bool], number: signal.Signals = signal.SIGINT, **arguments: Any
    ) -> CrawlResult:
        """Crawl until *condition* holds, then send the signal."""
        process = self.start(**arguments)
        self.wait_until(condition, process)
        process.send_signal(number)
        return self.wait(process, killed=number == signal.SIGKILL)

    def wait_until(self, condition: Callable[[], bool], process: Process) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if process.poll() is not None:
                raise AssertionError(f"the crawl ended too soon:\n{self._log.read_text()}")
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise AssertionError(f"timed out:\n{self._log.read_text()}")
            time.sleep(0.01)  # noqa: TID251 - not in a crawl

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(databases.connect(self.database)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, *parameters: Any) -> Any:  # noqa: ANN401 - any type of column
        ((value,),) = self.query(sql, *parameters)
        return value

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the sorted rows of all tables and views, without times and the tables in ``JOURNAL``."""
        names = databases.table_names(self.database)
        with closing(databases.connect(self.database)) as connection:
            return {name: _rows(connection, name) for name in names if name not in JOURNAL}


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    columns = databases.column_names(connection, table)
    kept = ", ".join(
        f'"{column}"'
        for column in columns
        if column not in OBSERVED and (not column.endswith("_at") or column == "capped_at")
    )
    if table in {"tracks", "users", "playlists", "comments"}:
        kept += ", created_at"
    query = f"SELECT {kept} FROM {table}"  # noqa: S608 - names of the schema
    return sorted(connection.execute(query), key=repr)
