"""Parse a response of the API into typed records.

The parser checks only what it needs to build a record. The validation checks types, ranges and text, and
names what it rejects. The parser itself rejects items that are not records of the expected kind, and private
ones (of which nothing is kept).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from sgr_spiders.model.exceptions import BadRecordError, HarvestError
from sgr_spiders.model.items import (
    FIELDS,
    PRIVATE,
    CachedTrack,
    Comment,
    Engagement,
    Entry,
    Fullness,
    Link,
    MainRecord,
    Playlist,
    PlaylistTrack,
    Record,
    Reject,
    Track,
    User,
)
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, Endpoint
from sgr_spiders.soundcloud.fields import FieldReader
from sgr_spiders.soundcloud.lenient_json import OddValue
from sgr_spiders.soundcloud.raw import Document, Json, pack, purge, unknown_fields
from sgr_spiders.soundcloud.track_cache import Listing
from sgr_spiders.soundcloud.urns import Kind, is_urn_of, locate, names_record, parse_id, parse_key, parse_urn

if TYPE_CHECKING:
    from collections.abc import Callable


class BadDocumentError(HarvestError):
    """A response does not have the form of its endpoint. Raised by ``parse_page`` and ``parse_resolved``."""


class PrivateTargetError(HarvestError):
    """The resolved record is private. Raised by ``parse_resolved``; the message contains no secret."""


@dataclass(slots=True)
class ParsedPage:
    """The contents of a response.

    ``received`` counts its items, including rejected ones. ``private`` contains kind and ID of private ones.
    """

    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    received: int = 0
    next_href: object = None
    cacheable: dict[int, Entry] = field(default_factory=dict)
    private: list[tuple[str, int]] = field(default_factory=list)


# Records are built by position, which is much faster than by name, from values that are not validated yet.
_new_track: Callable[..., Track] = Track
_new_user: Callable[..., User] = User
_new_playlist: Callable[..., Playlist] = Playlist
_new_comment: Callable[..., Comment] = Comment

_READ_TRACK: Final = FieldReader(Track)
_READ_USER: Final = FieldReader(User)
_READ_PLAYLIST: Final = FieldReader(Playlist)
_READ_COMMENT: Final = FieldReader(Comment)
_TRACK_OWNER: Final = FIELDS["track"].index("artist_id")
_PLAYLIST_OWNER: Final = FIELDS["playlist"].index("owner_id")

# Fields that repeat the ID or kind of a record, or contain another record, are not unknown.
_IDENTITY: Final = frozenset({"id", "urn", "kind", "uri"})
_OWNED: Final = _IDENTITY | {"user", "user_id", "user_urn", "sharing"}
_TRACK_KNOWN: Final = _READ_TRACK.known | _OWNED
_USER_KNOWN: Final = _READ_USER.known | _IDENTITY
_PLAYLIST_KNOWN: Final = _READ_PLAYLIST.known | _OWNED | {"type", "tracks", "tracks_uri", "label"}
_COMMENT_KNOWN: Final = _READ_COMMENT.known | _OWNED | {"track_id", "track_urn"}

_KINDS: Final = frozenset({"track", "user", "playlist", "comment"})
_RESOLVABLE: Final = ("track", "user", "playlist")
NOT_RESOLVABLE: Final = "is not a track, playlist or user"
"""The reason for rejecting something else that ``resolve`` found."""
_URL_KEYS: Final = ("permalink_url", "uri", "stream_url", "tracks_uri")
# The API has sent secret URLs for public playlists as well.
_URL_KEYS_UNLESS_PUBLIC: Final = (*_URL_KEYS, "secret_uri")
_SECRET_PATH: Final = re.compile(r"/[^/]+/(?!sets/)[^/]+/s-[^/]+/?|/[^/]+/sets/[^/]+/s-[^/]+/?")
"""The path of a private track or playlist page that contains its secret."""
_EXCERPT_BYTES: Final = 16 * 1024


def parse_page(endpoint: str, target: str, document: object, first_position: int = 0) -> ParsedPage:
    """Return the records of one response to a walk of this endpoint and target.

    Args:
        endpoint: The kind of collection.
        target: The ID, search text or URL that it belongs to.
        document: The decoded response.
        first_position: The position of the first item in the whole list, from the walk's cursor
            (``paging.first_position``). Only the tracks of a playlist need it.

    Raises:
        BadDocumentError: The response is not a list or object of the API.
    """
    rules = ENDPOINTS[endpoint]
    items, next_href = _items(rules, document)
    page = ParsedPage(received=len(items), next_href=next_href)
    keys = document.keys if isinstance(document, Listing) else repeat(None, len(items))
    parser = _Parser(rules, target, page)
    add = page.entries.append
    for position, (item, key) in enumerate(zip(items, keys, strict=True), first_position):
        if type(item) is CachedTrack:
            add(Entry(item.track, item.inside, parser.link(item.track.track_id, position), item))
        elif (entry := parser.entry(item, position, key)) is not None:
            add(entry)
    return page


def parse_resolved(response: object) -> tuple[Kind, int] | None:
    """Return kind and ID that ``resolve`` found: in its ``Location``, its JSON body, or the record itself.

    ``None`` means that it found something else than a track, a user or a playlist, e.g. a comment.

    Raises:
        PrivateTargetError: The record is private.
        BadDocumentError: The response contains no record.
    """
    if isinstance(response, dict):
        if isinstance(response.get("location"), str):
            response = response["location"]
        else:
            return _resolved_record(response)
    if not isinstance(response, str):
        raise BadDocumentError(f"resolve: expected a location, got {_form(response)}")
    if "secret_token" in response:
        raise PrivateTargetError("resolve: the URL leads to a private record")
    found = parse_urn(response) or locate(response)
    if found is None and not names_record(response):
        raise BadDocumentError("resolve: the location names no track, user or playlist")
    return found if found is not None and found[0] in _RESOLVABLE else None


def _resolved_record(document: Document) -> tuple[Kind, int] | None:
    if _is_private(document):
        raise PrivateTargetError("resolve: the URL leads to a private record")
    kind = document.get("kind")
    if kind in _RESOLVABLE:
        record_id = _record_id(document, kind)
        if record_id is not None:
            return cast("Kind", kind), record_id
    found = parse_urn(document.get("urn"))
    if found is not None and found[0] in _RESOLVABLE:
        return found
    if found is None and (not isinstance(kind, str) or kind in _RESOLVABLE):
        raise BadDocumentError("resolve: the response is neither a location nor a record")
    return None


def _items(rules: Endpoint, document: object) -> tuple[list[Json], object]:
    if not rules.paged:
        if isinstance(document, dict):
            return [document], None
        raise BadDocumentError(f"{rules.name}: expected an object, got {_form(document)}")
    if isinstance(document, Listing):
        items = document.items if rules.record == "track" else document.decoded()
        return items, document.next_href
    if isinstance(document, list):
        return document, None
    if isinstance(document, dict) and isinstance(document.get("collection"), list):
        return document["collection"], document.get("next_href")
    raise BadDocumentError(f"{rules.name}: expected a list or a collection, got {_form(document)}")


class _Parser:
    """Builds the records of one page."""

    __slots__ = (
        "_build", "_engagement", "_page", "_placed", "_rejects", "_rules", "_target_id", "_users",
    )  # fmt: skip

    def __init__(self, rules: Endpoint, target: str, page: ParsedPage) -> None:
        self._rules = rules
        self._page = page
        self._target_id = 0 if rules.target_param else parse_key(target, rules.target) or 0
        self._rejects = page.rejects
        self._users: dict[int, tuple[Document, User]] = {}
        self._placed: set[int] | None = None
        if rules.target == "playlist" and rules.record == "track":
            self._placed = set()
        # Comments contain their authors; for other records the user or track follows from the list itself.
        self._engagement = None if rules.record == "comment" else rules.engagement
        builders: dict[str, Callable[[Json, list[Record]], MainRecord]] = {
            "track": self._track_entry,
            "user": self._user_entry,
            "playlist": self._playlist_entry,
            "comment": self._comment_entry,
        }
        self._build = builders

    def entry(self, item: Json, position: int, key: int | None) -> Entry | None:
        kind = self._rules.record
        if kind == "any":
            kind = item.get("kind")
            if kind not in _RESOLVABLE:
                self._reject("resolve", item, NOT_RESOLVABLE)
                return None
        inside: list[Record] = []
        before = len(self._rejects)
        try:
            record = self._build[kind](item, inside)
        except _PrivateError:
            self._reject_private(kind, item)
            return None
        except BadRecordError as error:
            del self._rejects[before:]
            self._reject(kind, item, str(error))
            return None
        entry = Entry(record, inside, self.link(record.record_id, position))
        if key is not None and kind == "track":
            self._page.cacheable[key] = entry
        return entry

    def link(self, record_id: int, position: int) -> Link | None:
        """Return the relation that follows from the record's place in this list."""
        engagement = self._engagement
        if engagement is not None:
            if self._rules.record == "user":
                return Engagement(record_id, self._target_id, engagement)
            return Engagement(self._target_id, record_id, engagement)
        if self._placed is not None and record_id not in self._placed:
            self._placed.add(record_id)
            return PlaylistTrack(self._target_id, record_id, position)
        return None

    def _reject_private(self, kind: str, item: Json) -> None:
        self._rejects.append(Reject(kind, None, None, PRIVATE))
        record_id = _record_id(item, kind) if isinstance(item, dict) else None
        if record_id is not None:
            self._page.private.append((kind, record_id))

    def _reject(self, kind: str, item: Json, reason: str) -> None:
        record_id = _record_id(item, kind) if isinstance(item, dict) and kind in _KINDS else None
        self._rejects.append(Reject(kind, record_id, None, reason, _excerpt(item)))

    def _track_entry(self, item: Json, inside: list[Record]) -> Track:
        return self._track(_check(item, "track"), inside, Fullness.OWN)

    def _user_entry(self, item: Json, inside: list[Record]) -> User:
        return _user(_check(item, "user"), _required_id(item, "user"), Fullness.OWN)

    def _comment_entry(self, item: Json, inside: list[Record]) -> Comment:
        get = _check(item, "comment").get
        comment_id = _required_id(item, "comment")
        user_id = self._owner(item, inside, Fullness.AUTHOR)
        track_id = (
            parse_key(get("track_urn"), "track") or parse_key(get("track_id"), "track") or self._target_id
        )
        if user_id is not None:
            inside.append(Engagement(user_id, track_id, "comment"))
        unknown = unknown_fields(item, _COMMENT_KNOWN)
        values = _READ_COMMENT.read(item, unknown)
        values[:3] = comment_id, track_id, user_id
        return _new_comment(*values, pack(unknown))

    def _playlist_entry(self, item: Json, inside: list[Record]) -> Playlist:
        get = _check(item, "playlist").get
        playlist_id = _required_id(item, "playlist")
        unknown = unknown_fields(item, _PLAYLIST_KNOWN)
        label_id = self._embedded_user(get("label"), inside, Fullness.EMBEDDED)
        if label_id is not None:
            unknown.setdefault("label_id", label_id)
        values = _READ_PLAYLIST.read(item, unknown)
        values[0] = playlist_id
        values[_PLAYLIST_OWNER] = self._owner(item, inside, Fullness.EMBEDDED)
        fullness = _fullness(item, "title", _READ_PLAYLIST.body, Fullness.OWN)
        playlist = _new_playlist(*values, fullness, pack(unknown))
        self._inline_tracks(playlist_id, get("tracks"), inside)
        return playlist

    def _inline_tracks(self, playlist_id: int, tracks: Json, inside: list[Record]) -> None:
        if tracks is None:
            return
        if not isinstance(tracks, list):
            self._rejects.append(Reject("playlist", playlist_id, "tracks", f"is {_form(tracks)}, not a list"))
            return
        placed = set()
        for position, item in enumerate(tracks):
            found: list[Record] = []
            try:
                track = self._track(_check(item, "track"), found, Fullness.EMBEDDED)
            except _PrivateError:
                self._reject_private("track", item)
                continue
            except BadRecordError as error:
                self._reject("track", item, str(error))
                continue
            inside += found
            inside.append(track)
            if track.track_id not in placed:
                placed.add(track.track_id)
                inside.append(PlaylistTrack(playlist_id, track.track_id, position))

    def _track(self, item: Document, inside: list[Record], fullness: int) -> Track:
        track_id = _required_id(item, "track")
        fullness = _fullness(item, "title", _READ_TRACK.body, fullness)
        if fullness == Fullness.STUB:
            return Track(track_id, artist_id=self._owner(item, inside, Fullness.EMBEDDED))
        unknown = unknown_fields(item, _TRACK_KNOWN)
        values = _READ_TRACK.read(item, unknown)
        values[0] = track_id
        values[_TRACK_OWNER] = self._owner(item, inside, Fullness.EMBEDDED)
        return _new_track(*values, fullness, pack(unknown))

    def _owner(self, item: Document, inside: list[Record], fullness: int) -> int | None:
        """Return the ID of a record's owner, and add that user (or a stub) to *inside*."""
        user_id = self._embedded_user(item.get("user"), inside, fullness)
        if user_id is None:
            user_id = parse_key(item.get("user_urn"), "user") or parse_key(item.get("user_id"), "user")
            if user_id is not None:
                inside.append(User(user_id))
        return user_id

    def _embedded_user(self, item: Json, inside: list[Record], fullness: int) -> int | None:
        if item is None:
            return None
        try:
            user = self._same_or_new_user(_check(item, "user"), fullness)
        except BadRecordError as error:
            self._reject("user", item, str(error))
            return None
        inside.append(user)
        return user.user_id

    def _same_or_new_user(self, item: Document, fullness: int) -> User:
        """Return the user; if the page contains the same user again, return the same object."""
        user_id = _required_id(item, "user")
        known = self._users.get(user_id)
        if known is not None and _same(known[0], item):
            return known[1]
        user = _user(item, user_id, fullness)
        self._users[user_id] = item, user
        return user


