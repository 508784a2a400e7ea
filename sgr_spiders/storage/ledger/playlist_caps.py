"""Cut the tracks that a page lists inside its playlists, and store what is left out.

The IDs of tracks beyond the cap are stored in ``playlist_leftovers``: a layer must know whether a playlist
contains its seed, however early the playlist is cut.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.items import Playlist, PlaylistTrack, Track, User
from sgr_spiders.storage import upserts
from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import playlist_leftovers, playlist_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sgr_spiders.model.items import Entry, Record


_ANY = CompiledStatement(sa.select(sa.literal(1)).select_from(playlist_leftovers).limit(1))
_IS_SAME = sa.and_(
    playlist_tracks.c.playlist_id == playlist_leftovers.c.playlist_id,
    playlist_tracks.c.track_id == playlist_leftovers.c.track_id,
)


def cut_playlists(entries: Iterable[Entry], cap: int) -> tuple[list[Entry], list[PlaylistTrack]]:
    """Keep the first *cap* tracks of each playlist; return the entries, and the tracks left out."""
    kept: list[Entry] = []
    left_out: list[PlaylistTrack] = []
    for entry in entries:
        places = [at for at, record in enumerate(entry.inside) if isinstance(record, PlaylistTrack)]
        if len(places) <= cap:
            kept.append(entry)
            continue
        kept.append(replace(entry, inside=entry.inside[: _begin_of_track(entry.inside, places[cap])]))
        left_out += [record for record in entry.inside if isinstance(record, PlaylistTrack)][cap:]
    return kept, left_out


def _begin_of_track(inside: Sequence[Record], place: int) -> int:
    """Return where the records of the track at *place* begin: its uploader, the track, its place."""
    track = inside[place - 1] if place else None
    if not isinstance(track, Track):
        return place
    uploader = inside[place - 2] if place > 1 else None
    has_uploader = isinstance(uploader, User) and uploader.user_id == track.artist_id
    return place - 2 if has_uploader else place - 1


def write_leftovers(
    connection: sa.Connection, entries: Iterable[Entry], left_out: Sequence[PlaylistTrack], now: str
) -> None:
    """Write the tracks *left_out* of a page *now*, and drop the leftovers that are stored.

    An earlier list of the playlist, or a larger cap, may have stored some of them: they keep their row, and
    get their position in the new list.
    """
    ids = set(_playlists_of(entries))
    if not ids:
        return
    cut = {link.playlist_id for link in left_out}
    if cut:
        # The new list replaces the earlier one.
        connection.execute(sa.delete(playlist_leftovers).where(playlist_leftovers.c.playlist_id.in_(cut)))
        rows = [(link.playlist_id, link.track_id, link.position) for link in left_out]
        upserts.insert_new(connection, playlist_leftovers, tuple(playlist_leftovers.columns.keys()), rows)
        _move_stored(connection, cut, now)
    elif _ANY.execute(connection, {}).scalar() is None:
        # Most harvests have no leftovers.
        return
    _drop_stored(connection, ids)


def _playlists_of(entries: Iterable[Entry]) -> Iterator[int]:
    """Yield the playlists whose tracks *entries* may contain."""
    for entry in entries:
        if isinstance(entry.link, PlaylistTrack):
            yield entry.link.playlist_id
        elif isinstance(entry.record, Playlist):
            yield entry.record.playlist_id


def _move_stored(connection: sa.Connection, ids: set[int], now: str) -> None:
    place = sa.select(playlist_leftovers.c.position).where(_IS_SAME).scalar_subquery()
    moved = sa.and_(playlist_tracks.c.playlist_id.in_(ids), sa.exists().where(_IS_SAME))
    seen = {"last_seen_at": now, "removed_at": None, "removed_reason": None}
    connection.execute(sa.update(playlist_tracks).where(moved).values(position=place, **seen))


def _drop_stored(connection: sa.Connection, ids: set[int]) -> None:
    stored = sa.and_(playlist_leftovers.c.playlist_id.in_(ids), sa.exists().where(_IS_SAME))
    connection.execute(sa.delete(playlist_leftovers).where(stored))
