"""The typed records of a harvest, and the page that carries them through the pipelines.

A record's fields are the columns of its table (DATA_FORMAT.md says what each means). Every field
but the ids may be ``None``: hidden and missing values stay null. Times are ISO 8601 text in UTC
(``2024-01-09T21:10:04Z``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar, Final, Literal


class Fullness:
    """How much of a record an answer carries. A fuller version is never replaced by a thinner one.

    Plain numbers: members of an ``IntEnum`` take Python code to hash, and sqlite3 to adapt.
    """

    STUB: Final = 0
    """Known by reference only: an id, nothing else."""
    EMBEDDED: Final = 1
    """Came inside another record, e.g. the uploader inside a track."""
    AUTHOR: Final = 2
    """The author inside a comment, who carries more counters than other embedded users."""
    OWN: Final = 3
    """Came as itself, alone or as an entry of a list of its kind."""


@dataclass(slots=True)
class Track:
    kind: ClassVar[str] = "track"
    track_id: int
    title: str | None = None
    artist_id: int | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    duration_ms: int | None = None
    genre: str | None = None
    tag_list: str | None = None
    description: str | None = None
    label_name: str | None = None
    metadata_artist: str | None = None
    isrc: str | None = None
    bpm: float | None = None
    key_signature: str | None = None
    license: str | None = None
    release: str | None = None
    release_year: int | None = None
    release_month: int | None = None
    release_day: int | None = None
    access: str | None = None
    artwork_url: str | None = None
    purchase_url: str | None = None
    purchase_title: str | None = None
    playback_count: int | None = None
    favoritings_count: int | None = None
    reposts_count: int | None = None
    comment_count: int | None = None
    download_count: int | None = None
    commentable: bool | None = None
    streamable: bool | None = None
    downloadable: bool | None = None
    reveal_stats: bool | None = None
    reveal_comments: bool | None = None
    fullness: int = Fullness.STUB
    raw: bytes | None = None

    @property
    def record_id(self) -> int:
        return self.track_id

    @property
    def is_stub(self) -> bool:
        return self.fullness == Fullness.STUB


@dataclass(slots=True)
class User:
    kind: ClassVar[str] = "user"
    user_id: int
    username: str | None = None
    permalink: str | None = None
    permalink_url: str | None = None
    full_name: str | None = None
    city: str | None = None
    country: str | None = None
    description: str | None = None
    website: str | None = None
    website_title: str | None = None
    plan: str | None = None
    avatar_url: str | None = None
    created_at: str | None = None
    last_modified: str | None = None
    followers_count: int | None = None
    followings_count: int | None = None
    track_count: int | None = None
    playlist_count: int | None = None
    public_favorites_count: int | None = None
    reposts_count: int | None = None
    fullness: int = Fullness.STUB
    raw: bytes | None = None

    @property
    def record_id(self) -> int:
        return self.user_id

    @property
    def is_stub(self) -> bool:
        return self.fullness == Fullness.STUB


@dataclass(slots=True)
class Playlist:
    kind: ClassVar[str] = "playlist"
    playlist_id: int
    title: str | None = None
    owner_id: int | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    last_modified: str | None = None
    duration_ms: int | None = None
    genre: str | None = None
    tag_list: str | None = None
    description: str | None = None
    playlist_type: str | None = None
    label_name: str | None = None
    license: str | None = None
    release: str | None = None
    release_year: int | None = None
    release_month: int | None = None
    release_day: int | None = None
    ean: str | None = None
    artwork_url: str | None = None
    purchase_url: str | None = None
    purchase_title: str | None = None
    track_count: int | None = None
    likes_count: int | None = None
    fullness: int = Fullness.STUB
    raw: bytes | None = None

    @property
    def record_id(self) -> int:
        return self.playlist_id

    @property
    def is_stub(self) -> bool:
        return self.fullness == Fullness.STUB


@dataclass(slots=True)
class PlaylistTrack:
    """A track's first place in a playlist; ``position`` counts from 0."""

    playlist_id: int
    track_id: int
    position: int


@dataclass(slots=True)
class Engagement:
    user_id: int
    track_id: int
    kind: Literal["like", "repost", "comment"]


@dataclass(slots=True)
class Comment:
    """A comment; ``timestamp_ms`` is the place in the track it was made at, null if none."""

    kind: ClassVar[str] = "comment"
    comment_id: int
    track_id: int
    user_id: int | None = None
    body: str | None = None
    timestamp_ms: int | None = None
    created_at: str | None = None
    raw: bytes | None = None

    @property
    def record_id(self) -> int:
        return self.comment_id


