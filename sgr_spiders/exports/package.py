"""A directory of exported files, replaced as a whole.

Files are written to a temporary directory and moved when all are complete. While the manifest exists, every
file that it lists exists with the listed contents.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sgr_spiders.model.exceptions import ArgumentError, StorageError
from sgr_spiders.storage import private_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sgr_spiders.exports.resource import Resource

MANIFEST = "manifest.json"
OUTDATED = ".outdated.json"
"""The manifest of the previous export while its files are replaced."""
DATAPACKAGE = "datapackage.json"
PARTIAL = ".partial"
LOCK = ".lock"
READ_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A written file and its description."""

    resource: Resource
    bytes: int
    sha256: str


class Package:
    """The files of an export in progress."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._resources: list[Resource] = []
        self.removed: list[Path] = []
        """Files of the previous export that this one does not have, once it has replaced that."""

    def path(self, name: str) -> Path:
        """Return the path to write the file *name* to."""
        path = self._directory / name
        private_files.make_directory(path.parent)
        return path

    def add(self, resource: Resource) -> None:
        """Register a written file."""
        self._resources.append(resource)

    def list_files(self) -> list[PackedFile]:
        """Return all files with their size and checksum."""
        found = []
        for resource in sorted(self._resources, key=lambda resource: resource.path):
            path = self._directory / resource.path
            found.append(PackedFile(resource, path.stat().st_size, _sha256(path)))
        return found

    def describe(self, datapackage: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Write the two files that describe the others."""
        for name, contents in ((DATAPACKAGE, datapackage), (MANIFEST, manifest)):
            text = json.dumps(contents, indent=2, ensure_ascii=False)
            (self._directory / name).write_text(text + "\n", encoding="utf-8")


@contextlib.contextmanager
def open_package(directory: Path, purpose: str) -> Iterator[Package]:
    """Yield a package; on success, its files replace the previous export in *directory*.

    On an error, *directory* is unchanged, and is not created.

    Raises:
        ArgumentError: *directory* contains an export for another purpose.
        StorageError: *directory* cannot be written, or another export is writing to it.
    """
    created = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        with _removing_on_errors(directory, created):
            private_files.make_directory(directory)
            _check_purpose(directory, purpose)
            with FileLock(directory / LOCK, timeout=0, mode=private_files.FILE):
                yield from _pack(directory)
    except Timeout:
        raise StorageError(f"export {directory}: another export is writing to it") from None
    except OSError as error:
        raise StorageError(f"export {directory}: {error.strerror or error}") from error


@contextlib.contextmanager
def _removing_on_errors(directory: Path, created: Sequence[Path]) -> Iterator[None]:
    """On an error, remove the directories that were *created*, from the innermost, if they are empty."""
    try:
        yield
    except Timeout:
        raise  # the lock and the directories are those of the other export
    except BaseException:
        if created:
            (directory / LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in created:
                folder.rmdir()
        raise


def _pack(directory: Path) -> Iterator[Package]:
    partial = directory / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)  # left by a killed export
    partial.mkdir(mode=private_files.DIRECTORY)
    try:
        package = Package(partial)
        yield package
        package.removed = _move(partial, directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, directory: Path) -> list[Path]:
    """Replace the previous export; return its files that are no more."""
    new = {path.relative_to(partial) for path in partial.rglob("*") if path.is_file()}
    outdated = set(_list_previous(directory)) - new
    for name in sorted(new):
        private_files.take_mode(partial / name, directory / name)
    if (directory / MANIFEST).exists():
        (directory / MANIFEST).replace(directory / OUTDATED)
    for name in sorted(new - {Path(MANIFEST)}):
        private_files.make_directory((directory / name).parent)
        (partial / name).replace(directory / name)
    removed = sorted(name for name in outdated if (directory / name).exists())
    for name in removed:
        (directory / name).unlink(missing_ok=True)
    (partial / MANIFEST).replace(directory / MANIFEST)
    (directory / OUTDATED).unlink(missing_ok=True)
    return removed


def _list_previous(directory: Path) -> Iterator[Path]:
    """Yield the files of the previous export, ignoring paths outside *directory* in its manifest."""
    files = [
        file for name in (OUTDATED, MANIFEST) for file in _read_manifest(directory / name).get("files", ())
    ]
    for file in files:
        path = PurePosixPath(str(file.get("path", "")))
        if not path.is_absolute() and ".." not in path.parts and path.parts:
            yield Path(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _check_purpose(directory: Path, purpose: str) -> None:
    previous = _read_manifest(directory / MANIFEST).get("purpose", purpose)
    if previous != purpose:
        raise ArgumentError(
            f"option `--output`: {directory} contains an export for {previous}; choose another directory"
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(READ_AT_A_TIME):
            digest.update(part)
    return digest.hexdigest()
