"""The lock that a crawl holds on an SQLite database, with a note about its owner.

The operating system's lock on ``<database>.lock`` is authoritative: it ends with its process, even a killed
one. The note in the file is for people, and may outlive a killed owner.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from sgr_spiders.model.exceptions import DatabaseInUseError, StorageError
from sgr_spiders.storage import private_files

SOMEBODY = "another process"


class DatabaseLock:
    """A lock held from ``take`` until ``release``, or until the process ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        # Any thread may release it; everyone who may write to the database may take it.
        mode = private_files.mode_beside(database)
        self._lock = FileLock(f"{database}.lock", timeout=0, mode=mode, thread_local=False)
        self._note = Path(self._lock.lock_file)

    def take(self, unharmed: str) -> None:
        """Take the lock, and write the note about its owner.

        Args:
            unharmed: The end of the error message if another process holds the lock: what was not done.

        Raises:
            DatabaseInUseError: Another process holds the lock.
            StorageError: The lock file cannot be created beside the database.
        """
        try:
            private_files.make_directory(self._database.parent)
            self._lock.acquire()
            private_files.create(self._database)
        except Timeout:
            # filelock also times out on a file that cannot be created at all, in /proc or on some shares.
            if not self._note.exists():
                raise StorageError(
                    f"database {self._database} cannot be opened: no file can be created beside it"
                ) from None
            raise DatabaseInUseError(
                f"database {self._database} is locked by {holder(self._database)}; {unharmed}"
            ) from None
        except OSError as error:
            raise StorageError(f"database {self._database} cannot be opened: {error.strerror}") from None
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._write({"process": os.getpid(), "command": _command(sys.orig_argv), "started_at": started})

    def release(self) -> None:
        """Release the lock for the next crawl."""
        self._write(None)
        self._lock.release()

    def discard(self) -> None:
        """Release the lock and remove its file, because there is no database."""
        # While it is held: whoever has opened the file meanwhile finds that it is gone, and creates another.
        # Windows refuses to remove it.
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
        self._lock.release()

    def _write(self, note: dict[str, object] | None) -> None:
        # Windows refuses to write to a locked file; the lock is held anyway.
        with contextlib.suppress(OSError):
            self._note.write_text("" if note is None else f"{json.dumps(note)}\n", encoding="utf-8")


def is_taken(database: Path) -> bool:
    """Return whether a process holds the lock. A crawl that starts in this moment may find it taken.

    Raises:
        StorageError: The lock file cannot be opened.
    """
    if not Path(f"{database}.lock").exists():
        return False
    lock = FileLock(f"{database}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError as error:
        raise StorageError(f"lock file {database}.lock cannot be opened: {error.strerror}") from None
    lock.release()
    return False


def holder(database: Path) -> str:
    """Return a description of the lock's owner, from its note."""
    try:
        note = json.loads(Path(f"{database}.lock").read_text(encoding="utf-8"))
        process, command = int(note["process"]), str(note["command"])
        since = datetime.fromisoformat(note["started_at"]).astimezone(UTC)
    except (OSError, ValueError, TypeError, KeyError):
        return SOMEBODY
    if process == os.getpid() or not _runs(process):
        return SOMEBODY
    return f"`{command}` (process {process}, since {since:%Y-%m-%d %H:%M} UTC)"


def _runs(process: int) -> bool:
    if os.name != "posix":
        return True  # on Windows, os.kill(process, 0) ends the process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _command(arguments: list[str]) -> str:
    """Return the program and its subcommands, without options, which may contain secrets."""
    # Not sys.argv: Scrapy takes the name of the command out of it.
    rest = itertools.dropwhile(lambda argument: Path(argument).stem != "scrapy", arguments)
    words = itertools.takewhile(re.compile(r"[a-z][a-z_]*").fullmatch, itertools.islice(rest, 1, 3))
    found = ["scrapy", *words]
    return " ".join(found) if len(found) > 1 else "a Python program"