class _PrivateError(BadRecordError):
    """An item is private. Nothing of it is stored, not even its ID."""


def _check(item: Json, kind: str) -> Document:
    if not isinstance(item, dict):
        raise BadRecordError(f"is {_form(item)}, not an object")
    found = item.get("kind")
    if found != kind and found is not None and isinstance(found, str) and found in _KINDS:
        raise BadRecordError(f"is a {found}, not a {kind}")
    if kind != "user" and _is_private(item):
        raise _PrivateError(PRIVATE)
    return item


def _is_private(item: Document) -> bool:
    sharing = item.get("sharing")
    if sharing is not None and sharing != "public":
        return True
    keys = _URL_KEYS_UNLESS_PUBLIC if sharing is None else _URL_KEYS
    for url in map(item.get, keys):
        if isinstance(url, str) and ("secret_token" in url or ("/s-" in url and _has_secret_path(url))):
            return True
    return False


def _has_secret_path(url: str) -> bool:
    try:
        return _SECRET_PATH.fullmatch(urlsplit(url).path) is not None
    except ValueError:
        return False


def _record_id(item: Document, kind: str) -> int | None:
    """Return the ID in ``urn``, else ``id``, else ``uri``; ``None`` if it belongs to another kind.

    Without a usable URN, the item's ``kind`` must say of what it is the ID. The ``uri`` is needed because a
    user in the specification's example of a comment has a misspelled URN and no ``id``.
    """
    urn = item.get("urn")
    if type(urn) is str and urn.startswith("soundcloud:"):
        record_id = parse_key(urn, kind)
        if record_id is not None or not is_urn_of(urn, kind):
            return record_id
    if item.get("kind") != kind:
        return None
    return parse_key(item.get("id"), kind) or parse_id(item.get("uri"), kind)


