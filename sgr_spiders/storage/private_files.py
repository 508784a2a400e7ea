"""The modes of new files: they contain personal data, so only their owner may read them.

The modes of existing files and directories are the user's choice, and are kept.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE, DIRECTORY = 0o600, 0o700


def make_directory(path: Path) -> None:
    """Create the directory *path* and its missing parents."""
    if path.is_dir():
        return
    # `mkdir(parents=True)` would create the parents with the default mode.
    make_directory(path.parent)
    path.mkdir(mode=DIRECTORY, exist_ok=True)


def create(path: Path) -> None:
    """Create the empty file *path* if it does not exist."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))


def write(path: Path, content: bytes) -> None:
    """Write the file *path*, and its missing directories; an earlier file is replaced whole.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        make_directory(path.parent)
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise StorageError(f"file {for_message(str(path))}: {error.strerror}") from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new empty file beside *path*, which replaces it at the end, or is removed on an error."""
    # Nobody else can have created it, or a link in its place.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(descriptor)
    partial = Path(name)
    try:
        yield partial
        take_mode(partial, path)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def mode_beside(path: Path) -> int:
    """Return the mode for a new file that everyone who may use the existing file *path* needs."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o666
    except OSError:
        return FILE


def take_mode(new: Path, old: Path) -> None:
    """Set the mode of *new* to that of the file *old* that it will replace; without one, to private."""
    # Some file systems have no modes.
    with contextlib.suppress(PermissionError, NotImplementedError):
        new.chmod(mode_beside(old))
