"""The typed records of a harvest, and the page that carries them through the pipelines.

A record's fields are the columns of its table. The annotation of a field defines the parser's key, the
validation rule, the column and its line in DATA_FORMAT.md. Every field except the IDs may be ``None``: hidden
and missing values stay null. Times are ISO 8601 strings in UTC (``2024-01-09T21:10:04Z``).
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, get_args

from sgr_spiders.model.fields import (
    Rule,
    count,
    date,
    day,
    flag,
    identity,
    integer,
    names_of_true,
    page_url,
    reference,
    tempo,
    text,
    two_letters,
    word,
)


class Fullness:
    """The completeness of a record in a response. A less full version never replaces a fuller one.

    The values are plain integers, because members of an ``IntEnum`` are slow to hash and to bind in sqlite3.
    """

    STUB: Final = 0
    """Only the ID is known, from a reference."""
    EMBEDDED: Final = 1
    """Embedded in another record, e.g. the uploader in a track."""
    AUTHOR: Final = 2
    """The author embedded in a comment, who has more counters than other embedded users."""
    OWN: Final = 3
    """The record itself, alone or in a list of its kind."""


_PAGE_URL: Final = "Page on soundcloud.com, without the tracking query"
_PUBLISHER: Final = "publisher_metadata"
"""The API's key of an object with fields about rights and releases."""

ReleaseText = Annotated[str | None, text("Release number or catalogue name")]
ReleaseYear = Annotated[int | None, integer("Year of release by the uploader", high=9999)]
ReleaseMonth = Annotated[int | None, integer("Month of release, 1-12", low=1, high=12)]
ReleaseDay = Annotated[int | None, integer("Day of release, 1-31", low=1, high=31)]
ReleaseDate = Annotated[
    str | None,
    day(
        "Day of release, e.g. `2024-01-09`, from year, month and day if they are a day in 1850 to 2100, else "
        "from the API's own date",
        year="release_year",
        month="release_month",
        day="release_day",
    ),
]
Milliseconds = Annotated[int | None, integer("Length in milliseconds", source="duration")]
Permalink = Annotated[str | None, text("Its part of the URL of its page")]


