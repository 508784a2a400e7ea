"""Cut the tracks that a page lists inside its playlists, and store what is left out.

The IDs of tracks beyond the cap are stored in ``playlist_leftovers``: a layer must know whether a playlist
contains its seed, however early the playlist is cut.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.items import PlaylistTrack, Track, User
from sgr_spiders.storage import upserts
from sgr_spiders.storage.schema import playlist_leftovers, playlist_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.model.items import Entry, Record


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
    connection: sa.Connection, entries: Iterable[Entry], left_out: Sequence[PlaylistTrack]
) -> None:
    """Write the tracks *left_out* of a page, and drop the leftovers that are stored.

    An earlier list of the playlist, or a larger cap, may have stored some of them: they keep their row, and
    get their position in the new list.
    """
    listed = {link.playlist_id for link in left_out}
    stored = {
        record.playlist_id
        for entry in entries
        for record in (entry.link, *entry.inside)
        if isinstance(record, PlaylistTrack)
    }
    if listed:
        # The new list replaces the earlier one.
        connection.execute(sa.delete(playlist_leftovers).where(playlist_leftovers.c.playlist_id.in_(listed)))
        rows = [(link.playlist_id, link.track_id, link.position) for link in left_out]
        upserts.insert_new(connection, playlist_leftovers, tuple(playlist_leftovers.columns.keys()), rows)
    if listed or stored:
        _drop_stored(connection, listed, stored)


def _drop_stored(connection: sa.Connection, listed: set[int], stored: set[int]) -> None:
    is_same = sa.and_(
        playlist_tracks.c.playlist_id == playlist_leftovers.c.playlist_id,
        playlist_tracks.c.track_id == playlist_leftovers.c.track_id,
    )
    place = sa.select(playlist_leftovers.c.position).where(is_same).scalar_subquery()
    moved = playlist_tracks.c.playlist_id.in_(listed)
    connection.execute(
        sa.update(playlist_tracks).where(moved, sa.exists().where(is_same)).values(position=place)
    )
    whose = playlist_leftovers.c.playlist_id.in_(listed | stored)
    connection.execute(sa.delete(playlist_leftovers).where(whose, sa.exists().where(is_same)))
