"""Checks of directories and of the space on their disks."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from sgr_spiders.cli.checks.check import Check
from sgr_spiders.text.formatting import size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LITTLE_SPACE = 1_000_000_000
"""Free bytes below which a large harvest may not fit: a seed with 500 likers takes some 100 MB."""

NO_SPACE = 50_000_000
"""Free bytes below which no harvest can be expected to fit, with the write-ahead log of SQLite."""


def find_directory(path: Path) -> Path | None:
    """Return *path* or the closest directory above it, which exists; ``None`` if a file is in the way."""
    for parent in (path, *path.parents):
        try:
            if parent.exists():
                return parent if parent.is_dir() else None
        except OSError:
            return None
    return None


def check_space(directory: Path) -> Iterator[Check]:
    """Check the free space of the disk of *directory*."""
    existing = find_directory(directory.absolute())
    if existing is None:
        return
    free = shutil.disk_usage(existing).free
    message = f"{size(free)} free at {existing}"
    if free < NO_SPACE:
        yield Check("disk", "error", f"{message}; free some space, or use another disk")
    elif free < LITTLE_SPACE:
        yield Check("disk", "warning", f"{message}; a large harvest may need more")
    else:
        yield Check("disk", "ok", message)


def can_create_files(directory: Path) -> bool:
    """Return whether files can be created in *directory*; the one that tries it has no name."""
    try:
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def is_writable(file: Path) -> bool:
    """Return whether *file* can be written."""
    return os.access(file, os.W_OK)