@dataclass(slots=True)
class Track:
    """A track."""

    kind: ClassVar[str] = "track"
    track_id: Annotated[int, identity("`soundcloud:tracks:<track_id>`")]
    title: Annotated[str | None, text("Title")] = None
    artist_id: Annotated[int | None, reference("users.user_id", "The uploader")] = None
    permalink: Permalink = None
    permalink_url: Annotated[str | None, page_url(_PAGE_URL)] = None
    created_at: Annotated[str | None, date("Time of upload (the API has no time of publication)")] = None
    last_modified: Annotated[str | None, date("When it was last changed", fallback="updated_at")] = None
    duration_ms: Milliseconds = None
    full_duration: Annotated[
        int | None,
        integer("Length of the whole track in milliseconds; `duration_ms` may be that of a snippet"),
    ] = None
    genre: Annotated[str | None, text("Genre, free text of the uploader")] = None
    tag_list: Annotated[
        str | None,
        text("Tags, separated by spaces; tags of several words in double quotes"),
    ] = None
    description: Annotated[str | None, text("Description")] = None
    label_name: Annotated[str | None, text("Label as the uploader spells it")] = None
    metadata_artist: Annotated[
        str | None, text("Artist as the uploader credits it", fallback=f"{_PUBLISHER}.artist")
    ] = None
    isrc: Annotated[
        str | None, text("International Standard Recording Code", fallback=f"{_PUBLISHER}.isrc")
    ] = None
    album_title: Annotated[str | None, text("Album", fallback=f"{_PUBLISHER}.album_title")] = None
    upc_or_ean: Annotated[
        str | None, text("Code of the product (UPC or EAN)", fallback=f"{_PUBLISHER}.upc_or_ean")
    ] = None
    publisher: Annotated[str | None, text("Publisher", fallback=f"{_PUBLISHER}.publisher")] = None
    writer_composer: Annotated[
        str | None, text("Writers and composers", fallback=f"{_PUBLISHER}.writer_composer")
    ] = None
    p_line: Annotated[
        str | None, text("Owner of the recording and year (℗ line)", fallback=f"{_PUBLISHER}.p_line")
    ] = None
    c_line: Annotated[
        str | None, text("Owner of the work and year (© line)", fallback=f"{_PUBLISHER}.c_line")
    ] = None
    explicit: Annotated[
        bool | None, flag("Whether its content is explicit", fallback=f"{_PUBLISHER}.explicit")
    ] = None
    contains_music: Annotated[
        bool | None, flag("Whether it contains music", fallback=f"{_PUBLISHER}.contains_music")
    ] = None
    bpm: Annotated[float | None, tempo("Beats per minute")] = None
    key_signature: Annotated[str | None, text("Musical key")] = None
    license: Annotated[str | None, text("Licence")] = None
    release: ReleaseText = None
    release_year: ReleaseYear = None
    release_month: ReleaseMonth = None
    release_day: ReleaseDay = None
    release_date: ReleaseDate = None
    track_type: Annotated[
        str | None, text("Type as the uploader gives it, e.g. `original`, `remix`, `live` or empty")
    ] = None
    original_format: Annotated[str | None, text("Format of the uploaded file, e.g. `wav`")] = None
    access: Annotated[
        str | None,
        word(
            "For this caller: `playable`, `preview` (a snippet) or `blocked` (metadata only)",
            "playable",
            "preview",
            "blocked",
        ),
    ] = None
    policy: Annotated[
        str | None,
        text("How rights holders let it be used, e.g. `ALLOW`, `MONETIZE`, `SNIP` or `BLOCK`", of_stub=True),
    ] = None
    monetization_model: Annotated[
        str | None, text("How it earns money, e.g. `NOT_APPLICABLE` or `AD_SUPPORTED`", of_stub=True)
    ] = None
    artwork_url: Annotated[str | None, text("Cover")] = None
    purchase_url: Annotated[str | None, text("URL of a shop")] = None
    purchase_title: Annotated[str | None, text("Text of the link to the shop")] = None
    playback_count: Annotated[int | None, count("Plays")] = None
    favoritings_count: Annotated[int | None, count("Likes", fallback="likes_count")] = None
    reposts_count: Annotated[int | None, count("Reposts")] = None
    comment_count: Annotated[int | None, count("Comments")] = None
    download_count: Annotated[int | None, count("Downloads")] = None
    commentable: Annotated[bool | None, flag("Whether comments are allowed")] = None
    streamable: Annotated[bool | None, flag("Whether it can be streamed")] = None
    downloadable: Annotated[bool | None, flag("Whether it can be downloaded (this project never does)")] = (
        None
    )
    reveal_stats: Annotated[bool | None, flag("0 if the uploader hides the counts")] = None
    reveal_comments: Annotated[bool | None, flag("0 if the uploader hides the comments")] = None
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
    """An account: a listener, an artist or the author of a comment."""

    kind: ClassVar[str] = "user"
    user_id: Annotated[int, identity("`soundcloud:users:<user_id>`")]
    username: Annotated[str | None, text("Display name")] = None
    permalink: Annotated[str | None, text("Name in URLs")] = None
    permalink_url: Annotated[str | None, page_url(_PAGE_URL)] = None
    full_name: Annotated[str | None, text("Full name")] = None
    city: Annotated[str | None, text("City")] = None
    country: Annotated[str | None, text("Country")] = None
    country_code: Annotated[str | None, two_letters("Country as a code of two letters (ISO 3166-1)")] = None
    description: Annotated[str | None, text("Description")] = None
    website: Annotated[str | None, text("Website")] = None
    website_title: Annotated[str | None, text("Title of the website")] = None
    plan: Annotated[str | None, text("Plan, e.g. `Free` or `Pro Unlimited`")] = None
    verified: Annotated[
        bool | None, flag("Whether SoundCloud has verified the account", fallback="badges.verified")
    ] = None
    badges: Annotated[
        str | None,
        names_of_true("Badges in alphabetical order, separated by commas; empty if it has none"),
    ] = None
    avatar_url: Annotated[str | None, text("Picture")] = None
    created_at: Annotated[str | None, date("When the account was created")] = None
    last_modified: Annotated[str | None, date("When the profile was last changed")] = None
    followers_count: Annotated[
        int | None,
        integer(
            "Followers; null if unknown. A 0 never replaces a positive count "
            "(during an outage the API returned 0 for everyone)"
        ),
    ] = None
    followings_count: Annotated[int | None, count("Accounts followed")] = None
    track_count: Annotated[int | None, count("Public tracks")] = None
    playlist_count: Annotated[int | None, count("Public playlists")] = None
    public_favorites_count: Annotated[int | None, count("Likes of tracks and playlists")] = None
    reposts_count: Annotated[int | None, count("Reposts")] = None
    likes_count: Annotated[int | None, count("Likes of tracks")] = None
    comments_count: Annotated[
        int | None, integer("Comments; null if unknown. The official API always says 0")
    ] = None
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
    """A playlist."""

    kind: ClassVar[str] = "playlist"
    playlist_id: Annotated[int, identity("`soundcloud:playlists:<playlist_id>`")]
    title: Annotated[str | None, text("Title")] = None
    owner_id: Annotated[int | None, reference("users.user_id", "The owner")] = None
    permalink: Permalink = None
    permalink_url: Annotated[str | None, page_url(_PAGE_URL)] = None
    created_at: Annotated[str | None, date("When it was created")] = None
    published_at: Annotated[str | None, date("When it was published")] = None
    last_modified: Annotated[str | None, date("When it was last changed")] = None
    duration_ms: Milliseconds = None
    genre: Annotated[str | None, text("Genre, free text of the owner")] = None
    tag_list: Annotated[str | None, text("Tags, as in `tracks`")] = None
    description: Annotated[str | None, text("Description")] = None
    playlist_type: Annotated[
        str | None, text("`album`, `ep`, `single`, `compilation` or empty", fallback="type")
    ] = None
    set_type: Annotated[str | None, text("Type as the website gives it, as `playlist_type`")] = None
    is_album: Annotated[bool | None, flag("Whether the website shows it as an album")] = None
    label_name: Annotated[str | None, text("Label as the owner spells it")] = None
    license: Annotated[str | None, text("Licence")] = None
    release: ReleaseText = None
    release_year: ReleaseYear = None
    release_month: ReleaseMonth = None
    release_day: ReleaseDay = None
    release_date: ReleaseDate = None
    ean: Annotated[str | None, text("European Article Number")] = None
    artwork_url: Annotated[str | None, text("Cover")] = None
    purchase_url: Annotated[str | None, text("URL of a shop")] = None
    purchase_title: Annotated[str | None, text("Text of the link to the shop")] = None
    track_count: Annotated[
        int | None,
        integer(
            "Tracks as the API counts them; may exceed the rows in `playlist_tracks` "
            "(private and deleted tracks are counted, not shown)"
        ),
    ] = None
    likes_count: Annotated[int | None, count("Likes")] = None
    reposts_count: Annotated[int | None, count("Reposts")] = None
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
    """A track of a playlist."""

    playlist_id: Annotated[int, reference("playlists.playlist_id", "The playlist", is_key=True)]
    track_id: Annotated[int, reference("tracks.track_id", "The track", is_key=True)]
    position: Annotated[int, integer("First position of the track in the playlist, from 0", high=2**31 - 1)]


