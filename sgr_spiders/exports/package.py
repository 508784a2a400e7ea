"""A folder of exported files: all of them are there with a manifest, or what was there before is.

Files are written into a folder of their own beside their place and moved when all are whole. While the
manifest is there, every file that it lists is there as it says.
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.exports.resource import Resource

MANIFEST = "manifest.json"
OUTDATED = ".outdated.json"
"""The manifest of the export before, while its files are replaced."""
DATAPACKAGE = "datapackage.json"
PARTIAL = ".partial"
LOCK = ".lock"
READ_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """A file that was written, and what it is."""

    resource: Resource
    bytes: int
    sha256: str


class Package:
    """The files of an export that is under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._resources: list[Resource] = []

    def path(self, name: str) -> Path:
        """Give the place at which to write the file that is to be *name*."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add(self, resource: Resource) -> None:
        """Tell what was written."""
        self._resources.append(resource)

    def packed(self) -> list[Packed]:
        """Measure all files."""
        found = []
        for resource in sorted(self._resources, key=lambda one: one.path):
            path = self._folder / resource.path
            found.append(Packed(resource, path.stat().st_size, _sha256(path)))
        return found

    def describe(self, datapackage: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Write the two files that tell of the others."""
        for name, contents in ((DATAPACKAGE, datapackage), (MANIFEST, manifest)):
            text = json.dumps(contents, indent=2, ensure_ascii=False)
            (self._folder / name).write_text(text + "\n", encoding="utf-8")


@contextlib.contextmanager
def packing(folder: Path, purpose: str) -> Iterator[Package]:
    """Give a package; at the end its files replace those of the export that is in *folder*.

    On any error, *folder* is left as it was. Raises ``ArgumentError`` if it holds an export for another
    purpose, ``StorageError`` if it cannot be written or another export is writing to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_another(folder, purpose)
        with FileLock(folder / LOCK, timeout=0):
            yield from _pack(folder)
    except Timeout:
        raise StorageError(f"export {folder}: another export is writing to it") from None
    except OSError as error:
        raise StorageError(f"export {folder}: {error.strerror or error}") from error


def _pack(folder: Path) -> Iterator[Package]:
    partial = folder / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)  # of an export that was killed
    partial.mkdir()
    try:
        yield Package(partial)
        _move(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, folder: Path) -> None:
    new = {path.relative_to(partial) for path in partial.rglob("*") if path.is_file()}
    outdated = set(_listed(folder)) - new
    if (folder / MANIFEST).exists():
        (folder / MANIFEST).replace(folder / OUTDATED)
    for name in sorted(new - {Path(MANIFEST)}):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).replace(folder / name)
    for name in outdated:
        (folder / name).unlink(missing_ok=True)
    (partial / MANIFEST).replace(folder / MANIFEST)
    (folder / OUTDATED).unlink(missing_ok=True)


def _listed(folder: Path) -> Iterator[Path]:
    """Give the files of the export that is there; nothing outside *folder*, whatever its manifest says."""
    files = [file for name in (OUTDATED, MANIFEST) for file in _manifest(folder / name).get("files", ())]
    for file in files:
        path = PurePosixPath(str(file.get("path", "")))
        if not path.is_absolute() and ".." not in path.parts and path.parts:
            yield Path(path)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _refuse_another(folder: Path, purpose: str) -> None:
    there = _manifest(folder / MANIFEST).get("purpose", purpose)
    if there != purpose:
        raise ArgumentError(f"option `--output`: {folder} holds an export for {there}; name another folder")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(READ_AT_A_TIME):
            digest.update(part)
    return digest.hexdigest()
