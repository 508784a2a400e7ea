"""``make demo``: start the sandbox, harvest its seed, show what lies in the database, end the sandbox.

It uses the two commands a user would type, so it shows what a live harvest does.
"""

from __future__ import annotations

import os
import re
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
# Not where a live harvest goes: what is made up must not mix with what is true.
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

# What a user has set for live use: their token must not be sent to the sandbox, nor the demo write elsewhere.
OF_THE_USER = frozenset({"SOUNDCLOUD_ACCESS_TOKEN", "HARVEST_CONFIG", "HARVEST_DATABASE_URL"})

_ACCESS = re.compile(r"\b(SOUNDCLOUD_\w+)=(\S+)")
_SEED = re.compile(r"^ *seed track: (\d+)$", re.MULTILINE)


class DemoError(Exception):
    """The demo cannot go on. Its text is one line; raised while the sandbox starts."""


class Sandbox(NamedTuple):
    access: dict[str, str]
    """The environment variables that point a harvest at it."""
    track_id: str


def main() -> int:
    # Without a handler a SIGTERM would end the demo before it could end the sandbox.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(128 + signal.SIGTERM))
    try:
        with _sandbox() as sandbox:
            code = _harvest(sandbox)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    _show(code)
    return code


@contextmanager
def _sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryFile("w+") as output:
        # A session of its own: Ctrl-C is for the crawl, which still needs the sandbox to end cleanly.
        process = subprocess.Popen(_scrapy("sandbox", "--port", "0"), stdout=output, start_new_session=True)
        try:
            yield _started(process, output.fileno())
        finally:
            process.terminate()
            process.wait()


def _started(process: subprocess.Popen[bytes], output: int) -> Sandbox:
    """What the sandbox says of itself, once it has said all of it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        said = os.pread(output, 65_536, 0).decode()
        if seed := _SEED.search(said):  # the last line it prints
            return Sandbox(dict(_ACCESS.findall(said)), seed[1])
        if process.poll() is not None:
            raise DemoError(f"the sandbox ended with exit code {process.returncode} before it listened")
        time.sleep(0.05)  # noqa: TID251 - no reactor runs here
    raise DemoError(f"the sandbox did not listen within {START_SECONDS} seconds")


def _harvest(sandbox: Sandbox) -> int:
    settings = {**sandbox.access, "HARVEST_DATABASE_URL": f"sqlite:///{DATABASE}"}
    environment = {name: os.environ[name] for name in os.environ if name not in OF_THE_USER} | settings
    command = _scrapy("crawl", "deep_harvest", "-a", f"track_id={sandbox.track_id}", "-a", "config=sandbox")
    for name, value in settings.items():
        print(f"export {name}={value}")
    print(f"scrapy {' '.join(command[3:])}", flush=True)
    crawl = subprocess.Popen(command, env=environment)
    with _passed_on_to(crawl):
        return crawl.wait()


def _scrapy(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "scrapy", *arguments]


@contextmanager
def _passed_on_to(crawl: subprocess.Popen[bytes]) -> Iterator[None]:
    """Wait for the crawl to end by itself: Ctrl-C reaches it anyway, a SIGTERM is passed on."""

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
        print(f"\nThe crawl ended with exit code {code} and left no database.")
        return
    print(f"\n{DATABASE} now holds")
    for table, rows in _counts(DATABASE).items():
        print(f"  {table:<16}{rows:>9,}")
    print(
        f"\nLook inside:  sqlite3 {DATABASE} .tables"
        "\nEverything in it is made up; a live harvest goes to data/soundgraph.db."
        "\nNext:  README.md says how to harvest the real API with your own keys."
    )


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
