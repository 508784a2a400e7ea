"""The looks at libraries of users, at tracks of playlists and at fans of tracks.

A like that is known only because its user is among the fans of a track says nothing about the user's other
likes. Whoever compares users must know which libraries were looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from sgr_spiders.storage.schema import Id, walks

Rows = Literal["present", "all"]
"""``present``: without the rows that were removed from their list."""

LOOKED_AT = ("whole", "newest")
"""The states of a library that was looked at, at least in part."""
LEFT_OUT = "left_out"
"""The recorded input of relationships and vectors that counts the libraries left out: not looked at."""
ALBUMS, CURATED = "albums", "curated"
"""The recorded inputs of relationships that count playlists by kind."""

_STATE = """CASE
    WHEN walks.status = 'gone' THEN 'hidden'
    WHEN walks.status = 'done' AND walks.received = 0
         AND COALESCE(walks.expected, {counter}, walks.kept_before) > 0 THEN 'hidden'
    WHEN walks.status = 'done' THEN 'whole'
    WHEN walks.kept > 0 OR walks.kept_before > 0 THEN 'newest'
    ELSE 'unseen'
END"""
_STATE_OF_PLAYLIST = """CASE
    WHEN walks.status = 'gone' THEN 'hidden'
    WHEN walks.status = 'done' AND walks.received = 0
         AND COALESCE(walks.expected, playlists.track_count, walks.kept_before) > 0 THEN 'hidden'
    WHEN EXISTS (
        SELECT 1 FROM playlist_leftovers WHERE playlist_leftovers.playlist_id = playlists.playlist_id
    ) THEN 'newest'
    WHEN walks.status = 'done' THEN 'whole'
    WHEN walks.kept > 0 OR walks.kept_before > 0 THEN 'newest'
    WHEN EXISTS (
        SELECT 1 FROM playlist_tracks WHERE playlist_tracks.playlist_id = playlists.playlist_id
    ) THEN 'whole'
    WHEN walks.walk_id IS NULL AND playlists.track_count = 0 THEN 'whole'
    ELSE 'unseen'
END"""
"""A playlist that was listed with its tracks needs no walk of its own."""
_KEPT = """CASE
    WHEN walks.status IN ('planned', 'running', 'failed') AND walks.kept_before > walks.kept
    THEN walks.kept_before ELSE COALESCE(walks.kept, 0)
END"""
_KEPT_OF_PLAYLIST = """(
    SELECT count(*) FROM playlist_tracks
    WHERE playlist_tracks.playlist_id = playlists.playlist_id AND playlist_tracks.removed_at IS NULL
)"""


def _part(kind: str, endpoint: str, counter: str, state: str, kept: str) -> str:
    return f"""
SELECT '{kind}' AS kind, {kind}s.{kind}_id AS record_id, {state} AS library, {kept} AS kept,
       COALESCE(walks.expected, {counter}) AS expected
FROM {kind}s
LEFT JOIN walks ON walks.endpoint = '{endpoint}' AND walks.target = CAST({kind}s.{kind}_id AS TEXT)
"""  # noqa: S608 - our own names


def _part_of_walks(kind: str, endpoint: str, counter: str) -> str:
    return _part(kind, endpoint, counter, _STATE.format(counter=counter), _KEPT)


LIBRARIES_SQL = "UNION ALL".join(
    (
        _part_of_walks("user", "user_likes", "users.public_favorites_count"),
        _part_of_walks("track", "track_favoriters", "tracks.favoritings_count"),
        _part("playlist", "playlist_tracks", "playlists.track_count", _STATE_OF_PLAYLIST, _KEPT_OF_PLAYLIST),
    )
)
"""The view ``libraries`` is derived from the ledger, so that it is always true. A lookup of one record takes
two searches; all of a million users take 5 s."""

LIBRARIES_COLUMNS = {
    "kind": "`user` (the user's liked tracks), `playlist` (its tracks) or `track` (its fans)",
    "record_id": "Its ID",
    "library": "`whole`: looked at to the end; `newest`: looked at in part, because of a cap or because the "
    "walk is unfinished (the newest likes or fans, the first tracks of a playlist); `unseen`: not looked at; "
    "`hidden`: gone or refused, or empty although the API's counter is not",
    "kept": "Number of likes, tracks or fans kept",
    "expected": "Number by the API's own counter, which includes deleted and private ones; null if unknown",
}

libraries = sa.Table(
    "libraries",
    sa.MetaData(),  # separate, because a view is not created like a table
    *(
        sa.Column(
            name,
            sa.Text if name in {"kind", "library"} else Id,
            primary_key=name in {"kind", "record_id"},
            autoincrement=False,
            nullable=name == "expected",
            comment=comment,
        )
        for name, comment in LIBRARIES_COLUMNS.items()
    ),
    comment="What was looked at: the libraries of users, the tracks of playlists and the fans of tracks",
)

# The second condition makes SQLite use the index, whatever its statistics say.
_ANY_LOOK = sa.exists().where(walks.c.endpoint == "user_likes", walks.c.target > "")
_COUNTER = (
    "(SELECT users.public_favorites_count FROM users WHERE users.user_id = CAST(walks.target AS BIGINT))"
)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The rows that a reader includes besides the present ones of libraries that were looked at."""

    unseen: bool = False
    removed: bool = False

    @property
    def rows(self) -> Rows:
        return "all" if self.removed else "present"


USUAL = Inclusion()


def present(table: sa.Table, rows: Rows) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the condition that limits *table* to these rows, if there is one."""
    return () if rows == "all" else (table.c.removed_at.is_(None),)


def state_of_user_library() -> sa.ColumnElement[str]:
    """Return the state, as in the view, of the library that a row of ``walks`` looks at; null for other rows.

    One scan of the ledger takes a tenth of the time of the view's lookups.
    """
    state: sa.ColumnElement[str] = sa.literal_column(_STATE.format(counter=_COUNTER), sa.Text)
    return sa.case((walks.c.endpoint == "user_likes", state))


def has_looks(connection: sa.Connection) -> bool:
    """Return whether the ledger contains the library of any user.

    If it does not, all users are known in the same way, from the lists of tracks, and all of them count.
    """
    return bool(connection.scalar(sa.select(_ANY_LOOK)))


def is_looked_at(user: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Return the condition that the library of *user* was looked at."""
    return (
        sa.exists()
        .where(libraries.c.kind == "user", libraries.c.record_id == user, libraries.c.library.in_(LOOKED_AT))
        .correlate_except(libraries)
    )
