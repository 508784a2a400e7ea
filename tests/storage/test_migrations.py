"""Migrations of earlier versions keep the contents, and add constraints."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import lanes, migrate
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sqlite("files of earlier versions")

FILLED = """
INSERT INTO users (user_id, is_stub, fullness, fetched_at) VALUES (1, 0, 3, 't'), (2, 1, 0, 't');
INSERT INTO tracks (track_id, artist_id, access, is_stub, fullness, fetched_at)
    VALUES (5, 1, 'playable', 0, 3, 't'), (6, 2, NULL, 1, 0, 't');
INSERT INTO engagements VALUES (1, 5, 'like'), (2, 5, 'repost'), (2, 6, 'like');
INSERT INTO track_mentions VALUES (5, 'featuring', 'Ann', 2), (5, 'label', 'X', NULL);
INSERT INTO walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, received, kept,
    created_at) VALUES (9, 'track_likers', '5', 'capped', '', 0, 1, 0, 2, 2, 't');
INSERT INTO walk_requests VALUES (9, 5, 'user_depth', 'listeners', 1, 1, 0, 1, 'x');
INSERT INTO walk_records VALUES (9, 'user', 1, 0, 0), (9, 'user', 2, 1, 0);
INSERT INTO selections VALUES (5, 'semantic_depth', 'track', 6, 0.5);
INSERT INTO run_scope VALUES (1, 5, 'semantic_depth', 'old'), (2, 5, 'semantic_depth', 'new');
INSERT INTO runs (run_id, spider, layers, scope, refresh, fresh_after, started_at, outcome)
    VALUES (1, 's', 'l', 's', 0, 't', 't', 'partial'), (2, 's', 'l', 's', 0, 't', 't', NULL);
"""

COLUMNS = {
    "walks": "walk_id, endpoint, target, status, cursor, received, kept, capped_at, run_id, created_at",
    "walk_requests": "walk_id, seed_id, layer, step, cap, widest, selective, expanded, settings",
    "walk_records": "walk_id, kind, record_id, position, generation",
    "engagements": "user_id, track_id, kind",
    "selections": "seed_id, layer, kind, record_id, score",
}
"""The columns to compare of tables that later migrations add columns to."""

WRONG = [
    "UPDATE walks SET status = 'don'",
    "INSERT INTO engagements (user_id, track_id, kind) VALUES (1, 6, 'likes')",
    "INSERT INTO track_mentions VALUES (5, 'feat', 'Bob', NULL)",
    "INSERT INTO walk_records VALUES (9, 'tracks', 1, 0, 0, NULL)",
    "UPDATE selections SET kind = 'comment'",
    "UPDATE runs SET outcome = 'good'",
    "INSERT INTO seeds VALUES ('5', 5, 60, 0, 't', NULL, 't', 'fine', NULL)",
    "UPDATE tracks SET access = 'hidden'",
]


@pytest.fixture(params=["0001", "0005"])
def older(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a filled database of an earlier version."""
    path = tmp_path / "older.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", request.param)
        Store.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FILLED)
    return path


def contents(path: Path) -> dict[str, list[object]]:
    tables = ("engagements", "track_mentions", "walks", "walk_requests", "walk_records", "selections")
    with closing(sqlite3.connect(path)) as connection:
        found = {
            name: connection.execute(f"SELECT {COLUMNS.get(name, '*')} FROM {name}").fetchall()  # noqa: S608 - ours
            for name in tables
        }
        found["discoveries"] = sorted(connection.execute("SELECT * FROM discoveries").fetchall())
        found["tracks"] = connection.execute("SELECT track_id, artist_id, access FROM tracks").fetchall()
        found["runs"] = connection.execute("SELECT run_id, outcome FROM runs").fetchall()
    return found


def test_contents_survive_and_are_constrained(older: Path) -> None:
    before = contents(older)
    assert before["discoveries"] == [("track", 6, 5, "semantic_depth"), ("user", 1, 5, "user_depth")]
    with closing(sqlite3.connect(older)) as open_meanwhile:
        open_meanwhile.execute("SELECT count(*) FROM walks").fetchone()
        Store.open(f"sqlite:///{older}").close()
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            open_meanwhile.execute(WRONG[0])
        open_meanwhile.rollback()
    assert contents(older) == before
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for statement in WRONG:
            with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed: ck_"):
                connection.execute(statement)
        for statement in (
            "UPDATE walks SET status = 'done'",
            "UPDATE runs SET outcome = NULL",
            "UPDATE runs SET outcome = 'unreachable'",
            "INSERT INTO seeds VALUES ('5', 5, 60, 0, 't', NULL, 't', 'unreachable', NULL)",
        ):
            connection.execute(statement)
        for table in ("engagements", "walk_records", "selections"):
            with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
                connection.execute(f"SELECT rowid FROM {table}")  # noqa: S608 - ours


