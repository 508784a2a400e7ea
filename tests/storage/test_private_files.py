"""New databases and exports can be read by their owner only; the modes of existing files are kept."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports.export import export, resolve_options
from sgr_spiders.storage import private_files
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.sqlite("file modes")


@pytest.fixture(autouse=True)
def _lax_umask() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "a" / "b" / "x.db"
    with closing(Store.open(f"sqlite:///{path}")):
        files = {file.name: mode(file) for file in path.parent.iterdir()}
    assert files == dict.fromkeys(["x.db", "x.db-shm", "x.db-wal", "x.db.lock"], 0o600)
    assert [mode(folder) for folder in (path.parent, path.parent.parent, tmp_path)] == [0o700, 0o700, 0o755]


def test_the_mode_of_an_existing_database_also_applies_to_the_files_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch(0o660)
    with closing(Store.open(f"sqlite:///{path}")):
        assert {mode(file) for file in tmp_path.iterdir()} == {0o660}


def test_a_new_export(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    options = resolve_options("tables", ["csv"], Choice(), with_raw=False)
    export(store, folder, options)
    assert {mode(file) for file in folder.iterdir()} == {0o600}
    assert mode(folder) == mode(folder.parent) == 0o700


def test_the_modes_of_an_existing_export_are_kept(store: Store, tmp_path: Path) -> None:
    options = resolve_options("tables", ["csv"], Choice(), with_raw=False)
    folder = tmp_path / "out"
    export(store, folder, options)
    folder.chmod(0o750)
    for name in ("users.csv", "manifest.json"):
        (folder / name).chmod(0o640)
    export(store, folder, options)
    assert mode(folder) == 0o750
    assert (mode(folder / "users.csv"), mode(folder / "manifest.json")) == (0o640, 0o640)
    assert mode(folder / "tracks.csv") == 0o600


def test_a_planted_partial_file_is_not_written(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / ".page.html.part").symlink_to(victim)
    private_files.write(tmp_path / "page.html", b"mine")
    assert victim.read_text() == "theirs"
    assert (tmp_path / "page.html").read_bytes() == b"mine"
    assert mode(tmp_path / "page.html") == 0o600


def test_two_writers_do_not_share_a_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with private_files.replacing(path) as one, private_files.replacing(path) as other:
        assert one != other
        assert {mode(one), mode(other)} == {0o600}
        one.write_bytes(b"one")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_that_sqlite_made_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(Store.open(f"sqlite:///{path}")):
        pass
    path.chmod(0o644)
    with closing(Store.open(f"sqlite:///{path}")), closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM walks").fetchone() == (0,)
    assert mode(path) == 0o644
