"""Real crawls: ``scrapy crawl`` as a process of its own, and what it leaves in the database."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.crawls import invariants

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 280
"""Only a crawl that hangs reaches this, also on a loaded machine; pytest's own limit is 300 s."""
BAD_USE, IN_USE = 2, 5
"""Exit codes of crawls that did not begin: the database is as it was, or another crawl's."""
JOURNAL = {"runs", "run_seeds", "run_scope", "relationship_runs", "alembic_version"}
"""Tables that tell of the crawls, and of relating, rather than of what they found."""


@dataclass(frozen=True)
class Ended:
    code: int
    log: str


@dataclass
class Harvester:
    """Crawls one sandbox into one database."""

    sandbox: SandboxProcess
    database: Path
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    config: str | None = "sandbox"
    requests: list[dict[str, Any]] = field(default_factory=list)
    root: Path = ROOT
    unchecked: str = ""
    """Why the database is not looked at after a crawl: only where that would be timed."""
    _log: Path = field(init=False)
    _again: tuple[str, dict[str, Any], dict[str, Any]] = field(init=False)
    _run_before: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        # A file, because a pipe that nobody reads would stop the crawl when it is full.
        self._log = self.database.with_suffix(".log")

    def crawl(self, spider: str = "user_depth", settings: Mapping[str, Any] = {}, **arguments: Any) -> Ended:
        """Crawl to the end. Without a seed among the *arguments*: the sandbox's."""
        process = self.start(spider, settings, **arguments)
        return self.wait(process)

    def again(self, code: int = 0) -> Ended:
        """Crawl with the same command again, without ``refresh``: it asks for nothing and changes nothing."""
        spider, settings, arguments = self._again
        before = self.contents()
        self.sandbox.clear_log()
        ended = self.crawl(spider, settings, **{k: v for k, v in arguments.items() if k != "refresh"})
        assert ended.code == code, ended.log
        assert self.sandbox.log() == []
        assert self.contents() == before
        return ended

    def start(
        self, spider: str = "user_depth", settings: Mapping[str, Any] = {}, **arguments: Any
    ) -> subprocess.Popen[bytes]:
        if not {"track_id", "track_url", "seeds", "due"} & arguments.keys():
            arguments["track_id"] = self.sandbox.seed_track_id
        if self.config is not None:
            arguments.setdefault("config", self.config)
        self._again = spider, dict(settings), dict(arguments)
        self._run_before = invariants.latest_run(self.database)
        command = [sys.executable, "-m", "scrapy", "crawl", spider]
        for name, value in arguments.items():
            command += ["-a", f"{name}={value}"]
        for name, value in {**self.settings, **settings}.items():
            command += ["-s", f"{name}={value}"]
        environment = {
            **os.environ,
            **self.sandbox.env(),
            "HARVEST_DATABASE_URL": f"sqlite:///{self.database}",
            **self.environment,
        }
        with self._log.open("w") as log:
            return subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def log(self) -> str:
        """What the latest crawl has logged so far."""
        return self._log.read_text()

    def wait(self, process: subprocess.Popen[bytes], *, killed: bool = False, no_outcome: str = "") -> Ended:
        """Wait for the end of a crawl, and look whether it left the database as every crawl leaves it.

        *killed* expects that SIGKILL ended it. *no_outcome* is the reason why a crawl that ended otherwise
        could not write its outcome. After both, only what holds at every commit is looked at: leases and
        outcome are the next crawl's.
        """
        try:
            code = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the crawl did not end in {LIMIT_S} s:\n{self._log.read_text()}") from None
        assert (code == -signal.SIGKILL) == killed, self._log.read_text()
        if self.database.exists() and not self.unchecked:
            self._check(code, has_outcome=not killed and not no_outcome)
        return Ended(code, self._log.read_text())

    def _check(self, code: int, *, has_outcome: bool) -> None:
        has_run = invariants.latest_run(self.database) > self._run_before
        if not has_outcome or code in {BAD_USE, IN_USE}:
            invariants.check_ledger(self.database)
            return
        assert has_run, f"exit code {code}, and no run in the database:\n{self._log.read_text()}"
        invariants.check_ended(self.database, code)

    def interrupt_when(
        self, condition: Callable[[], bool], number: signal.Signals = signal.SIGINT, **arguments: Any
    ) -> Ended:
        """Crawl until *condition* holds, then send the signal."""
        process = self.start(**arguments)
        self.wait_until(condition, process)
        process.send_signal(number)
        return self.wait(process, killed=number == signal.SIGKILL)

    def wait_until(self, condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if process.poll() is not None:
                raise AssertionError(f"the crawl ended too soon:\n{self._log.read_text()}")
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise AssertionError(f"waited in vain:\n{self._log.read_text()}")
            time.sleep(0.01)  # noqa: TID251 - this is no crawl

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, *parameters: Any) -> Any:  # noqa: ANN401 - whatever the column holds
        ((value,),) = self.query(sql, *parameters)
        return value

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables and views in order, times and the journal of the crawls aside."""
        with closing(sqlite3.connect(self.database)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            return {name: _rows(connection, name) for (name,) in names if name not in JOURNAL}


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    kept = ", ".join(
        f'"{column}"' for column in columns if not column.endswith("_at") or column == "capped_at"
    )
    if table in {"tracks", "users", "playlists", "comments"}:
        kept += ", created_at"
    query = f"SELECT {kept} FROM {table}"  # noqa: S608 - names of the schema
    return sorted(connection.execute(query), key=repr)
