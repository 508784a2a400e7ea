"""Lookups by people and commands use indexes: none scans a large table."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.relationships import TYPES
from sgr_spiders.soundcloud.addresses import parse_address
from sgr_spiders.storage import labels, looked_at, names, neighbours, records, vectors
from sgr_spiders.storage.figures import inventory
from sgr_spiders.storage.ledger import runs, seeds
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.runs import Run
from sgr_spiders.storage.libraries import Inclusion
from sgr_spiders.storage.neighbours import NeighbourReader
from sgr_spiders.storage.pairs import builds, reading
from sgr_spiders.storage.pairs.related import nearest
from sgr_spiders.storage.schema import metadata
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.storage.store import Connection

pytestmark = pytest.mark.sqlite("query plans of SQLite")

LARGE = (
    *("tracks", "users", "playlists", "comments", "engagements", "playlist_tracks", "track_mentions"),
    *("walks", "walk_requests", "walk_records", "walk_pages", "selections", "rejects", "seeds"),
    *("track_vectors", "user_vectors", "artist_vectors"),
    *("user_similarities", "track_relationships", "artist_relationships"),
)
REQUESTS = "walk_requests (walk_id, seed_id, layer, step, cap, widest, selective, expanded, settings)"
WALKS = "walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, received,"
RUN = Run(1, "2026-01-01", "2026-01-01")

BY_HAND = {
    "discoveries by record": "SELECT * FROM discoveries WHERE kind = 'track' AND record_id = 7",
    "discoveries by id alone": "SELECT * FROM discoveries WHERE record_id = 7",
    "discoveries by seed": "SELECT * FROM discoveries WHERE seed_id = 7",
    "discoveries by layer": "SELECT * FROM discoveries WHERE layer = 'user_depth'",
    "discoveries by layer and seed": "SELECT * FROM discoveries WHERE layer = 'user_depth' AND seed_id = 7",
    "tracks discovered": "SELECT title FROM discoveries JOIN tracks ON track_id = record_id "
    "WHERE kind = 'track' AND seed_id = 7",
    "history of discoveries by record": "SELECT * FROM discoveries_history "
    "WHERE kind = 'track' AND record_id = 7",
    "history of discoveries by seed": "SELECT * FROM discoveries_history WHERE seed_id = 7",
    "history of engagements by user": "SELECT * FROM engagements_history WHERE user_id = 7 AND NOT present",
    "history of a track": "SELECT * FROM tracks_history WHERE track_id = 7",
    "engagements by track": "SELECT user_id FROM engagements WHERE track_id = 7 AND kind = 'like'",
    "engagements by user": "SELECT track_id FROM engagements WHERE user_id = 7",
    "playlists of a track": "SELECT playlist_id FROM playlist_tracks WHERE track_id = 7",
    "comments by track": "SELECT body FROM comments WHERE track_id = 7",
    "comments by user": "SELECT body FROM comments WHERE user_id = 7",
    "tracks by artist": "SELECT title FROM tracks WHERE artist_id = 7",
    "mentions of a user": "SELECT track_id FROM track_mentions WHERE user_id = 7",
    "walks by status": "SELECT * FROM walks WHERE status = 'failed'",
    "requests by seed": "SELECT * FROM walk_requests WHERE seed_id = 7",
    "requests by layer": "SELECT * FROM walk_requests WHERE layer = 'user_depth'",
    "seeds by due date": "SELECT * FROM seeds WHERE next_harvest_at <= '2026'",
    "similar users, smaller": "SELECT * FROM user_similarities WHERE user_id_a = 7",
    "similar users, larger": "SELECT * FROM user_similarities WHERE user_id_b = 7",
    "related tracks": "SELECT * FROM track_relationships WHERE track_id_a = 7 OR track_id_b = 7",
    "related artists": "SELECT * FROM artist_relationships WHERE artist_id_a = 7 OR artist_id_b = 7",
}
ALL = Inclusion(unseen=True, removed=True)
"""Everything: which libraries count, and what was removed, is read in one pass."""


def read_near(connection: Connection, incidence: neighbours.Incidence) -> None:
    reader = NeighbourReader(connection, incidence, ALL)
    reader.read(reader.contexts_of(7).ids)


BY_COMMANDS: dict[str, Callable[[Connection], Any]] = {
    "relate --seed: tracks": lambda c: reading.read_discovered(c, "track", [7]),
    "relate --seed: users": lambda c: reading.read_discovered(c, "user", [7, 8]),
    "relate: how it was built": lambda c: builds.latest(c, "user_similarity"),
    "related": lambda c: nearest(c, TYPES["user_similarity"].table, 7, 10),
    "a track by its title": lambda c: names.find_by_name(c, "track", "Some title"),
    "a user by their name": lambda c: names.find_by_name(c, "user", "\u041f\u0440\u0438\u0432\u0435\u0442"),
    "a playlist by its page": lambda c: names.find_by_page(
        c, "playlist", parse_address("soundcloud.com/a/sets/b")
    ),
    "labels": lambda c: labels.read_labels(c, "track", [1, 2]),
    "similar: fans": lambda c: read_near(c, neighbours.FANS["track"]),
    "similar: fans of users": lambda c: read_near(c, neighbours.FANS["user"]),
    "similar: playlists": lambda c: read_near(c, neighbours.PLAYLISTS["track"]),
    "similar: shared": lambda c: NeighbourReader(c, neighbours.FANS["artist"], ALL).count(np.array([8, 9])),
    "similar: names": lambda c: neighbours.read_names(c, "artist", [7, 8]),
    "similar: vector": lambda c: vectors.read_vector(c, "track", "svd", 7),
    "recommend: library": lambda c: neighbours.read_library(c, 7),
    "recommend: playlist": lambda c: neighbours.read_playlist(c, 7),
    "recommend: unknown tracks": lambda c: looked_at.count_missing(c, 7),
    "crawl: records": lambda c: list(records.read_records(c, "track", [7, 8])),
    "crawl: requesters": lambda c: Ledger(c, RUN).requesters(7),
    "crawl: unfinished": lambda c: Ledger(c, RUN).has_unfinished(7, "user_depth"),
    "crawl: seeds": lambda c: runs.seed_outcomes(c, RUN),
    "crawl: next in turn": lambda c: seeds.next_in_turn(c, RUN),
    "crawl: walks around": lambda c: seeds.walks_around(c, RUN, 7),
    "seeds add": lambda c: seeds.find(c, read_seed("3")),
    "harvests": lambda c: inventory.latest_with_seeds(c, 20),
    "harvests --all": lambda c: inventory.latest_runs(c, 20),
}


@pytest.fixture(scope="module", params=["as it is", "analysed"])
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    """Yield a read connection to a filled database, with or without statistics for the planner."""
    store = Store.open(url_of(tmp_path_factory.mktemp("plans") / "harvest.db"))
    with store.write() as writing:
        driver: Any = writing.connection.driver_connection
        for user in range(1, 41):
            _insert(driver, "users (user_id, is_stub, fullness, fetched_at)", (user, 0, 3, "t"))
            _insert(
                driver, "tracks (track_id, artist_id, is_stub, fullness, fetched_at)", (user, user, 0, 3, "t")
            )
            _insert(driver, "seeds", (str(user), user, 60, 0, "t", None, f"202{user % 10}", None, None))
            columns = (user, "user_likes", str(user), ("done", "failed")[user % 2], "", 0, 1, 0, 9, 9, "t")
            _insert(driver, f"{WALKS} kept, created_at)", columns)
            layer = ("user_depth", "artist_depth")[user % 2]
            _insert(driver, REQUESTS, (user, user % 5, layer, "s", 9, 9, 0, 0, "x"))
            _insert(driver, "selections", (user % 3, layer, "track", user, 0.5))
            for track in range(1, 41, user % 7 + 1):
                _insert(driver, "engagements", (user, track, "like")) if user >= track else None
                _insert(driver, "walk_records", (user, "track", track, track, 0))
        for walk in range(100, 2000):
            more = (walk, "user_likes", str(walk), "done", "", 0, 1, 0, 9, 9, "t")
            _insert(driver, f"{WALKS} kept, created_at)", more)
            layer = ("user_depth", "artist_depth", "playlist_depth", "label_layer")[walk % 4]
            _insert(driver, REQUESTS, (walk, walk % 50, layer, "s", 9, 9, 0, 0, "x"))
            for track in range(1, 9):
                _insert(driver, "walk_records", (walk, "track", walk + track, track, 0))
        for relationship in TYPES.values():
            relationship.table.as_table().create(writing, checkfirst=True)
        if request.param == "analysed":
            driver.execute("ANALYZE")
    with closing(store), store.read() as opened:
        yield opened


def _insert(driver: Any, table: str, values: tuple[object, ...]) -> None:  # noqa: ANN401 - sqlite3's
    if "(" not in table:
        # Later columns are null.
        table += f" ({', '.join(metadata.tables[table].columns.keys()[: len(values)])})"
    driver.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - ours


def scans(connection: Connection, sql: str, parameters: Any = ()) -> list[str]:  # noqa: ANN401 - any driver's
    """Return the steps of the plan that scan a large table or one of its indexes."""
    driver: Any = connection.connection.driver_connection
    steps = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert any(step.startswith("SEARCH") for step in steps) or "runs" in sql, steps
    return [step for step in steps if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)]


@pytest.mark.parametrize("what", BY_HAND)
def test_queries_by_hand(connection: Connection, what: str) -> None:
    assert scans(connection, BY_HAND[what]) == []


@pytest.mark.parametrize("what", BY_COMMANDS)
def test_queries_of_commands(connection: Connection, what: str) -> None:
    executed: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        # Not what SQLAlchemy asks about indexes.
        if not statement.startswith("PRAGMA") and "sqlite_master" not in statement:
            executed.append((statement, parameters))

    sa.event.listen(connection, "before_cursor_execute", note)
    try:
        BY_COMMANDS[what](connection)
    finally:
        sa.event.remove(connection, "before_cursor_execute", note)
    assert executed
    assert [scans(connection, *query) for query in executed] == [[]] * len(executed)


def test_a_scan_is_detected(connection: Connection) -> None:
    assert scans(connection, "SELECT count(*) FROM walks JOIN runs ON runs.run_id = walks.walk_id") != []
