"""The views of a snapshot, and the queries with parameters that Datasette offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sgr_spiders.storage.extent import discoveries_history
from sgr_spiders.storage.schema import PRESENCE_TABLES
from sgr_spiders.storage.views import DISCOVERIES_HISTORY_SQL


@dataclass(frozen=True, slots=True)
class View:
    """A view. It is created if all of its *tables* exist."""

    name: str
    meaning: str
    sql: str
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """A query with parameters (``:name``)."""

    name: str
    title: str
    meaning: str
    sql: str


VIEWS: Final = (
    *(
        View(
            f"{table}_history",
            f"{table} with the column present: 1 or 0",
            f"SELECT CASE WHEN removed_at IS NULL THEN 1 ELSE 0 END AS present, {table}.* FROM {table}",  # noqa: S608
            frozenset({table}),
        )
        for table in (str(table.name) for table in PRESENCE_TABLES)
    ),
    View(
        "discoveries_history",
        discoveries_history.comment or "",
        DISCOVERIES_HISTORY_SQL.strip(),
        frozenset({"walks", "walk_requests", "walk_records", "selections"}),
    ),
    View(
        "present_tracks",
        "Tracks that are present, with the names of their artists",
        "SELECT tracks.track_id, tracks.title, tracks.artist_id, users.username AS artist, tracks.genre, "
        "tracks.playback_count, tracks.favoritings_count, tracks.created_at, tracks.permalink_url "
        "FROM tracks LEFT JOIN users ON users.user_id = tracks.artist_id "
        "WHERE tracks.removed_at IS NULL AND NOT tracks.is_stub",
        frozenset({"tracks", "users"}),
    ),
    View(
        "present_likes",
        "Likes that are present, with names",
        "SELECT engagements.user_id, users.username, engagements.track_id, tracks.title, "
        "engagements.first_seen_at FROM engagements JOIN users USING (user_id) JOIN tracks USING (track_id) "
        "WHERE engagements.kind = 'like' AND engagements.removed_at IS NULL",
        frozenset({"engagements", "users", "tracks"}),
    ),
    View(
        "similar_users",
        "Pairs of users with similar taste, in both directions, with names",
        "SELECT pairs.user_id, users.username, pairs.neighbour_id, neighbours.username AS neighbour, "
        "pairs.jaccard, pairs.common_tracks FROM ("
        "SELECT user_id_a AS user_id, user_id_b AS neighbour_id, jaccard, common_tracks "
        "FROM user_similarities UNION ALL "
        "SELECT user_id_b, user_id_a, jaccard, common_tracks FROM user_similarities) AS pairs "
        "JOIN users ON users.user_id = pairs.user_id "
        "JOIN users AS neighbours ON neighbours.user_id = pairs.neighbour_id",
        frozenset({"user_similarities", "users"}),
    ),
    View(
        "related_tracks",
        "Pairs of tracks that share playlists, in both directions, with titles",
        "SELECT pairs.track_id, tracks.title, pairs.neighbour_id, neighbours.title AS neighbour, "
        "pairs.weight, pairs.cooccurrences FROM ("
        "SELECT track_id_a AS track_id, track_id_b AS neighbour_id, weight, cooccurrences "
        "FROM track_relationships UNION ALL "
        "SELECT track_id_b, track_id_a, weight, cooccurrences FROM track_relationships) AS pairs "
        "JOIN tracks ON tracks.track_id = pairs.track_id "
        "JOIN tracks AS neighbours ON neighbours.track_id = pairs.neighbour_id",
        frozenset({"track_relationships", "tracks"}),
    ),
    View(
        "related_artists",
        "Pairs of artists that share fans, in both directions, with names",
        "SELECT pairs.artist_id, users.username, pairs.neighbour_id, neighbours.username AS neighbour, "
        "pairs.strength, pairs.shared_fans FROM ("
        "SELECT artist_id_a AS artist_id, artist_id_b AS neighbour_id, strength, shared_fans "
        "FROM artist_relationships UNION ALL "
        "SELECT artist_id_b, artist_id_a, strength, shared_fans FROM artist_relationships) AS pairs "
        "JOIN users ON users.user_id = pairs.artist_id "
        "JOIN users AS neighbours ON neighbours.user_id = pairs.neighbour_id",
        frozenset({"artist_relationships", "users"}),
    ),
)

QUESTIONS: Final = (
    Question(
        "found_around_seed",
        "Records found around a seed",
        "Numbers of records by layer and kind",
        "SELECT layer, kind, count(*) AS records FROM discoveries WHERE seed_id = :seed_id "
        "GROUP BY layer, kind ORDER BY layer, kind",
    ),
    Question(
        "likers_of_track",
        "Users who like a track",
        "With the numbers of their likes in this database",
        "SELECT users.user_id, users.username, count(*) AS liked FROM engagements AS seed "
        "JOIN engagements AS library ON library.user_id = seed.user_id "
        "JOIN users ON users.user_id = seed.user_id "
        "WHERE seed.track_id = :track_id AND seed.kind = 'like' AND seed.removed_at IS NULL "
        "AND library.kind = 'like' AND library.removed_at IS NULL "
        "GROUP BY users.user_id ORDER BY liked DESC, users.user_id",
    ),
    Question(
        "counters_of_track",
        "Counters of a track over time",
        "Those that have changed, each with its change from the value before",
        "SELECT counter, observed_at, value, "
        "value - lag(value) OVER (PARTITION BY counter ORDER BY observed_at) AS change "
        "FROM counter_history WHERE kind = 'track' AND record_id = :track_id ORDER BY observed_at, counter",
    ),
    Question(
        "neighbours_of_user",
        "Users with similar taste",
        "The strongest pairs first",
        "SELECT neighbour_id AS user_id, neighbour AS username, jaccard, common_tracks FROM similar_users "
        "WHERE similar_users.user_id = :user_id ORDER BY jaccard DESC, neighbour_id LIMIT 100",
    ),
    Question(
        "neighbours_of_track",
        "Tracks in the same playlists",
        "The strongest pairs first",
        "SELECT neighbour_id AS track_id, neighbour AS title, weight, cooccurrences FROM related_tracks "
        "WHERE related_tracks.track_id = :track_id ORDER BY weight DESC, neighbour_id LIMIT 100",
    ),
    Question(
        "neighbours_of_artist",
        "Artists with the same fans",
        "The strongest pairs first",
        "SELECT neighbour_id AS artist_id, neighbour AS username, strength, shared_fans "
        "FROM related_artists WHERE related_artists.artist_id = :artist_id "
        "ORDER BY strength DESC, neighbour_id LIMIT 100",
    ),
    Question(
        "unfinished_walks",
        "Walks that are not complete",
        "With the reasons",
        "SELECT walk_id, endpoint, target, status, reason, received, expected FROM walks "
        "WHERE status IN ('planned', 'capped', 'gone', 'failed') ORDER BY status, endpoint, target",
    ),
)
