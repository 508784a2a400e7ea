"""The SQL of the views of discoveries, and what their columns mean."""

from __future__ import annotations

LISTED_SQL = """
walk_records.removed_at IS NULL AND (
    walk_records.generation = walks.generation
    OR NOT (
        (walks.status = 'capped' AND walk_records.position < walks.kept)
        OR (walks.status = 'gone' AND NOT walks.doubted
            AND substr(coalesce(walks.reason, ''), 1, 8) <> 'refused:')
    )
)
"""
"""The condition that the last look at a walk found a record.

A look up to a cap that did not find it among the first records tells that, and one that found no list any
more; a look that has not ended, or that failed, tells nothing.
"""

DISCOVERIES_SQL = f"""
SELECT DISTINCT kind, record_id, seed_id, layer
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer
    FROM walk_requests
    JOIN walks ON walks.walk_id = walk_requests.walk_id
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective AND walk_requests.removed_at IS NULL AND {LISTED_SQL.strip()}
    UNION ALL
    SELECT kind, record_id, seed_id, layer FROM selections WHERE removed_at IS NULL
) AS found
"""  # noqa: S608 - only constants of this file
"""The view ``discoveries`` derives its rows from the requests for walks and the records of the walks. A seed
that later requests a finished walk gets its discoveries without writing a row.

SQLite pushes a condition on the view down into ``UNION ALL``, where it uses indexes, but not into ``UNION``:
that would build the whole view for each query.
"""

DISCOVERIES_HISTORY_SQL = f"""
SELECT DISTINCT kind, record_id, seed_id, layer, walk_id, requested_at, present,
       CASE WHEN present = 0 THEN removed_at END AS removed_at
FROM (
    SELECT walk_records.kind AS kind, walk_records.record_id AS record_id,
           walk_requests.seed_id AS seed_id, walk_requests.layer AS layer, walks.walk_id AS walk_id,
           walk_requests.requested_at AS requested_at,
           CASE WHEN walk_requests.removed_at IS NULL AND {LISTED_SQL.strip()} THEN 1 ELSE 0 END AS present,
           coalesce(walk_records.removed_at, walk_requests.removed_at, walks.finished_at) AS removed_at
    FROM walk_requests
    JOIN walks ON walks.walk_id = walk_requests.walk_id
    JOIN walk_records ON walk_records.walk_id = walk_requests.walk_id
                     AND walk_records.position < walk_requests.widest
    WHERE NOT walk_requests.selective
    UNION ALL
    SELECT kind, record_id, seed_id, layer, NULL, first_seen_at,
           CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END, removed_at
    FROM selections
) AS found
"""  # noqa: S608 - only constants of this file

DISCOVERIES_COLUMNS = {
    "kind": "`track`, `user`, `playlist` or `comment`",
    "record_id": "Its ID",
    "seed_id": "The seed (a track ID) around which it was found",
    "layer": "The layer that found it",
}

DISCOVERIES_HISTORY_COLUMNS = {
    **DISCOVERIES_COLUMNS,
    "walk_id": "The walk that lists it, or listed it; null if the layer selected it",
    "requested_at": "When the layer first wanted that walk, or selected the record",
    "present": "1 if this still makes it a discovery, otherwise 0",
    "removed_at": "When it was found that this does not make it a discovery any more; null if it does",
}
