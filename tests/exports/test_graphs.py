"""The graphs, read by networkx and pandas, equal the relationship tables."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from sgr_spiders.relationships import TYPES
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE
from tests.databases import connect, copy_database
from tests.exports.conftest import AWKWARD, export_from, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.storage.pairs.tables import PairTable

TABLES = [TYPES[name].table for name in ("user_similarity", "track_cooccurrence", "artist_relation")]


def edges_of(harvest: Path, table: PairTable) -> dict[tuple[int, int], dict[str, Any]]:
    measures = [*(measure.name for measure in (*table.measures, *SIGNIFICANCE)), "cut"]
    rows = rows_of(harvest, f"SELECT {', '.join([*table.keys, *measures])} FROM {table.name}")  # noqa: S608 - our own names
    edges = {(row[0], row[1]): dict(zip(measures, row[2:], strict=True)) for row in rows}
    return {pair: edge | {"cut": bool(edge["cut"])} for pair, edge in edges.items()}


@pytest.fixture
def folder(exporting: Callable[..., Any], tmp_path: Path) -> Path:
    exporting("graphs")
    return tmp_path / "out"


def test_networkx_reads_gexf(harvest: Path, folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.gexf")} == {table.name for table in TABLES}
    for table in TABLES:
        wanted = edges_of(harvest, table)
        graph = nx.read_gexf(folder / f"{table.name}.gexf", node_type=int)
        assert not graph.is_directed()
        found = {
            (min(ends), max(ends)): {
                table.score: edge["weight"],
                **{name: value for name, value in edge.items() if name not in {"id", "weight"}},
            }
            for *ends, edge in graph.edges(data=True)
        }
        assert found == wanted
        assert set(graph.nodes) == {node for pair in wanted for node in pair}
    # Characters that XML does not allow are replaced; all others are unchanged.
    tracks = nx.read_gexf(folder / "track_relationships.gexf", node_type=int)
    shown = AWKWARD.replace("\u0001", "\ufffd").replace("\u001b", "\ufffd").replace("\ufffe", "\ufffd")
    assert tracks.nodes[110]["label"] == shown
    assert tracks.nodes[110]["playback_count"] == 2**40
    assert "playback_count" not in tracks.nodes[112]


def test_pandas_reads_the_gephi_tables(harvest: Path, folder: Path) -> None:
    for table in TABLES:
        wanted = edges_of(harvest, table)
        nodes = pd.read_csv(folder / f"{table.name}.nodes.csv").set_index("Id")
        edges = pd.read_csv(folder / f"{table.name}.edges.csv")
        assert list(edges.columns[:3]) == ["Source", "Target", "Weight"]
        assert set(edges["Type"]) == {"Undirected"}
        rows = edges.rename(columns={"Weight": table.score}).drop(columns="Type").to_dict("records")
        assert {(row.pop("Source"), row.pop("Target")): row for row in rows} == wanted
        assert set(nodes.index) == {node for pair in wanted for node in pair}
    assert pd.read_csv(folder / "user_similarities.nodes.csv").set_index("Id").loc[3, "Label"] == AWKWARD
    tracks = pd.read_csv(folder / "track_relationships.nodes.csv").set_index("Id")
    assert tracks.loc[110, "playback_count"] == 2**40


@pytest.mark.parametrize(
    ("extent", "has_left", "has_come"),
    [({}, False, True), ({"include_removed": True}, True, True), ({"as_of": "2026-01-02"}, True, False)],
)
def test_a_graph_contains_the_nodes_that_are_present(
    harvest: Path, tmp_path: Path, extent: dict[str, Any], *, has_left: bool, has_come: bool
) -> None:
    database = copy_database(harvest, tmp_path / "copy.db")
    ((left, came),) = rows_of(harvest, "SELECT user_id_a, user_id_b FROM user_similarities LIMIT 1")
    with closing(connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at) "
            "VALUES (1, 's', 'l', 's', false, 't', '2026-01-01')"
        )
        connection.execute("UPDATE users SET first_seen_at = '2026-01-01'")
        connection.execute("UPDATE users SET removed_at = '2026-01-03' WHERE user_id = ?", (left,))
        connection.execute("UPDATE users SET first_seen_at = '2026-01-04' WHERE user_id = ?", (came,))
    export_from(database, tmp_path / "out", "graphs", ["gexf"], **extent)
    graph = nx.read_gexf(tmp_path / "out" / "user_similarities.gexf", node_type=int)
    assert (left in graph, came in graph) == (has_left, has_come)
    assert graph.has_edge(left, came) is (has_left and has_come)
    assert not list(nx.isolates(graph))


def test_nodes_have_country_genre_layer_community_and_credited_artist(harvest: Path, tmp_path: Path) -> None:
    database = copy_database(harvest, tmp_path / "copy.db")
    with closing(connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at) "
            "VALUES (1, 's', 'l', 's', false, 't', '2026-01-01')"
        )
        connection.execute(
            "INSERT INTO run_scope (run_id, seed_id, layer, settings) "
            "SELECT DISTINCT 1, seed_id, layer, 's' FROM discoveries"
        )
        connection.execute(
            "UPDATE users SET country = 'Deutschland', username = 'Night Label' WHERE user_id = 501"
        )
        connection.execute("UPDATE users SET country = 'Nowhere' WHERE user_id = 4")
        connection.execute("UPDATE tracks SET genre = 'Drum and Bass' WHERE track_id BETWEEN 111 AND 125")
        connection.execute("UPDATE tracks SET genre = 'DnB' WHERE track_id BETWEEN 126 AND 162")
        connection.execute("UPDATE tracks SET title = 'Mara - Song' WHERE artist_id = 501")
        connection.executemany(
            "INSERT INTO communities (kind, node_id, community, stability) VALUES (?, ?, ?, ?)",
            [("track", 111, 2, 0.75), ("user", 4, 1, 1.0), ("artist", 501, 0, 0.5), ("user", 501, 9, 0.1)],
        )
    export_from(database, tmp_path / "out", "graphs")
    files = [nx.read_gexf(tmp_path / "out" / f"{table.name}.gexf", node_type=int) for table in TABLES]
    people, songs, makers = (graph.nodes for graph in files)
    tables = [pd.read_csv(tmp_path / "out" / f"{table.name}.nodes.csv").set_index("Id") for table in TABLES]
    assert people[4]["country"] == tables[0].loc[4, "country"] == "Nowhere"
    assert people[4]["genre"] == tables[0].loc[4, "genre"] == "drum & bass"
    assert (people[4]["community"], people[4]["stability"]) == (1, 1.0)
    assert "community" not in people[5]
    of_label = rows_of(database, "SELECT track_id FROM tracks WHERE artist_id = 501 ORDER BY track_id")
    label_song = next(track for (track,) in of_label if track in songs and track > 111)
    assert songs[label_song]["country"] == "Germany"
    assert songs[label_song]["credited_artist"] == "Mara"
    assert songs[111]["genre"] == tables[1].loc[111, "genre"] == "drum & bass"
    assert (songs[111]["community"], songs[111]["stability"]) == (2, 0.75)
    first = "SELECT record_id, min(layer) FROM discoveries WHERE kind = 'track' GROUP BY record_id"
    found: dict[int, str] = dict(rows_of(database, first))
    assert {node: songs[node].get("layer") for node in songs} == {node: found.get(node) for node in songs}
    assert set(found) & set(songs)
    assert (makers[501]["community"], makers[501]["stability"]) == (0, 0.5)
    assert (makers[501]["looks_like_label"], makers[501]["credits_others"]) == (True, 1.0)
    assert (makers[502]["looks_like_label"], makers[502]["credits_others"]) == (False, 0.0)
    assert tables[2].loc[501, "country"] == "Germany"


def test_the_nodes_of_an_edge_index(harvest: Path, tmp_path: Path) -> None:
    database = copy_database(harvest, tmp_path / "copy.db")
    with closing(connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO communities (kind, node_id, community, stability) VALUES (?, ?, ?, ?)",
            [("track", 110, 2, 0.75), ("user", 4, 1, 1.0)],
        )
    export_from(database, tmp_path / "out", "ml", ["edge_index"])
    nodes = pd.read_csv(tmp_path / "out" / "nodes.csv")
    users, tracks = (np.load(tmp_path / "out" / f"{name}.npy").tolist() for name in ("users", "tracks"))
    assert nodes["node"].tolist() == list(range(len(users) + len(tracks)))
    assert nodes["record_id"].tolist() == users + tracks
    assert nodes["kind"].tolist() == ["user"] * len(users) + ["track"] * len(tracks)
    with_community = nodes.dropna(subset="community")
    found = with_community[["kind", "record_id", "community", "stability"]].itertuples(index=False, name=None)
    assert set(found) == {("user", 4, 1, 1.0), ("track", 110, 2, 0.75)}
