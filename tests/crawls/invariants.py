"""Invariants of every database after a crawl, regardless of its data and its outcome.

Each rule is a query for the rows that break it. Rules of the ledger hold at every commit, even after
``kill -9``. Rules of a finished run hold after a crawl that was not killed.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sgr_spiders.storage import schema
from tests import databases

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

SHOWN = 5
"""Maximum number of offending rows in a message."""

KINDS = {
    "track": "track", "playlist": "playlist", "user": "user",
    "track_favoriters": "user", "track_reposters": "user", "search_users": "user",
    "track_comments": "comment", "track_page": "comment",
    "track_related": "track", "user_tracks": "track", "user_likes": "track", "user_reposts": "track",
    "playlist_tracks": "track", "search_tracks": "track",
    "user_playlists": "playlist", "search_playlists": "playlist",
}  # fmt: skip
"""The kind of record that each endpoint lists. ``resolve`` lists none."""

EXPANDING = [
    ("user_depth", "seed"), ("user_depth", "likers"), ("user_depth", "reposters"),
    ("semantic_depth", "seed"), ("semantic_depth", "hits"),
    ("commentary_layer", "seed"), ("commentary_layer", "comments"),
    ("playlist_depth", "seed"), ("artist_depth", "seed"), ("label_layer", "seed"),
    ("contextual_layer", "seed"),
]  # fmt: skip
"""The layers and steps whose records a layer receives individually."""

EXIT_CODES = [
    ("complete", 0), ("partial", 3), ("unfinished", 3), ("unreachable", 3), ("interrupted", 130),
    ("blocked", 4), ("failed", 1), ("failed", 5),
]  # fmt: skip


def _values(name: str, rows: list[tuple[Any, ...]]) -> str:
    return f"{name} AS (VALUES {', '.join(map(repr, rows))})"


COMMON = f"""WITH
{_values("kind_of(endpoint, kind)", list(KINDS.items()))},
{_values("expanding(layer, step)", list(EXPANDING))},
{_values("exit_code_of(outcome, exit_code)", list(EXIT_CODES))},
listed AS (
    SELECT walk_id, count(*) AS records, count(DISTINCT position) AS positions, max(position) AS last
    FROM walks JOIN kind_of USING (endpoint) JOIN walk_records USING (walk_id, generation, kind)
    GROUP BY walk_id
),
page_totals AS (
    SELECT walk_id, count(*) AS number, sum(walk_pages.received) AS items, max(page) AS last,
           count(DISTINCT cursor_hash) AS cursors
    FROM walks JOIN walk_pages USING (walk_id, generation) GROUP BY walk_id
),
asked AS (SELECT walk_id, max(widest) AS widest FROM walk_requests GROUP BY walk_id),
rejected AS (
    SELECT walk_id, count(*) AS records
    FROM walks JOIN rejects USING (walk_id, generation) WHERE field IS NULL GROUP BY walk_id
),
latest AS (SELECT * FROM runs ORDER BY run_id DESC LIMIT 1),
scope AS (
    SELECT DISTINCT walk_requests.* FROM latest JOIN run_scope USING (run_id)
    JOIN walk_requests USING (seed_id, layer, settings) WHERE walk_requests.removed_at IS NULL
),
wanted AS (
    SELECT walk_id FROM scope UNION SELECT walk_id FROM run_seeds JOIN latest USING (run_id)
)
"""  # noqa: S608 - the names above

COUNTERS = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, {kind}_id AS record_id, '{name}' AS counter, {name} AS current FROM {kind}s"  # noqa: S608 - names of columns
    for kind, names in schema.COUNTERS.items()
    for name in names
)

UNDATED = " UNION ALL ".join(
    f"SELECT '{kind}', {kind}_id FROM {kind}s "  # noqa: S608 - names of columns
    f"WHERE counted_at IS NULL AND coalesce({', '.join(names)}) IS NOT NULL"
    for kind, names in schema.COUNTERS.items()
)

LEDGER = {
    "the last value of a counter over time is that of its record":
        f"""SELECT kind, record_id, counter, current, value FROM ({COUNTERS}) AS counters
        JOIN counter_history AS history USING (kind, record_id, counter)
        WHERE observed_at = (SELECT max(observed_at) FROM counter_history AS later
            WHERE later.kind = history.kind AND later.record_id = history.record_id
            AND later.counter = history.counter) AND (current IS NULL OR current <> value)""",  # noqa: S608 - the names above
    "a counter over time has a value once until it changes":
        """SELECT * FROM (SELECT kind, record_id, counter, value, lag(value) OVER
        (PARTITION BY kind, record_id, counter ORDER BY observed_at) AS before FROM counter_history) AS pairs
        WHERE value = before""",
    "a record with counters says since when they are known": UNDATED,
    "`kept` counts the distinct records of the current generation, at positions 0 to kept-1":
        """SELECT endpoint, target, kept, records, positions, last FROM walks JOIN kind_of USING (endpoint)
        LEFT JOIN listed USING (walk_id) WHERE (kept <> coalesce(positions, 0)
        OR kept <> coalesce(last, -1) + 1
        OR kept <> coalesce(records, 0) AND kind <> 'comment') AND NOT EXISTS (SELECT * FROM tombstones)""",
    "`kept` also counts records that were forgotten later":
        """SELECT endpoint, target, kept, positions, last FROM walks LEFT JOIN listed USING (walk_id)
        WHERE endpoint <> 'resolve' AND (kept < positions OR kept < last + 1)""",
    "a URL resolves to one record at most":
        """SELECT endpoint, target, kept FROM walks WHERE endpoint = 'resolve' AND (kept <> 0 OR
        (SELECT count(*) FROM walk_records WHERE walk_records.walk_id = walks.walk_id) > 1)""",
    "`pages` counts the pages of the current generation, from 0":
        """SELECT endpoint, target, pages, number, last FROM walks LEFT JOIN page_totals USING (walk_id)
        WHERE pages <> coalesce(number, 0) OR pages <> coalesce(last, -1) + 1""",
    "`received` is the number of items on all pages, minus those cut by a cap":
        """SELECT endpoint, target, status, kept, received, items FROM walks
        LEFT JOIN page_totals USING (walk_id)
        WHERE received > coalesce(items, 0) OR received < kept AND coalesce(looked, 'whole') = 'whole'
        OR received <> coalesce(items, 0)
        AND NOT (status = 'capped' AND capped_at NOTNULL) AND cursors = number""",
    "in a list cut by one cap, `received` counts kept and rejected items":
        """SELECT endpoint, target, kept, received, records FROM walks JOIN kind_of USING (endpoint)
        JOIN page_totals USING (walk_id) LEFT JOIN rejected USING (walk_id)
        WHERE status = 'capped' AND capped_at NOTNULL AND cursors = number
        AND looked = 'whole' AND received <> kept + coalesce(records, 0)
        AND endpoint NOT IN ('playlist_tracks', 'track_comments', 'track_page')""",
    "a walk keeps at most as many records as the largest requested cap":
        """SELECT endpoint, target, kept, widest FROM walks JOIN kind_of USING (endpoint)
        JOIN asked USING (walk_id) WHERE kept > widest AND kind <> 'comment'""",
    "a capped walk has its cap":
        """SELECT endpoint, target, status, capped_at, reason FROM walks WHERE
        (status = 'capped') <> (capped_at NOTNULL OR status = 'capped' AND reason = '10 empty pages in a row')
        OR status = 'capped' AND kept < capped_at""",
    "an ended walk was looked at, and whole at least once":
        """SELECT endpoint, target, status, looked, whole_at FROM walks
        WHERE status IN ('done', 'capped', 'gone') AND (looked IS NULL OR whole_at IS NULL)""",
    "statuses are known, and only capped, gone and failed walks have a reason":
        """SELECT endpoint, target, status, reason FROM walks
        WHERE status NOT IN ('planned', 'running', 'done', 'capped', 'gone', 'failed')
        OR (status IN ('capped', 'gone', 'failed')) <> (reason NOTNULL)""",
    "a walk has an end time if and only if it is finished, and never before its start time":
        """SELECT endpoint, target, status, started_at, finished_at FROM walks
        WHERE (status IN ('planned', 'running')) <> (finished_at IS NULL) OR finished_at < started_at
        OR finished_at NOTNULL AND started_at IS NULL""",
    "only a running walk is leased":
        "SELECT endpoint, target, run_id FROM walks WHERE (status = 'running') <> (run_id NOTNULL)",
    "a layer expands no more than the walk kept and its cap allows":
        """SELECT layer, step, endpoint, target, expanded, cap, kept FROM walk_requests
        JOIN walks USING (walk_id)
        WHERE expanded > cap OR expanded > kept OR cap > widest OR cap < 1 OR expanded < 0""",
    "kinds are known":
        """SELECT 'walk_records', kind FROM walk_records
        WHERE kind NOT IN ('track', 'user', 'playlist', 'comment')
        UNION SELECT 'selections', kind FROM selections WHERE kind NOT IN ('track', 'user', 'playlist')
        UNION SELECT 'engagements', kind FROM engagements WHERE kind NOT IN ('like', 'repost', 'comment')
        UNION SELECT 'track_mentions', kind FROM track_mentions
        WHERE kind NOT IN ('mention', 'featuring', 'remixer', 'producer', 'label')""",
    "a cut leaves something out":
        "SELECT * FROM cuts WHERE available <= kept",
    "a leftover of a playlist is not stored in it":
        "SELECT * FROM playlist_leftovers JOIN playlist_tracks USING (playlist_id, track_id)",
    "scores are from 0 to 1":
        "SELECT * FROM selections WHERE score NOT BETWEEN 0 AND 1",
    "the record of a discovery exists":
        """SELECT * FROM discoveries
        LEFT JOIN tracks ON kind = 'track' AND record_id = tracks.track_id
        LEFT JOIN users ON kind = 'user' AND record_id = users.user_id
        LEFT JOIN playlists ON kind = 'playlist' AND record_id = playlist_id
        LEFT JOIN comments ON kind = 'comment' AND record_id = comment_id
        WHERE coalesce(tracks.track_id, users.user_id, playlist_id, comment_id) IS NULL""",
    "the uploader of a discovered track is discovered with it":
        """SELECT seed_id, layer, track_id, artist_id FROM discoveries JOIN tracks ON record_id = track_id
        WHERE kind = 'track' AND NOT is_stub AND artist_id NOTNULL AND (artist_id, seed_id, layer) NOT IN
        (SELECT record_id, seed_id, layer FROM discoveries WHERE kind = 'user')""",
    "a listed liker, reposter, author or liked track is an engagement":
        """SELECT endpoint, target, record_id FROM (
            SELECT endpoint, target, record_id,
            CASE WHEN endpoint LIKE 'user%' THEN CAST(target AS bigint) ELSE record_id END AS who,
            CASE WHEN endpoint LIKE 'user%' THEN record_id ELSE CAST(target AS bigint) END AS what,
            CASE endpoint WHEN 'track_favoriters' THEN 'like' WHEN 'user_likes' THEN 'like'
            WHEN 'track_comments' THEN 'comment' ELSE 'repost' END AS done
            FROM walks JOIN walk_records USING (walk_id)
            WHERE endpoint IN ('track_favoriters', 'track_reposters', 'track_comments') AND kind = 'user'
            OR endpoint IN ('user_likes', 'user_reposts') AND kind = 'track'
        ) AS listed_engagements WHERE NOT EXISTS
        (SELECT 1 FROM engagements WHERE user_id = who AND track_id = what AND kind = done)""",
    "a page and a reject belong to an existing generation":
        """SELECT 'page', walk_id FROM walk_pages JOIN walks USING (walk_id)
        WHERE walk_pages.generation > walks.generation UNION SELECT 'reject', walk_id FROM rejects
        LEFT JOIN walk_pages USING (walk_id, generation, page) WHERE cursor_hash IS NULL""",
    "a run has an outcome, an exit code and an end time, or none of them":
        """SELECT run_id, outcome, exit_code, finished_at FROM runs
        WHERE (outcome IS NULL) <> (exit_code IS NULL) OR (outcome IS NULL) <> (finished_at IS NULL)
        OR outcome NOTNULL AND (outcome, exit_code) NOT IN (SELECT * FROM exit_code_of)""",
}  # fmt: skip

FINISHED_RUN = {
    "no walk is leased while no crawl is running":
        "SELECT endpoint, target, run_id FROM walks WHERE status = 'running' OR run_id NOTNULL",
    "a layer without errors expanded all that the walk kept and its cap allows":
        """SELECT layer, step, endpoint, target, expanded, cap, kept FROM scope
        JOIN expanding USING (layer, step) JOIN walks USING (walk_id)
        WHERE expanded <> CASE WHEN cap < kept THEN cap ELSE kept END
        AND (SELECT exit_code FROM latest) <> 1""",
    "a complete run leaves nothing to fetch and nothing failed":
        """SELECT endpoint, target, status FROM walks JOIN wanted USING (walk_id), latest
        WHERE outcome = 'complete' AND status NOT IN ('done', 'capped', 'gone')
        OR outcome = 'partial' AND status IN ('planned', 'running')""",
}  # fmt: skip

FIGURES = {
    "sgr/pages": "SELECT count(*) FROM walk_pages, latest WHERE fetched_at >= started_at",
    "sgr/walks/done": "SELECT count(*) FROM walks JOIN wanted USING (walk_id) WHERE status = 'done'",
    "sgr/walks/capped": "SELECT count(*) FROM walks JOIN wanted USING (walk_id) WHERE status = 'capped'",
    "sgr/walks/gone": "SELECT count(*) FROM walks JOIN wanted USING (walk_id) WHERE status = 'gone'",
    "sgr/walks/failed": "SELECT count(*) FROM walks JOIN wanted USING (walk_id) WHERE status = 'failed'",
    "sgr/walks/planned": "SELECT count(*) FROM walks JOIN wanted USING (walk_id) WHERE status = 'planned'",
    "tracks_collected": "SELECT count(*) FROM tracks WHERE NOT is_stub AND removed_at IS NULL",
    "users_collected": "SELECT count(*) FROM users WHERE NOT is_stub AND removed_at IS NULL",
    "playlists_collected": "SELECT count(*) FROM playlists WHERE NOT is_stub AND removed_at IS NULL",
    "engagements_collected": "SELECT count(*) FROM engagements WHERE removed_at IS NULL",
    "comments_collected": "SELECT count(*) FROM comments WHERE removed_at IS NULL",
}
"""Statistics of a run, and queries for the same figures."""

FOUND = """SELECT 'sgr/layer/' || layer || '/' || kind || 's', count(DISTINCT record_id)
    FROM latest JOIN run_scope USING (run_id) JOIN discoveries USING (seed_id, layer)
    LEFT JOIN tracks ON kind = 'track' AND record_id = tracks.track_id
    LEFT JOIN users ON kind = 'user' AND record_id = users.user_id
    LEFT JOIN playlists ON kind = 'playlist' AND record_id = playlist_id
    WHERE NOT coalesce(tracks.is_stub, users.is_stub, playlists.is_stub, false) GROUP BY layer, kind"""
"""Discoveries of each layer around the seeds of the latest run, by the name of the statistic."""

NULLED = """SELECT count(*) FROM rejects JOIN walk_pages USING (walk_id, generation, page), latest
    WHERE fetched_at >= latest.started_at AND field NOTNULL AND field <> 'tracks'"""
REJECTED = """SELECT count(*) FROM rejects JOIN walk_pages USING (walk_id, generation, page), latest
    WHERE fetched_at >= latest.started_at AND field IS NULL
    AND rejects.reason NOT IN ('private', 'forgotten')"""
LISTED = """SELECT count(*) FROM walk_records JOIN walks USING (walk_id, generation), latest
    WHERE endpoint <> 'resolve' AND walks.started_at >= latest.started_at AND looked = 'whole'"""
"""Number of records of the walks that the latest run started and looked at whole."""


def latest_run(database: Path) -> int:
    """Return the ID of the latest run in *database*, 0 if there is none."""
    if not databases.exists(database) or "runs" not in databases.table_names(database):
        return 0
    with closing(databases.connect(database)) as connection:
        run: int = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs").fetchone()[0]
        return run


def check_ledger(database: Path) -> None:
    """Check the rules of *database* that hold at every commit."""
    with closing(databases.connect(database)) as connection:
        databases.begin_snapshot(connection)
        _check_ledger(database, connection)


def check_ended(database: Path, code: int) -> None:
    """Check all rules of *database* after a run that was not killed and ended with this exit *code*."""
    with closing(databases.connect(database)) as connection:
        _check_ledger(database, connection)
        _check_rules(connection, FINISHED_RUN)
        _check_run(connection, code)


def _check_ledger(database: Path, connection: sqlite3.Connection) -> None:
    databases.check_integrity(database)
    if "walks" in databases.table_names(database):
        _check_rules(connection, LEDGER)


def _check_rules(connection: sqlite3.Connection, rules: dict[str, str]) -> None:
    for rule, query in rules.items():
        rows = connection.execute(COMMON + query).fetchmany(SHOWN)
        assert not rows, f"broken rule: {rule}: {rows}"


def _check_run(connection: sqlite3.Connection, code: int) -> None:
    run, outcome, exit_code, text = connection.execute(
        "SELECT run_id, outcome, exit_code, stats FROM runs ORDER BY run_id DESC LIMIT 1"
    ).fetchone()
    assert exit_code == code, f"run {run} has exit code {exit_code}, but the process ended with {code}"
    stats = json.loads(text)
    assert (stats["sgr/outcome"], stats["sgr/exit_code"]) == (outcome, code)

    def count(query: str) -> int:
        value: int = connection.execute(COMMON + query).fetchone()[0]
        return value

    assert {name: stats.get(name, 0) for name in FIGURES} == {
        name: count(query) for name, query in FIGURES.items()
    }
    found = dict(connection.execute(COMMON + FOUND))
    assert {name: stats.get(name, 0) for name in found} == found
    assert stats.get("sgr/dedupe/records", 0) >= count(LISTED)
    assert stats.get("sgr/dedupe/known", 0) <= stats.get("sgr/dedupe/records", 0)
    if outcome in {"complete", "partial"}:
        # An aborted run may have validated pages that it did not spill.
        assert stats.get("sgr/validate/fields_nulled", 0) == count(NULLED)
        assert stats.get("sgr/validate/records_rejected", 0) <= count(REJECTED)