def _required_id(item: Document, kind: str) -> int:
    record_id = _record_id(item, kind)
    if record_id is None:
        raise BadRecordError("has no usable id")
    return record_id


def _user(item: Document, user_id: int, fullness: int) -> User:
    fullness = _fullness(item, "username", _READ_USER.body, fullness)
    if fullness == Fullness.STUB:
        return User(user_id)
    unknown = unknown_fields(item, _USER_KNOWN)
    values = _READ_USER.read(item, unknown)
    values[0] = user_id
    return _new_user(*values, fullness, pack(unknown))


def _fullness(item: Document, name: str, body: frozenset[str], fullness: int) -> int:
    """Return *fullness*, or that of a stub if the item has none of the fields in *body*."""
    if item.get(name) is not None or any(item[key] is not None for key in item.keys() & body):
        return fullness
    return Fullness.STUB


def _same(first: Document, second: Document) -> bool:
    try:
        return first == second
    except RecursionError:
        return False


def _excerpt(item: Json) -> bytes | None:
    """Return the item for ``rejects``, packed; ``None`` if it is too large or too deeply nested."""
    try:
        # Without a dictionary: equal items give equal bytes, whenever they are rejected.
        packed = pack({"item": purge(item)}, alone=True)
    except BadRecordError:
        return None
    return packed if packed is not None and len(packed) <= _EXCERPT_BYTES else None


def _form(value: object) -> str:
    """Describe the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, OddValue):
        return value.reason
    if isinstance(value, dict):
        return f"an object without a collection of {len(value)} fields" if value else "an empty object"
    return "a string" if isinstance(value, str) else "a list"
