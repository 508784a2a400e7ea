"""Drop what was forgotten from a page before it is written.

A record is dropped if it, or a record that it belongs to, has a tombstone: a track goes with its uploader, a
comment with its author and its track. Like a private item, it leaves a reject without an ID. Values of other
records that refer to it are removed from their ``raw``.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import (
    FORGOTTEN,
    Comment,
    Engagement,
    Mention,
    Playlist,
    PlaylistTrack,
    Reject,
    Track,
    User,
)
from sgr_spiders.soundcloud.embedded import page_reference, references_in, remove_references
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.storage import tombstones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.model.items import Entry, Page, Record, Reference
    from sgr_spiders.storage.store import Connection

_KINDS: Final = {"tracks": "track", "users": "user", "playlists": "playlist"}


def _keys_of(record: Any) -> list[tuple[str, Callable[[Any], int | None]]]:  # noqa: ANN401 - a class
    """Return kind and getter of the IDs in a *record* type: its own, and those of its parents."""
    keys: list[tuple[str, Callable[[Any], int | None]]] = []
    for field in fields_of(record):
        if field.references is not None:
            keys.append((_KINDS[field.references.partition(".")[0]], attrgetter(field.name)))
        elif field.is_key and field.rule.form in {"id", "comment_id"}:
            keys.append((record.kind, attrgetter(field.name)))
    return keys


_KEYS: Final = {
    record: _keys_of(record)
    for record in (Track, User, Playlist, PlaylistTrack, Engagement, Comment, Mention)
}


def drop_forgotten(connection: Connection, page: Page) -> None:
    """Drop from *page* what has a tombstone."""
    known = tombstones.read(connection)
    if known is None:
        return
    forgotten = known.find(set(_references_of_page(page)))
    if not forgotten:
        return
    page.rejects = [_without_reference(reject, forgotten) for reject in page.rejects]
    entries = [kept for entry in page.entries if (kept := _keep(entry, page, forgotten)) is not None]
    is_list = page.walk.endpoint not in ENDPOINTS or ENDPOINTS[page.walk.endpoint].paged
    if page.resolved in forgotten or (page.entries and not entries and not is_list):
        page.resolved, page.status, page.reason = None, "gone", FORGOTTEN
    page.entries = entries


def keep_unforgotten(connection: Connection, records: Iterable[Record]) -> list[Record]:
    """Return those of *records* without a tombstone."""
    given = list(records)
    known = tombstones.read(connection)
    if known is None:
        return given
    forgotten = known.find({reference for record in given for reference in _references(record)})
    return [record for record in given if forgotten.isdisjoint(_references(record))]


def find_forgotten_seeds(connection: Connection, seeds: Iterable[GivenSeed]) -> dict[GivenSeed, Reference]:
    """Return those of *seeds* that were forgotten."""
    known = tombstones.read(connection)
    if known is None:
        return {}
    references = {seed: reference for seed in seeds if (reference := _reference_of(seed)) is not None}
    forgotten = known.find(set(references.values()))
    return {seed: reference for seed, reference in references.items() if reference in forgotten}


def _reference_of(seed: GivenSeed) -> Reference | None:
    if seed.track_id is not None:
        return "track", seed.track_id
    if seed.listed_by is not None:
        return seed.listed_by
    return None if seed.url is None else page_reference(seed.url)


def _references_of_page(page: Page) -> Iterator[Reference]:
    if page.resolved is not None:
        yield page.resolved
    for entry in page.entries:
        for record in entry.records():
            yield from _references(record)
            if entry.cached is None:
                yield from references_in(getattr(record, "raw", None))
        if entry.link is not None:
            yield from _references(entry.link)
    for reject in page.rejects:
        yield from references_in(reject.raw)
        if reject.record_id is not None:
            yield reject.kind, reject.record_id


def _references(record: Record) -> Iterator[Reference]:
    for kind, get in _KEYS[type(record)]:
        if (record_id := get(record)) is not None:
            yield kind, record_id


def _keep(entry: Entry, page: Page, forgotten: AbstractSet[Reference]) -> Entry | None:
    """Return *entry* without what is *forgotten*, ``None`` if that is its record; add rejects to *page*."""
    if not forgotten.isdisjoint(_references(entry.record)):
        page.rejects.append(Reject(entry.record.kind, None, None, FORGOTTEN))
        return None
    theirs = {
        record.track_id
        for record in entry.inside
        if isinstance(record, Track) and not forgotten.isdisjoint(_references(record))
    }
    page.rejects += [Reject(Track.kind, None, None, FORGOTTEN)] * len(theirs)
    # The places of tracks that go because of their uploader go, too.
    unwanted = forgotten | {(Track.kind, track_id) for track_id in theirs}
    inside = [record for record in entry.inside if unwanted.isdisjoint(_references(record))]
    link = entry.link
    if link is not None and not unwanted.isdisjoint(_references(link)):
        link = None
    if entry.cached is None:
        for record in (*inside, entry.record):
            _clean_raw(record, forgotten)
    return replace(entry, inside=inside, link=link)


def _clean_raw(record: Record, forgotten: AbstractSet[Reference]) -> None:
    if isinstance(record, Track | User | Playlist | Comment) and record.raw is not None:
        record.raw = remove_references(record.raw, forgotten)


def _without_reference(reject: Reject, forgotten: AbstractSet[Reference]) -> Reject:
    if reject.record_id is not None and (reject.kind, reject.record_id) in forgotten:
        return Reject(reject.kind, None, reject.field, FORGOTTEN)
    if reject.raw is None:
        return reject
    return replace(reject, raw=remove_references(reject.raw, forgotten))
