"""An export replaces the previous one as a whole, and its manifest describes it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from sgr_spiders import __version__
from sgr_spiders.exports import tables
from sgr_spiders.exports.package import open_package
from sgr_spiders.model.exceptions import ArgumentError, StorageError
from sgr_spiders.storage import private_files
from sgr_spiders.storage.migrate import HEAD
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = """
import os, sys
from pathlib import Path
from sgr_spiders.exports import package, tables
from tests.exports import conftest

conftest.url_of = str

class Killed:
    def __init__(self, function, calls):
        self.function, self.left = function, calls
    def __call__(self, *arguments, **options):
        if not self.left:
            os.kill(os.getpid(), 9)
        self.left -= 1
        return self.function(*arguments, **options)

if sys.argv[3] == "writing":
    tables.write_parts = Killed(tables.write_parts, 3)
else:
    real = Path.replace
    killed = Killed(real, 3)
    Path.replace = lambda path, target: killed(path, target)
conftest.export_from(sys.argv[1], Path(sys.argv[2]), "tables", ["csv"])
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_the_manifest(harvest: Path, exporting: Callable[..., Any], tmp_path: Path) -> None:
    exporting("ml", sources={"like": 1, "comment": 0.5}, min_per_track=2, test=0.3, split_seed=4)
    manifest = manifest_of(tmp_path / "out")
    assert manifest["version"] == __version__
    assert manifest["database"] == Store(url_of(harvest)).describe()
    assert manifest["schema_version"] == HEAD
    assert manifest["purpose"] == "ml"
    assert manifest["run"] is None  # there was no crawl
    assert manifest["parameters"] == {
        "sources": {"like": 1, "comment": 0.5},
        "min_per_user": 1,
        "min_per_track": 2,
        "seeds": None,
        "test": 0.3,
        "validation": 0.1,
        "split_seed": 4,
        "include_unseen": False,
        "include_removed": False,
    }
    counts = manifest["counts"]
    assert counts["train"] + counts["validation"] + counts["test"] == counts["interactions"] == 29 * 21
    assert manifest["relationships"]["user_similarities"]["parameters"]["min_similarity"] == 0.1
    files = contents(tmp_path / "out")
    assert {file["path"] for file in manifest["files"]} == files.keys() - {
        "manifest.json",
        "datapackage.json",
    }
    package = json.loads(files["datapackage.json"])
    for file in manifest["files"]:
        assert file["bytes"] == len(files[file["path"]])
        assert file["sha256"] == hashlib.sha256(files[file["path"]]).hexdigest()
    hashes = {resource["path"]: resource["hash"] for resource in package["resources"]}
    assert hashes == {file["path"]: f"sha256:{file['sha256']}" for file in manifest["files"]}


@pytest.mark.parametrize("purpose", ["tables", "ml", "graphs"])
def test_the_same_data_gives_the_same_files(exporting: Callable[..., Any], purpose: str) -> None:
    first, second = exporting(purpose), exporting(purpose)
    assert [(file.resource.path, file.sha256) for file in first.files] == [
        (file.resource.path, file.sha256) for file in second.files
    ]


def test_files_of_an_earlier_export_are_removed(exporting: Callable[..., Any], tmp_path: Path) -> None:
    earlier = {file.resource.path for file in exporting("ml").files}
    (tmp_path / "out" / "notes.txt").write_text("mine")
    exported = exporting("ml", ["npz"])
    names = {file.resource.path for file in exported.files}
    assert {str(path) for path in exported.removed} == earlier - names != set()
    assert exporting("ml", ["npz"]).removed == []
    npz = {"interactions.npz", "train.npz", "validation.npz", "test.npz", "users.npy", "tracks.npy"}
    assert contents(tmp_path / "out").keys() == {*npz, "manifest.json", "datapackage.json", "notes.txt"}


def test_an_export_for_another_purpose_is_not_replaced(exporting: Callable[..., Any], tmp_path: Path) -> None:
    exporting("graphs", ["gephi"])
    before = contents(tmp_path / "out")
    with pytest.raises(ArgumentError, match="contains an export for graphs; choose another directory"):
        exporting("ml")
    assert contents(tmp_path / "out") == before


def test_files_outside_the_directory_are_not_removed(exporting: Callable[..., Any], tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("keep me")
    exporting("graphs", ["gephi"])
    manifest = manifest_of(tmp_path / "out")
    manifest["files"] = [{"path": "../precious.txt"}, {"path": str(precious)}, {}, {"path": ""}]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    exporting("graphs", ["gephi"])
    assert precious.read_text() == "keep me"


@pytest.mark.parametrize("moment", ["writing", "moving"])
def test_a_killed_export_leaves_no_partial_file(
    harvest: Path, exporting: Callable[..., Any], tmp_path: Path, moment: str, root: Path
) -> None:
    exporting("tables", ["parquet"])
    before = contents(tmp_path / "out")
    command = [sys.executable, "-c", KILLED, url_of(harvest), str(tmp_path / "out"), moment]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ended = subprocess.run(command, cwd=root, env=environment, check=False, timeout=120)
    assert ended.returncode == -9
    after = {name: data for name, data in contents(tmp_path / "out").items() if ".partial/" not in name}
    if moment == "writing":
        assert after == before
    else:
        # Every file is complete; the missing manifest shows that the export is not.
        assert "manifest.json" not in after
        assert all(before[name] == data for name, data in after.items() if name in before)
    exporting("tables", ["csv"])
    whole = contents(tmp_path / "out")
    assert {file["path"] for file in manifest_of(tmp_path / "out")["files"]} == {
        name for name in whole if name.endswith(".csv")
    }
    assert whole.keys() == {
        *(name for name in whole if name.endswith(".csv")),
        "manifest.json",
        "datapackage.json",
    }
    if moment == "moving":
        moved = {name for name in after if name.endswith(".csv")}
        assert moved
        assert all(whole[name] == after[name] for name in moved)


def test_a_full_disk_keeps_the_previous_export(
    exporting: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting("tables")
    before = contents(tmp_path / "out")

    def write_nothing(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tables, "write_parts", write_nothing)
    with pytest.raises(StorageError, match="out: No space left on device"):
        exporting("tables")
    assert contents(tmp_path / "out") == before


def test_a_refused_export_creates_no_directory(tmp_path: Path) -> None:
    def refuse(directory: Path) -> None:
        with open_package(directory, "tables") as package:
            package.path("a/b.parquet").touch()
            raise ArgumentError("no")

    (tmp_path / "mine").mkdir()
    for directory in (tmp_path / "out", tmp_path / "new" / "out", tmp_path / "mine"):
        with pytest.raises(ArgumentError, match="no"):
            refuse(directory)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_two_exports_do_not_run_at_once(exporting: Callable[..., Any], tmp_path: Path) -> None:
    exporting("tables")
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(StorageError, match="another export is writing"):
        exporting("tables")


def test_a_second_export_leaves_the_lock_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, lock = tmp_path / "out", FileLock(tmp_path / "out" / ".lock")

    def let_the_first_begin(path: Path) -> None:
        path.mkdir()
        lock.acquire()

    monkeypatch.setattr(private_files, "make_directory", let_the_first_begin)
    with pytest.raises(StorageError, match="another export is writing"), open_package(directory, "tables"):
        pass
    assert (directory / ".lock").exists()
    lock.release()


def test_a_directory_that_cannot_be_created(exporting: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out: File exists"):
        exporting("tables")