PRIVATE: Final = "private"
"""The reason for rejecting a private item, of which nothing is kept."""
REFUSED: Final = "refused: "
"""The beginning of the reason of a ``gone`` walk whose requests the API refuses, whoever sends them."""

Reference: TypeAlias = tuple[str, int | str]
"""Kind and ID of a record, or ``URL`` and the address of its page."""

URL: Final = "url"

FORGOTTEN: Final = "forgotten"
"""The reason of rejects and ``gone`` walks that are about a record with a tombstone."""

EngagementKind = Literal["like", "repost", "comment"]


@dataclass(slots=True)
class Engagement:
    """A like, repost or comment by a user on a track."""

    user_id: Annotated[int, reference("users.user_id", "The user", is_key=True)]
    track_id: Annotated[int, reference("tracks.track_id", "The track", is_key=True)]
    kind: Annotated[
        EngagementKind,
        word("`like`, `repost` or `comment`", *get_args(EngagementKind), is_key=True),
    ]
    not_before: Annotated[
        str | None,
        date(
            "Start of the interval in which the like or repost was given, to the microsecond; null if unknown"
        ),
    ] = None
    not_after: Annotated[
        str | None,
        date("End of this interval; null for comments, and if `like_times` is off. See docs/like_times.md"),
    ] = None