@dataclass(slots=True)
class Mention:
    """A name in a track's title or description; ``user_id`` where it was resolved to an account."""

    track_id: int
    kind: Literal["mention", "featuring", "remixer", "producer", "label"]
    name: str
    user_id: int | None = None


Link = PlaylistTrack | Engagement
Record = Track | User | Playlist | PlaylistTrack | Engagement | Comment | Mention
MainRecord = Track | User | Playlist | Comment
"""The records that a walk lists."""
MAIN_TYPES: Final = (Track, User, Playlist, Comment)
"""The same for ``isinstance``, which takes much longer with a union."""

RECORD_TYPES: dict[str, type[MainRecord]] = {kind.kind: kind for kind in MAIN_TYPES}
"""The types of these records by the name of their kind."""

FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(column.name for column in fields(kind)) for name, kind in RECORD_TYPES.items()
}
"""Their fields, by the name of their kind."""


@dataclass(slots=True)
class Reject:
    """Something set aside. ``field`` names the one value that was nulled; ``None``: the whole record."""

    kind: str
    record_id: int | None
    field: str | None
    reason: str
    raw: bytes | None = None


@dataclass(slots=True)
class Made:
    """What an earlier page made of the document of a track, had judged and committed.

    Pages share it, so it must not be changed. ``users`` are the ids of those inside it.
    """

    track: Track
    inside: list[Record]
    users: tuple[int, ...]


@dataclass(slots=True)
class Entry:
    """One item of an answer: the record it is, and the records that came with it, in order.

    ``link`` is what standing in this list says of it: whose playlist it is in, who likes it. ``made`` is
    there where an earlier page made all the rest: that needs not be judged, compared or written again.
    """

    record: MainRecord
    inside: list[Record] = field(default_factory=list)
    link: Link | None = None
    made: Made | None = field(default=None, compare=False)

    def records(self) -> list[Record]:
        """Give all records but the link, parents before those that refer to them."""
        return [*self.inside, self.record]

    def main(self) -> list[tuple[str, int]]:
        """Give kind and id of the records that a walk can list."""
        if self.made is not None:
            return [*[("user", one) for one in self.made.users], ("track", self.made.track.track_id)]
        return [(one.kind, one.record_id) for one in self.records() if isinstance(one, MAIN_TYPES)]


@dataclass(frozen=True, slots=True)
class Walk:
    """One paginated collection, as leased to a crawl.

    ``cursor`` is where its next page begins: path and query on the API's origin, ``""`` for the
    first page. ``pages`` and ``received`` count the pages and items spilled so far.
    """

    walk_id: int
    endpoint: str
    target: str
    cursor: str = ""
    pages: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class WalkRequest:
    """A walk a layer asks for.

    ``step`` names what the layer does with it, ``cap`` counts the distinct records it wants of it
    and ``expected`` is how many the API says there are (``None``: hidden or unknown). Out of a
    ``selective`` walk only what the layer selects counts as found by it.
    """

    endpoint: str
    target: str
    step: str
    cap: int
    expected: int | None = None
    selective: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A record that a layer keeps out of those it looked at, with a score from 0 to 1 where it has one."""

    kind: Literal["track", "user", "playlist"]
    record_id: int
    score: float | None = None


@dataclass(slots=True)
class Page:
    """One answer of the API: what it held, and where its walk stands after it.

    ``status`` is ``None`` while the walk goes on or ends by itself (``next_cursor`` is ``None``),
    else the status the walk ends with (``gone``, ``failed``), for the reason given.
    ``received`` counts the items in the answer, also those set aside; ``resolved`` is the
    kind and id of what a ``resolve`` walk found. ``known`` holds the records (kind, id, fullness) that
    are committed already just as they are here, and need not be written again.

    ``fresh`` holds the tracks among the entries, by a key that stands for what each was made of.
    """

    walk: Walk
    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    received: int = 0
    next_cursor: str | None = None
    status: Literal["gone", "failed"] | None = None
    reason: str | None = None
    resolved: tuple[str, int] | None = None
    known: set[tuple[str, int, int]] = field(default_factory=set)
    fresh: dict[int, Entry] = field(default_factory=dict)

    def __str__(self) -> str:
        # What Scrapy logs of it: hundreds of records would fill the screen.
        return f"page {self.walk.pages} of {self.walk.endpoint} {self.walk.target!r}"
