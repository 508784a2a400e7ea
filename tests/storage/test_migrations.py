"""Migrations of earlier versions keep the contents, and add constraints."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import migrate
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

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