@dataclass(slots=True)
class Comment:
    """A comment on a track."""

    kind: ClassVar[str] = "comment"
    comment_id: Annotated[
        int,
        identity(
            "`soundcloud:comments:<comment_id>`; negative if generated for a comment that the track's page "
            "shows without an ID (`html_fallback`)",
            Rule("comment_id"),
        ),
    ]
    track_id: Annotated[int, reference("tracks.track_id", "The track")]
    user_id: Annotated[int | None, reference("users.user_id", "The author")] = None
    body: Annotated[str | None, text("Text")] = None
    timestamp_ms: Annotated[
        int | None,
        integer(
            "Position in the track, milliseconds from its start; null if none",
            source="timestamp",
            reading="milliseconds",
        ),
    ] = None
    created_at: Annotated[str | None, date("When it was written")] = None
    raw: bytes | None = None

    @property
    def record_id(self) -> int:
        return self.comment_id


MentionKind = Literal["mention", "featuring", "remixer", "producer", "label"]


@dataclass(slots=True)
class Mention:
    """A name in the title or description of a track."""

    track_id: Annotated[int, reference("tracks.track_id", "The track", is_key=True)]
    kind: Annotated[
        MentionKind,
        word(
            "`mention`, `featuring`, `remixer`, `producer` or `label`",
            *get_args(MentionKind),
            is_key=True,
        ),
    ]
    name: Annotated[str, text("The name as written there", is_key=True)]
    user_id: Annotated[int | None, reference("users.user_id", "The account it was resolved to, if any")] = (
        None
    )


Link = PlaylistTrack | Engagement
Record = Track | User | Playlist | PlaylistTrack | Engagement | Comment | Mention
MainRecord = Track | User | Playlist | Comment
"""The records that a walk lists."""
MAIN_TYPES: Final = (Track, User, Playlist, Comment)
"""The same for ``isinstance``, which is much slower with a union."""

RECORD_TYPES: dict[str, type[MainRecord]] = {kind.kind: kind for kind in MAIN_TYPES}
"""The types of these records, by kind."""

FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(column.name for column in fields(kind)) for name, kind in RECORD_TYPES.items()
}
"""The names of their fields, by kind."""


@dataclass(slots=True)
class Reject:
    """A rejected record, or a rejected value of its ``field``, which was nulled."""

    kind: str
    record_id: int | None
    field: str | None
    reason: str
    raw: bytes | None = None


@dataclass(slots=True)
class CachedTrack:
    """A track of an earlier page, validated and committed, with the records embedded in it.

    Pages share it, so it must not be changed (``soundcloud/track_cache.py``).
    ``main`` is that of its entries.
    """

    track: Track
    inside: list[Record]
    main: list[tuple[str, int]]


@dataclass(slots=True)
class Entry:
    """One item of a response: its record, and the records embedded in it, in order.

    ``link`` is the relation that follows from the list it is in: a playlist's track, or a user's like. A
    ``cached`` track was validated and committed with an earlier page: only its link is new.
    """

    record: MainRecord
    inside: list[Record] = field(default_factory=list)
    link: Link | None = None
    cached: CachedTrack | None = field(default=None, compare=False)

    def records(self) -> list[Record]:
        """Return all records except the link, parents before records that refer to them."""
        return [*self.inside, self.record]

    def main(self) -> list[tuple[str, int]]:
        """Return kind and ID of the records that a walk can list."""
        if self.cached is not None:
            return self.cached.main
        return [
            (record.kind, record.record_id) for record in self.records() if isinstance(record, MAIN_TYPES)
        ]


