"""The name of an algorithm: different parameters have different names, and every output has the name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pyarrow.parquet
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.commands.related import Command
from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports.export import export, resolve_options
from sgr_spiders.exports.pair_files import write_pairs
from sgr_spiders.relationships.algorithm import name_algorithm
from sgr_spiders.relationships.build import parameters_of
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput
from sgr_spiders.relationships.live import LiveRelationships
from sgr_spiders.relationships.processor import choose_types, relate
from sgr_spiders.storage import redaction, schema
from sgr_spiders.storage.pairs import builds
from tests.relationships.test_exact import CONFIGS
from tests.relationships.test_pair_files import ORIGIN, make_environment
from tests.relationships.test_processor import make_config, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Store

DEFAULTS = {
    "user_similarity": "user_similarity_min_3_similarity_0.1",
    "track_cooccurrence": "track_cooccurrence_min_2",
    "artist_relation": "artist_relation_min_2_shrinkage_10",
}


def names(config: HarvestConfig, seeds: list[int] | None = None) -> dict[str, str]:
    inputs = RelationshipInput(DatabaseSource(None), config.relationships, seeds)  # type: ignore[arg-type]
    types = choose_types(config)
    return {one.name: name_algorithm(one.name, parameters_of(one, inputs)) for one in types}


@pytest.mark.parametrize(
    ("relationships", "type_name", "name"),
    [
        *(({}, type_name, name) for type_name, name in DEFAULTS.items()),
        (
            {"track_cooccurrence": {"playlists": "curated", "weighting": "size", "max_contribution": 3}},
            "track_cooccurrence",
            "track_cooccurrence_curated_size_contribution_3_min_2",
        ),
        (
            {
                "engagement_kinds": ["repost", "like"],
                "include_removed": True,
                "user_sample": 0.25,
                "sample_seed": 7,
                "user_similarity": {"top_k": 100, "max_library_share": 0.5},
            },
            "user_similarity",
            (
                "user_similarity_min_3_similarity_0.1_share_0.5_top_100_kinds_like_repost_sample_0.25_removed"
                "_sample_seed_7"
            ),
        ),
    ],
)
def test_names_by_hand(relationships: dict[str, object], type_name: str, name: str) -> None:
    assert names(make_config(**relationships))[type_name] == name


def test_seeds_and_limits_are_in_the_name() -> None:
    assert names(HarvestConfig(), [5, 7])["track_cooccurrence"] == "track_cooccurrence_min_2_seeds_5_7"
    many = [names(HarvestConfig(), seeds)["track_cooccurrence"] for seeds in ([1, 2, 3, 4], [1, 2, 3, 5])]
    assert many[0] != many[1]
    assert many[0].startswith("track_cooccurrence_min_2_4_seeds_")
    limited = {"min_cooccurrences": 2, "limited": {"by": "max_pairs", "pairs": 1_000, "top_k": 9}}
    assert name_algorithm("track_cooccurrence", limited) == "track_cooccurrence_min_2_limit_1000"
    own = name_algorithm("playlist_similarity", {"top_k": None, "alpha": 0.5, "is_fast": True})
    assert own == "playlist_similarity_alpha_0.5_is_fast"


@given(st.lists(CONFIGS, min_size=2, max_size=2), st.sampled_from([None, [1], [1, 2], [12]]))
def test_different_parameters_have_different_names(
    configs: list[HarvestConfig], seeds: list[int] | None
) -> None:
    inputs = [RelationshipInput(DatabaseSource(None), one.relationships, seeds) for one in configs]  # type: ignore[arg-type]
    for one, other in zip(*map(choose_types, configs), strict=True):
        first, second = parameters_of(one, inputs[0]), parameters_of(other, inputs[1])
        is_same = name_algorithm(one.name, first) == name_algorithm(other.name, second)
        assert is_same is (first == second)


def test_every_output_has_the_name(store: Store, url: str, tmp_path: Path) -> None:
    make_world().spill(store)
    config = make_config(track_cooccurrence={"weighting": "size"})
    relate(store, config)
    wanted = DEFAULTS | {"track_cooccurrence": "track_cooccurrence_size_min_2"}
    with store.read() as connection:
        built = {name: builds.latest(connection, name) for name in wanted}
    assert {name: one and one.algorithm for name, one in built.items()} == wanted

    command = Command()
    command.settings = {"HARVEST_DATABASE_URL": url}  # type: ignore[assignment]
    name = wanted["track_cooccurrence"]
    assert json.loads(command._render("track", "2", 3, as_json=True))["algorithm"] == name
    assert command._render("track", "2", 3, as_json=False).splitlines()[-1] == f"Algorithm: {name}"

    export(store, tmp_path / "graphs", resolve_options("graphs", ["gexf"], Choice(), with_raw=False))
    manifest = json.loads((tmp_path / "graphs" / "manifest.json").read_text())
    assert manifest["relationships"]["track_relationships"]["algorithm"] == name
    graph = ET.parse(tmp_path / "graphs" / "track_relationships.gexf")  # noqa: S314 - our own file
    assert f"(algorithm {name})" in str(graph.findtext("{*}meta/{*}description"))

    write_pairs(
        tmp_path / "pairs", choose_types(config), make_environment(DatabaseSource(store), config), ORIGIN
    )
    manifest = json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    assert manifest["relationships"]["track_relationships"]["algorithm"] == name
    metadata = pyarrow.parquet.read_schema(tmp_path / "pairs" / "track_relationships.parquet").metadata
    assert metadata[b"algorithm"] == name.encode()


def test_updates_and_limits_are_named(store: Store) -> None:
    make_world().spill(store)
    LiveRelationships(store, make_config(max_pairs=20), lambda function: function()).update(
        None, lambda: False
    )
    with store.read() as connection:
        built = builds.latest(connection, "track_cooccurrence")
    assert built is not None
    # Updates do not compute significance.
    assert built.algorithm == "track_cooccurrence_min_2_significance_none_limit_20"


def test_a_forgotten_seed_is_not_in_a_name(store: Store) -> None:
    with store.write() as connection:
        values = {"type": "x", "inputs": "{}", "stamp": "", "fingerprint": "", "rows": 0, "seconds": "{}",
                  "started_at": "", "finished_at": ""}  # fmt: skip
        rows = [
            {**values, "parameters": json.dumps({"seeds": [seed]}), "algorithm": f"x_seeds_{seed}"}
            for seed in (5, 6)
        ]
        connection.execute(sa.insert(schema.relationship_runs), rows)
        redaction.redact(connection, {("track", 5)})
        kept = connection.scalars(sa.select(schema.relationship_runs.c.algorithm)).all()
    assert sorted(kept, key=str) == [None, "x_seeds_6"]
