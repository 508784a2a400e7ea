"""``make demo``: start the sandbox, harvest its seed, stop the sandbox, show the row counts, write a report.

It runs the commands that you would type, so a live harvest behaves the same.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

START_SECONDS = 60
# Not the default database: invented data must not mix with live data.
DATABASE = Path("data/demo.db")
TABLES = (
    "tracks",
    "users",
    "engagements",
    "playlists",
    "playlist_tracks",
    "comments",
    "discoveries",
    "walks",
)

# Settings for live use: the token must not reach the sandbox, and the demo writes only to DATABASE.
LIVE_SETTINGS = frozenset(
    {"SOUNDCLOUD_ACCESS_TOKEN", "SOUNDCLOUD_CREDENTIALS", "HARVEST_CONFIG", "HARVEST_DATABASE_URL"}
)

_ACCESS = re.compile(r"\b(SOUNDCLOUD_\w+)=(\S+)")
_SEED = re.compile(r"^ *seed track: (\d+)$", re.MULTILINE)


class DemoError(Exception):
    """The sandbox did not start; the message is one line."""


class Sandbox(NamedTuple):
    access: dict[str, str]
    """Environment variables that point a harvest at the sandbox."""
    track_id: str


def main() -> int:
    # Without a handler, SIGTERM would end the demo before it stops the sandbox.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(128 + signal.SIGTERM))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        with _sandbox() as sandbox:
            code = _harvest(sandbox)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    _show(code)
    if code == 0:
        return _report()
    return code


@contextmanager
def _sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryFile("w+") as output:
        # A separate session: Ctrl-C must reach only the crawl, which needs the sandbox to end cleanly.
        process = subprocess.Popen(_scrapy("sandbox", "--port", "0"), stdout=output, start_new_session=True)
        try:
            yield _read_announcement(process, output.fileno())
        finally:
            process.terminate()
            process.wait()


def _read_announcement(process: subprocess.Popen[bytes], output: int) -> Sandbox:
    """Return the sandbox's settings and seed as soon as it has printed them."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        printed = os.pread(output, 65_536, 0).decode()
        if seed := _SEED.search(printed):  # the last line it prints
            return Sandbox(dict(_ACCESS.findall(printed)), seed[1])
        if process.poll() is not None:
            raise DemoError(f"the sandbox ended with exit code {process.returncode} before it was ready")
        time.sleep(0.05)  # noqa: TID251 - no reactor runs here
    raise DemoError(f"the sandbox was not ready within {START_SECONDS} s")


def _harvest(sandbox: Sandbox) -> int:
    settings = {**sandbox.access, "HARVEST_DATABASE_URL": f"sqlite:///{DATABASE}"}
    environment = {name: os.environ[name] for name in os.environ if name not in LIVE_SETTINGS} | settings
    command = _scrapy("crawl", "deep_harvest", "-a", f"track_id={sandbox.track_id}", "-a", "config=sandbox")
    for name, value in settings.items():
        print(f"export {name}={value}")
    print(f"{_program()} {' '.join(command[3:])}", flush=True)
    crawl = subprocess.Popen(command, env=environment)
    with _forward_sigterm(crawl):
        return crawl.wait()


def _program() -> str:
    """Return ``scrapy`` as it is typed here."""
    script = Path(sys.executable).with_name("scrapy")
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))


def _scrapy(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "scrapy", *arguments]


@contextmanager
def _forward_sigterm(crawl: subprocess.Popen[bytes]) -> Iterator[None]:
    """Forward SIGTERM to the crawl and ignore Ctrl-C, which reaches the crawl by itself."""

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        crawl.terminate()

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        pass

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, terminate),
        signal.SIGINT: signal.signal(signal.SIGINT, ignore),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(code: int) -> None:
    if not DATABASE.exists():
        print(f"\nThe crawl ended with exit code {code} and created no database.")
        return
    print(f"\nRows in {DATABASE}:")
    for table, rows in _counts(DATABASE).items():
        print(f"  {table:<16}{rows:>9,}")
    print(
        f"\nLook inside:  {_program()} status -s HARVEST_DATABASE_URL=sqlite:///{DATABASE}"
        "\nAll of it is invented; a live harvest writes to data/soundgraph.db."
        "\nNext:  README.md shows how to harvest the real API with your own client credentials.",
        flush=True,
    )


def _report() -> int:
    """Write the report, which says where it is; return the exit code."""
    environment = {name: os.environ[name] for name in os.environ if name not in LIVE_SETTINGS}
    settings = (f"HARVEST_DATABASE_URL=sqlite:///{DATABASE}", "HARVEST_CONFIG=sandbox")
    options = [word for setting in settings for word in ("-s", setting)]
    return subprocess.call(_scrapy("report", *options), env=environment)


def _counts(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        named = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our names
            for table in TABLES
            if table in named
        }


if __name__ == "__main__":
    sys.exit(main())
