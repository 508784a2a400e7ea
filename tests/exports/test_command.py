"""The options of ``scrapy export`` and its interruption; other tests export a real harvest."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.commands.export import Command
from sgr_spiders.config.choices import SOURCES
from sgr_spiders.embeddings import interactions
from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports import graphs
from sgr_spiders.exports.export import FORMATS, default_formats, resolve_options
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.store import Store
from tests.databases import connect, copy_database
from tests.exports.conftest import run

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize(
    ("purpose", "formats", "found", "written"),
    [
        (None, [], "tables", ("parquet",)),
        (None, ["csv", "parquet", "csv"], "tables", ("csv", "parquet")),
        (None, ["npz", "csv"], "ml", ("npz", "csv")),
        (None, ["gexf"], "graphs", ("gexf",)),
        ("ml", [], "ml", ("npz", "edge_index", "recbole", "sequences", "parquet")),
        ("ml", ["parquet"], "ml", ("parquet",)),
        ("graphs", [], "graphs", ("gexf", "gephi")),
    ],
)
def test_defaults_are_filled_in(
    purpose: str | None, formats: list[str], found: str, written: tuple[str, ...]
) -> None:
    filled = resolve_options(purpose, formats, Choice(), with_raw=False)
    assert (filled.purpose, filled.formats) == (found, written)


def test_every_purpose_has_default_formats() -> None:
    assert {purpose: default_formats(purpose) for purpose in FORMATS} == {
        "tables": ("parquet",),
        "ml": ("npz", "edge_index", "recbole", "sequences", "parquet"),
        "graphs": ("gexf", "gephi"),
    }


def test_the_help_lists_every_source() -> None:
    assert list(SOURCES) == list(interactions.SOURCES)


def test_the_document_lists_every_format(root: Path) -> None:
    text = (root / "docs" / "exports.md").read_text()
    for purpose, formats in FORMATS.items():
        rows = text.split(f"\n| `{purpose}` |")[1].split("\n\n")[0]
        assert not [name for name in formats if f"`{name}`" not in rows]


@pytest.mark.usefixtures("signals")
def test_options_reach_the_manifest(
    harvest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = copy_database(harvest, tmp_path / "copy.db")
    options = "--seed 101 --sources like,repost=0.25 --min-per-user 2 --min-per-track 1 --test 0.3"
    arguments = ["--for", "ml", "--format", "npz", *options.split(), "--validation", "0", "--split-seed", "9"]
    folder = tmp_path / "ml"
    assert run(Command, database, *arguments, "--output", str(folder)) == 0
    captured = capsys.readouterr()
    assert "docs/terms.md" in captured.err
    assert captured.out.splitlines()[0].split() == ["users", "3"]
    manifest = (folder / "manifest.json").read_text()
    assert '"split_seed": 9' in manifest
    assert '"validation": 0.0' in manifest
    assert '"repost": 0.25' in manifest
    assert '"seeds": [\n      101\n    ]' in manifest


@pytest.mark.usefixtures("signals")
def test_an_interrupted_export_keeps_the_directory(
    harvest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run(Command, harvest, "--for", "graphs", "--output", str(folder)) == 0
    before = sorted(path.name for path in folder.iterdir())

    def stopped(*_: object) -> dict[str, int]:
        assert (folder / ".partial").is_dir()
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal was not handled")

    monkeypatch.setattr(graphs, "export_graphs", stopped)
    assert run(Command, harvest, "--for", "graphs", "--output", str(folder)) == 130
    assert capsys.readouterr().err == "Interrupted: the output directory is unchanged\n"
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.usefixtures("signals")
def test_a_database_that_cannot_be_written_is_exported(
    harvest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Store) -> None:
        raise StorageError("attempt to write a readonly database")

    monkeypatch.setattr(Store, "write", refuse)
    folder = tmp_path / "out"
    with caplog.at_level("INFO"):
        assert run(Command, harvest, "--for", "graphs", "--output", str(folder)) == 0
    assert (folder / "manifest.json").exists()
    assert f"Could not save that {folder} is an export: attempt to write" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2199-01-01"], "option `--as-of`: '2199-01-01' is in the future"),
        (["--as-of", "1999-12-31"], "is too early: the first run began at 2026-01-01"),
        (["--as-of", "yesterday"], "option `--as-of`: must be a date or time such as 2026-03-01"),
        (["--as-of", "2026-01-01", "--for", "ml"], "option `--as-of`: only with `--for tables` or"),
        (["--as-of", "2026-01-01", "--include-removed"], "option `--as-of`: cannot be combined with"),
    ],
)
@pytest.mark.usefixtures("signals")
def test_times_that_no_export_can_show(
    harvest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    database = copy_database(harvest, tmp_path / "copy.db")
    assert run(Command, database, "--as-of", "2026-01-01", "--output", str(tmp_path / "out")) == 2
    assert "this database has no runs" in capsys.readouterr().err
    with closing(connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at) "
            "VALUES (1, 's', 'l', 's', false, 't', '2026-01-01T00:00:00.000000Z')"
        )
    assert run(Command, database, *arguments, "--output", str(tmp_path / "out")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out" / "manifest.json").exists()
