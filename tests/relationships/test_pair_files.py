"""``scrapy relate --input DIR --output DIR``: the same rows from files to files, without a database."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest

from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports.export import export, resolve_options
from sgr_spiders.exports.pair_files import write_pairs
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.build import Environment
from sgr_spiders.relationships.engine import CancelledError, LocalEngine
from sgr_spiders.relationships.export_source import ExportSource
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput
from sgr_spiders.relationships.processor import choose_types, relate
from sgr_spiders.storage.store import Store
from tests.relationships.test_exact import crowd
from tests.relationships.test_processor import make_config, make_world
from tests.relationships.worlds import Rows, World, stored
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.inputs import Source
    from sgr_spiders.storage.pairs.reading import InputName

ORIGIN = dict.fromkeys(("tool", "database", "schema_version", "source", "run"))


def export_tables(store: Store, directory: Path, *, include_removed: bool = False) -> None:
    options = resolve_options(
        "tables", ["parquet"], Choice(), with_raw=False, include_removed=include_removed
    )
    export(store, directory, options)


def make_environment(source: Source, config: HarvestConfig, *, is_cancelled: bool = False) -> Environment:
    section = config.relationships
    inputs = RelationshipInput(source, section, None)
    return Environment(section, inputs, lambda: is_cancelled, LocalEngine(1))


def read(directory: Path) -> dict[str, Rows]:
    """Return the rows of all tables, in the order of the files."""
    found: dict[str, Rows] = {relationship.table.name: {} for relationship in TYPES.values()}
    for path in directory.glob("*.parquet"):
        columns: Any = pyarrow.parquet.read_table(path).to_pydict().values()
        found[path.stem] = {(row[0], row[1]): tuple(row[2:]) for row in zip(*columns, strict=True)}
    return found


CONFIGS: list[dict[str, object]] = [
    {"user_cosine": {"enabled": True}, "engagement_kinds": ["like", "repost"]},
    {"include_removed": True, "include_unseen": True, "engagement_kinds": ["repost"]},
    {"max_pairs": 20, "track_cooccurrence": {"min_cooccurrences": 1, "top_k": 3}},
    {"track_cooccurrence": {"min_cooccurrences": 1, "playlists": "albums", "max_contribution": 1}},
]


@pytest.mark.parametrize(
    ("world", "relationships"),
    [
        (crowd(3, 0.4), CONFIGS[0]),
        (crowd(4, 0.4), CONFIGS[1]),
        (make_world(), CONFIGS[2]),
        (crowd(2, 0.4), CONFIGS[3]),
        (World(), {}),
    ],
    ids=["crowd", "removed", "limited", "albums", "empty"],
)
def test_the_files_have_the_rows_of_the_tables(
    store: Store, tmp_path: Path, world: World, relationships: dict[str, object]
) -> None:
    config = make_config(
        user_similarity={"min_common_tracks": 1, "min_similarity": 0.3},
        artist_relation={"min_shared_fans": 1},
        **{"track_cooccurrence": {"min_cooccurrences": 1}, **relationships},
    )
    world.spill(store)
    export_tables(store, tmp_path / "export", include_removed=config.relationships.include_removed)
    relate(store, config)
    source = ExportSource(
        tmp_path / "export", include_removed=bool(relationships.get("include_removed", False))
    )
    for origin in (source, DatabaseSource(store)):
        environment = make_environment(origin, config)
        write_pairs(tmp_path / "pairs", choose_types(config), environment, ORIGIN)
        found = read(tmp_path / "pairs")
        assert found == stored(store, with_significance=True)
        assert all(list(rows) == sorted(rows) for rows in found.values())
        names: tuple[InputName, ...] = ("likes", "playlists", "uploads")
        inputs = RelationshipInput(DatabaseSource(store), config.relationships, None)
        assert environment.inputs.fingerprint(names) == inputs.fingerprint(names)


def test_the_command_needs_no_database(
    store: Store, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world().spill(store)
    export_tables(store, tmp_path / "export")
    relate(store, make_config())
    expected = stored(store, with_significance=True)
    store.close()
    monkeypatch.chdir(tmp_path)
    from_files = run_command("relate", "--input", "export", "--output", "pairs")
    assert from_files.code == 0, from_files.err
    assert "user_similarities" in from_files.out
    assert read(tmp_path / "pairs") == expected
    manifest = json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    assert manifest["relationships"]["user_similarities"]["rows"] == len(expected["user_similarities"])
    from_database = run_command("relate", "--output", "others", HARVEST_DATABASE_URL=url)
    assert from_database.code == 0, from_database.err
    assert read(tmp_path / "others") == expected
    with closing(Store.open(url)) as opened:
        assert stored(opened, with_significance=True) == expected
    unknown = run_command("relate", "--seed", "7", "--input", "export", "--output", "pairs")
    assert (unknown.code, unknown.err.count("\n")) == (2, 1)
    assert "seed 7: nothing was harvested around it" in unknown.err


def test_a_cancelled_search_leaves_the_earlier_files(store: Store, tmp_path: Path) -> None:
    make_world().spill(store)
    config = make_config()
    write_pairs(tmp_path, choose_types(config), make_environment(DatabaseSource(store), config), ORIGIN)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.parquet")}
    cancelled = make_environment(DatabaseSource(store), config, is_cancelled=True)
    with pytest.raises(CancelledError):
        write_pairs(tmp_path, choose_types(config), cancelled, ORIGIN)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.parquet")} == before
    assert not list(tmp_path.glob(".relating-*"))


def test_what_is_not_such_an_export_is_one_line(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^option `--input`: \S+ does not contain an export; create"):
        ExportSource(tmp_path, include_removed=False)
    export_tables(store, tmp_path)
    with pytest.raises(ArgumentError, match=r"does not contain removed rows; create it with"):
        ExportSource(tmp_path, include_removed=True)
    (tmp_path / "engagements.parquet").write_bytes(b"PAR")
    config = make_config()
    environment = make_environment(ExportSource(tmp_path, include_removed=False), config)
    with pytest.raises(ArgumentError, match=r"^option `--input`: could not read [^\n]+$"):
        write_pairs(tmp_path / "pairs", choose_types(config), environment, ORIGIN)
    done = run_command("relate", "--input", str(tmp_path))
    assert (done.code, done.err) == (2, "option `--input`: only with `--output`\n")