@dataclass(frozen=True, slots=True)
class PageSize:
    """The size of a walk's pages, if the API could not return the usual one.

    ``limit`` is the number of items per page (``None``: the usual one). ``without_tracks`` asks for playlists
    without their tracks.
    """

    limit: int | None = None
    without_tracks: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """One paginated collection, leased to a crawl.

    ``cursor`` is the start of its next page: path and query on the API's origin, ``""`` for the first page.
    ``pages`` and ``received`` count the pages and items spilled so far, ``setbacks`` the failures in a row.
    """

    walk_id: int
    endpoint: str
    target: str
    cursor: str = ""
    pages: int = 0
    received: int = 0
    setbacks: int = 0
    size: PageSize = PageSize()


@dataclass(frozen=True, slots=True)
class WalkRequest:
    """A layer's request for a walk.

    Attributes:
        endpoint: The kind of collection.
        target: The ID, search text or URL that it belongs to.
        step: The layer's use for the walk.
        cap: The number of distinct records that the layer wants.
        expected: The API's number of records; ``None`` if hidden or unknown.
        selective: Whether only records that the layer selects count as found by it.
        inline_cap: The number of tracks that the layer wants of each playlist listed with its tracks;
            ``None``: all.
    """

    endpoint: str
    target: str
    step: str
    cap: int
    expected: int | None = None
    selective: bool = False
    inline_cap: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A choice of a layer that left something out.

    Attributes:
        setting: The key of the layer's section that limits the choice.
        kept: The number kept, which is the value of the setting.
        available: The number that there was to choose from; ``None`` if unknown.
        target: What the setting was applied to, e.g. a label; empty for the seed itself.
    """

    setting: str
    kept: int
    available: int | None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """A record that a layer selects from a walk, with a score from 0 to 1 if it computes one."""

    kind: Literal["track", "user", "playlist"]
    record_id: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The times at the ends of a page, as the cursors of its list contain them.

    Attributes:
        before: The time of the last item of the page before; ``None`` on the first page, or if unknown.
        at: The time of the last item of this page; ``None`` on the last page, or if unknown.
        answered: The time of the response by the API's clock; ``None`` if unknown.
    """

    before: datetime | None = None
    at: datetime | None = None
    answered: datetime | None = None


@dataclass(slots=True)
class Page:
    """One response of the API, and the progress of its walk.

    Attributes:
        walk: The walk before this page.
        entries: The records of the response.
        rejects: The rejected records and values.
        received: The number of items in the response, including rejected ones.
        next_cursor: The start of the next page; ``None`` if this is the last one.
        status: The status that the response ends the walk with; ``None`` if it continues or is complete.
            ``planned`` returns it to the ledger: the response was about this client, not about the walk.
        reason: The reason of that status.
        missing: Whether the API says that the record is gone or hidden. That is doubted until it answers
            another request well.
        sent: When the request was sent, on the monotonic clock; 0 if it did not go to the API.
        answered: When the response was read, on the same clock.
        lane: The name of the lane that the request was sent on; empty if it did not go to the API.
        is_refusal: Whether the API refused the request (HTTP 4xx), so that the cursor may be outdated.
        size: The size of the walk's next page; ``None`` if it does not change.
        is_too_large: Whether the API could not return the page; it is fetched again in the new ``size``.
        resolved: Kind and ID of the record that a ``resolve`` walk found.
        private: Kind and ID of the private items, to mark records stored when they were public.
        boundaries: The times at its ends; ``None`` if times of likes are not to be stored.
        known: The records (kind, ID, fullness) that are already stored in this version.
        cacheable: The entries of tracks that may be cached once they are committed, by key.
    """

    walk: Walk
    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    received: int = 0
    next_cursor: str | None = None
    status: Literal["gone", "failed", "planned"] | None = None
    reason: str | None = None
    missing: bool = False
    sent: float = 0.0
    answered: float = 0.0
    lane: str = ""
    is_refusal: bool = False
    size: PageSize | None = None
    is_too_large: bool = False
    resolved: tuple[str, int] | None = None
    private: list[tuple[str, int]] = field(default_factory=list)
    boundaries: Boundaries | None = None
    known: set[tuple[str, int, int]] = field(default_factory=set)
    cacheable: dict[int, Entry] = field(default_factory=dict)

    def __str__(self) -> str:
        # Scrapy logs items; hundreds of records would fill the screen.
        return f"page {self.walk.pages} of {self.walk.endpoint} {self.walk.target!r}"