def test_a_value_that_no_version_writes_is_named_and_nothing_changes(older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("UPDATE walks SET status = 'odd'")
        connection.commit()
        before = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
        with pytest.raises(StorageError, match=r"walks\.status contains 'odd'; correct it by hand"):
            Store.open(f"sqlite:///{older}")
        assert connection.execute("SELECT name, sql FROM sqlite_master").fetchall() == before


def test_the_layers_are_shown_their_seeds_once_more(older: Path) -> None:
    """An earlier version has not stored what its layers left out."""
    with closing(sqlite3.connect(older)) as connection:
        row = (9, 5, "label_layer", "seed", 1, 1, 0, 1, "x")
        connection.execute("INSERT INTO walk_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    Store.open(f"sqlite:///{older}").close()
    with closing(sqlite3.connect(older)) as connection:
        shown = connection.execute("SELECT step, expanded, inline_cap FROM walk_requests ORDER BY step")
        assert shown.fetchall() == [("listeners", 1, None), ("seed", 0, None)]
        assert connection.execute("SELECT count(*) FROM cuts").fetchone() == (0,)


REFETCHED = """
INSERT INTO users (user_id, is_stub, fullness, fetched_at)
    VALUES (1, 0, 3, '2'), (2, 0, 3, '1'), (3, 0, 3, '1');
INSERT INTO tracks (track_id, artist_id, is_stub, fullness, fetched_at)
    VALUES (5, 1, 0, 3, '2'), (6, 1, 0, 3, '1'), (7, 2, 0, 3, '1'), (8, 2, 0, 3, '1');
INSERT INTO playlists (playlist_id, owner_id, is_stub, fullness, fetched_at) VALUES (20, 1, 0, 3, '2');
INSERT INTO comments (comment_id, track_id, user_id, fetched_at) VALUES (30, 5, 2, '1'), (31, 5, 2, '2');
INSERT INTO engagements VALUES (1, 5, 'like'), (1, 6, 'like'), (1, 7, 'like'), (2, 5, 'comment'),
    (3, 5, 'like'), (2, 8, 'like');
INSERT INTO playlist_tracks VALUES (20, 5, 0), (20, 6, 1);
INSERT INTO walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, received, kept,
    created_at, started_at, finished_at, reason)
VALUES (90, 'user_likes', '1', 'done', '', 1, 1, 0, 1, 1, '0', '15', '2', NULL),
    (91, 'user_tracks', '1', 'done', '', 1, 1, 0, 1, 1, '0', '15', '2', NULL),
    (92, 'playlist_tracks', '20', 'done', '', 1, 1, 0, 1, 1, '0', '15', '2', NULL),
    (93, 'track_comments', '5', 'done', '', 1, 1, 0, 1, 1, '0', '15', '2', NULL),
    (94, 'track', '8', 'gone', '', 1, 1, 0, 0, 0, '0', '15', '2', 'HTTP 404: 404 - Not Found'),
    (95, 'track_favoriters', '5', 'capped', '', 1, 1, 0, 1, 1, '0', '15', '2', 'cap of 1');
INSERT INTO walk_records VALUES (90, 'track', 5, 0, 1), (90, 'track', 6, 1, 0), (90, 'track', 7, 2, 0),
    (91, 'track', 5, 0, 1), (91, 'track', 6, 1, 0), (92, 'track', 5, 0, 1), (92, 'track', 6, 1, 0),
    (93, 'comment', 31, 0, 1), (93, 'comment', 30, 1, 0), (95, 'user', 1, 0, 1), (95, 'user', 3, 1, 0);
INSERT INTO walk_pages VALUES (90, 0, 0, 1, 3, '1'), (90, 1, 0, 1, 1, '2'), (91, 0, 0, 1, 2, '1'),
    (91, 1, 0, 1, 1, '2'), (92, 0, 0, 1, 2, '1'), (92, 1, 0, 1, 1, '2'), (93, 0, 0, 1, 2, '1'),
    (93, 1, 0, 1, 1, '2'), (95, 0, 0, 1, 2, '1'), (95, 1, 0, 1, 1, '2');
"""
"""Looks at the times 1 and 2: what generation 0 of a walk has and generation 1 has not has left the list."""


@pytest.mark.parametrize("version", ["0001", "0013"])
def test_what_had_left_its_list_is_marked_as_removed(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "older.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", version)
        Store.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(REFETCHED)
    Store.open(f"sqlite:///{path}").close()
    stamps = "first_seen_at, last_seen_at, removed_at, removed_reason"
    with closing(sqlite3.connect(path)) as connection:
        found = {
            (table, *row[:-4]): row[-4:]
            for table, key in (
                ("engagements", "user_id, track_id, kind"),
                ("playlist_tracks", "playlist_id, track_id"),
                ("comments", "comment_id"),
                ("tracks", "track_id"),
            )
            for row in connection.execute(f"SELECT {key}, {stamps} FROM {table}")  # noqa: S608 - ours
        }
        left = connection.execute(
            "SELECT walk_id, record_id FROM walk_records WHERE removed_at = '2'"
        ).fetchall()
    assert found == {
        # The ledger knows only the last generation that listed it.
        ("engagements", 1, 5, "like"): ("2", "2", None, None),
        # It left the uploads, too, and a removed track takes its likes along.
        ("engagements", 1, 6, "like"): ("1", "1", "2", "left_list"),
        ("engagements", 1, 7, "like"): ("1", "1", "2", "left_list"),
        ("engagements", 2, 5, "comment"): ("2", "2", None, None),
        # The list was not looked at to its end.
        ("engagements", 3, 5, "like"): ("1", "1", None, None),
        ("engagements", 2, 8, "like"): ("1", "1", "2", "gone"),
        ("playlist_tracks", 20, 5): ("2", "2", None, None),
        ("playlist_tracks", 20, 6): ("1", "1", "2", "left_list"),
        ("comments", 30): ("1", "1", "2", "owner_removed"),
        ("comments", 31): ("2", "2", None, None),
        ("tracks", 5): ("2", "2", None, None),
        ("tracks", 6): ("1", "1", "2", "owner_removed"),
        ("tracks", 7): ("1", "1", None, None),
        ("tracks", 8): ("1", "1", "2", "gone"),
    }
    assert sorted(left) == [(90, 6), (90, 7), (91, 6), (92, 6), (93, 30)]


def test_learned_rates_become_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "older.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0024")
        Store.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO request_rates VALUES ('https://a', 'f', 2.5, '2026-11-27T00:00:00Z')")
        connection.commit()
    store = Store.open(f"sqlite:///{path}")
    with store.write() as connection:
        stored = lanes.begin(connection, lanes.Key("https://a", "f"), "anna")
        (lane,) = lanes.known(connection)
    store.close()
    assert stored is not None
    assert (stored.interval, lane.name, lane.state, lane.interval_seconds) == (2.5, "anna", "ok", 2.5)


PAIR = "INSERT INTO artist_relationships VALUES (1, 2, 3, 0.5, 1)"
SECOND = "SELECT artist_id_a, artist_id_b, shared_fans, strength, cut, expected, lift, p, q FROM {}"


def test_pairs_get_empty_significance_and_the_next_build_the_order_of_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of types that others have added get it, too."""
    path = tmp_path / "older.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0029")
        Store.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        for user in (1, 2):
            connection.execute(
                "INSERT INTO users (user_id, is_stub, fullness, fetched_at) VALUES (?, 0, 3, 't')", (user,)
            )
        connection.execute(PAIR)
        connection.execute("CREATE TABLE others AS SELECT * FROM artist_relationships")
        connection.commit()
    store = Store.open(f"sqlite:///{path}")
    table = TYPES["artist_relation"].table.as_table()
    with closing(store), store.read() as connection:
        for name in (table.name, "others"):
            rows = connection.exec_driver_sql(SECOND.format(name)).all()
            assert rows == [(1, 2, 3, 0.5, 1, None, None, None, None)]
        assert connection.exec_driver_sql("PRAGMA table_info(artist_relationships)").all()[-1][1] == "q"
    with closing(Store.open(f"sqlite:///{path}")) as store:
        relate(store, HarvestConfig(), only=["artist_relation"])
        with store.read() as connection:
            columns = sa.inspect(connection).get_columns(table.name)
            assert [column["name"] for column in columns] == table.columns.keys()
            indexes = sa.inspect(connection).get_indexes(table.name)
            assert [index["column_names"] for index in indexes] == [["artist_id_b"]]
            assert connection.exec_driver_sql(SECOND.format(table.name)).all() == []
