"""Judges every value of a page before anything else sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Mention,
    Page,
    Playlist,
    PlaylistTrack,
    Record,
    Reject,
    Track,
    User,
)
from sgr_spiders.soundcloud.dates import is_iso
from sgr_spiders.soundcloud.track_page import MAX_MADE_UP_ID

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

MAX_INTEGER: Final = 2**63 - 1
MAX_TEXT: Final = 100_000

_NONCHARACTERS: Final = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_REPLACED: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""No encoding can carry them."""
_REMOVED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but tab and line ends, and those that turn around the text after them."""
_LONE_RETURN: Final = re.compile("\r(?!\n)")
"""On a terminal it writes over its line. ``\\r\\n`` is harmless, and half of all descriptions have it."""
_UNWANTED: Final = re.compile(f"{_REPLACED.pattern}|{_REMOVED.pattern}|{_LONE_RETURN.pattern}")


class Bad:
    """What a check answers instead of a value that cannot be kept."""


BAD: Final = Bad()
Check = Callable[[object], object]
"""Takes a value that is not ``None``; gives it back, made fit if need be, or ``BAD``."""


def integer(low: int, high: int) -> Check:
    """Whole numbers in a range; ``1.0`` is one, ``True`` is none."""

    def check(value: object) -> object:
        if type(value) is float and value.is_integer():
            value = int(value)
        return value if type(value) is int and low <= value <= high else BAD

    return check


def tempo(value: object) -> object:
    """Beats per minute."""
    if (type(value) is int or type(value) is float) and 0 < value < 1000:
        return float(value)
    return BAD


def comment_id(value: object) -> object:
    """An id of the API, or one made up for a comment that a page shows without an id."""
    number = integer(-MAX_INTEGER, MAX_INTEGER)(value)
    return number if type(number) is int and (number > 0 or number <= MAX_MADE_UP_ID) else BAD


def boolean(value: object) -> object:
    return value if type(value) is bool else BAD


def text(value: object) -> object:
    """Text of bounded length that a database and a terminal can carry."""
    if type(value) is not str or len(value) > MAX_TEXT:
        return BAD
    # What is printable is clean; most of the rest is only several lines long.
    if value.isprintable() or _UNWANTED.search(value) is None:
        return value
    return clean(value)


def date(value: object) -> object:
    return value if is_iso(value) else BAD


def one_of(*words: str) -> Check:
    allowed = frozenset(words)

    def check(value: object) -> object:
        return value if type(value) is str and value in allowed else BAD

    return check


def clean(value: str) -> str:
    """Without controls and overrides; what no encoding carries as U+FFFD, a lone return as ``\\n``."""
    value = _LONE_RETURN.sub("\n", value)
    return _REMOVED.sub("", _REPLACED.sub("\ufffd", value))


Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of one record that are checked alike.

    ``fine`` tells quickly whether values of these ``types`` can all stay as they are; without it
    the type says enough. If they cannot, each is checked by itself.
    """

    names: tuple[str, ...]
    check: Check
    types: frozenset[type]
    fine: Callable[[Values], bool] | None = None


def _texts(*names: str) -> Group:
    return Group(names, text, frozenset({str}), _texts_fine)


def _texts_fine(values: tuple[str, ...]) -> bool:
    joined = "".join(values)
    if len(joined) > MAX_TEXT:
        return False
    return joined.isprintable() or joined.replace("\r\n", " ").replace("\n", " ").isprintable()


def _integers(low: int, high: int, *names: str) -> Group:
    def fine(values: tuple[int, ...]) -> bool:
        return min(values) >= low and max(values) <= high

    return Group(names, integer(low, high), frozenset({int}), fine)


def _ids(*names: str) -> Group:
    return _integers(1, MAX_INTEGER, *names)


def _counts(*names: str) -> Group:
    return _integers(0, MAX_INTEGER, *names)


def _words(names: str, *allowed: str) -> Group:
    return Group((names,), one_of(*allowed), frozenset({str}), frozenset(allowed).issuperset)


def _booleans(*names: str) -> Group:
    return Group(names, boolean, frozenset({bool}))


def _dates(*names: str) -> Group:
    return Group(names, date, frozenset({str}), lambda values: all(map(is_iso, values)))


def _tempo(name: str) -> Group:
    # The API writes whole ones as integers, which become floats.
    return Group((name,), tempo, frozenset({float, int}), lambda values: tempo(values[0]) is values[0])


def _comment_id(name: str) -> Group:
    return Group((name,), comment_id, frozenset({int}), lambda values: comment_id(values[0]) is not BAD)


_RELEASE: Final = (
    _integers(0, 9999, "release_year"),
    _integers(1, 12, "release_month"),
    _integers(1, 31, "release_day"),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the fields of one record must be.

    ``kind`` is its name in the rejects. A record with a bad or missing ``key`` is none; any other
    field that is bad is nulled.
    """

    kind: str
    key: tuple[Group, ...]
    optional: tuple[Group, ...] = ()


RULES: Final[Mapping[type, Rules]] = {
    Track: Rules(
        "track",
        (_ids("track_id"),),
        (
            _ids("artist_id"),
            _texts(
                "title", "permalink_url", "genre", "tag_list", "description", "label_name",
                "metadata_artist", "isrc", "key_signature", "license", "release", "artwork_url",
                "purchase_url", "purchase_title",
            ),
            _counts(
                "duration_ms", "playback_count", "favoritings_count", "reposts_count", "comment_count",
                "download_count",
            ),
            _booleans("commentable", "streamable", "downloadable", "reveal_stats", "reveal_comments"),
            _dates("created_at"),
            _tempo("bpm"),
            _words("access", "playable", "preview", "blocked"),
            *_RELEASE,
        ),
    ),
    User: Rules(
        "user",
        (_ids("user_id"),),
        (
            _texts(
                "username", "permalink", "permalink_url", "full_name", "city", "country", "description",
                "website", "website_title", "plan", "avatar_url",
            ),
            _counts(
                "followers_count", "followings_count", "track_count", "playlist_count",
                "public_favorites_count", "reposts_count",
            ),
            _dates("created_at", "last_modified"),
        ),
    ),
    Playlist: Rules(
        "playlist",
        (_ids("playlist_id"),),
        (
            _ids("owner_id"),
            _texts(
                "title", "permalink_url", "genre", "tag_list", "description", "playlist_type",
                "label_name", "license", "release", "ean", "artwork_url", "purchase_url", "purchase_title",
            ),
            _counts("duration_ms", "track_count", "likes_count"),
            _dates("created_at", "last_modified"),
            *_RELEASE,
        ),
    ),
    Comment: Rules(
        "comment",
        (_comment_id("comment_id"), _ids("track_id")),
        (_ids("user_id"), _texts("body"), _counts("timestamp_ms"), _dates("created_at")),
    ),
    PlaylistTrack: Rules("playlist_track", (_ids("playlist_id", "track_id"), _counts("position"))),
    Engagement: Rules(
        "engagement", (_ids("user_id", "track_id"), _words("kind", "like", "repost", "comment"))
    ),
    Mention: Rules(
        "mention",
        (
            _ids("track_id"),
            _words("kind", "mention", "featuring", "remixer", "producer", "label"),
            _texts("name"),
        ),
        (_ids("user_id"),),
    ),
}  # fmt: skip


_GROUPS: Final = {record: (*rules.key, *rules.optional) for record, rules in RULES.items()}
_NAMES: Final = {
    record: tuple(name for group in groups for name in group.names) for record, groups in _GROUPS.items()
}
_VALUES: Final[Mapping[type, Callable[[Any], Values]]] = {
    record: attrgetter(*names) for record, names in _NAMES.items()
}
_Plan = tuple[tuple[Callable[[Values], Values], Callable[[Values], bool], Group], ...]


# Records have few patterns of types and nulls. What a pattern leaves to check is worked out once.
@lru_cache(maxsize=8192)
def _plan(record: type, types: tuple[type, ...]) -> _Plan | None:
    """The checks that values of these types still need, ``None`` if a type is wrong or a key is missing."""
    plan = []
    names = _NAMES[record]
    for group in _GROUPS[record]:
        places = [names.index(name) for name in group.names]
        given = [place for place in places if types[place] is not type(None)]
        if len(given) < len(places) and group in RULES[record].key:
            return None
        if not group.types.issuperset(types[place] for place in given):
            return None
        if given and group.fine is not None:
            plan.append((_picker(given), group.fine, group))
    return tuple(plan)


def _picker(places: list[int]) -> Callable[[Values], Values]:
    # A slice, because itemgetter() of one place gives the bare value.
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))


class ValidatePipeline:
    """Sets aside the records that cannot be kept, nulls the fields that cannot, and cleans text.

    Whatever it changes is counted, and whatever it takes away is among the page's rejects.
    """

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if crawler.stats is None:
            raise RuntimeError("the crawler has no statistics yet")
        return cls(crawler.stats)

    def process_item(self, item: object) -> object:
        if isinstance(item, Page):
            validation = Validation(item)
            validation.run()
            for name in ("text_cleaned", "fields_nulled", "records_rejected"):
                count = getattr(validation, name)
                if count:
                    self._stats.inc_value(f"sgr/validate/{name}", count)
        return item


class Validation:
    """The validation of one page, and its counts."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._fit: set[int] = set()
        self.text_cleaned = 0
        self.fields_nulled = 0
        self.records_rejected = 0

    def run(self) -> None:
        # What an earlier page made was judged then. A link needs no judgement: it joins the record's id,
        # which is its key, to the walk's own target.
        is_fit = self._is_fit
        entries = [entry for entry in self._page.entries if entry.made is not None or is_fit(entry.record)]
        for entry in entries:
            if entry.made is not None:
                continue
            inside = [record for record in entry.inside if is_fit(record)]
            if len(inside) < len(entry.inside):
                entry.inside = inside
        self._page.entries = entries

    def _is_fit(self, record: Record) -> bool:
        """Whether a record can be kept, after its optional fields are made fit."""
        # The entries of a page may share one uploader.
        if id(record) in self._fit:
            return True
        kind = type(record)
        values = _VALUES[kind](record)
        # mypy takes a class for unhashable where only its instances are.
        plan = _plan(kind, tuple(map(type, values)))  # type: ignore[arg-type]
        if plan is None:
            doubtful: Iterable[Group] = _GROUPS[kind]
        else:
            doubtful = [group for pick, fine, group in plan if not fine(pick(values))]
        if doubtful and not self._mend(record, doubtful):
            return False
        self._fit.add(id(record))
        return True

    def _mend(self, record: Record, groups: Iterable[Group]) -> bool:
        key = RULES[type(record)].key
        for group in groups:
            for name in group.names:
                if group not in key:
                    self._mend_optional(record, name, group.check)
                elif not self._mend_key(record, name, group.check):
                    return False
        return True

    def _mend_key(self, record: Record, name: str, check: Check) -> bool:
        value = getattr(record, name)
        fit = BAD if value is None else check(value)
        if fit is BAD:
            self._reject(record, None, f"bad {name}: {shown(value)}")
            self.records_rejected += 1
            return False
        self._set(record, name, fit, value)
        return True

    def _mend_optional(self, record: Record, name: str, check: Check) -> None:
        value = getattr(record, name)
        if value is None:
            return
        fit = check(value)
        if fit is BAD:
            self._reject(record, name, f"bad {name}: {shown(value)}")
            self.fields_nulled += 1
            fit = None
        self._set(record, name, fit, value)

    def _set(self, record: Record, name: str, fit: object, value: object) -> None:
        if fit is value:
            return
        setattr(record, name, fit)
        if type(fit) is str:
            self.text_cleaned += 1

    def _reject(self, record: Record, field: str | None, reason: str) -> None:
        rules = RULES[type(record)]
        record_id = getattr(record, f"{rules.kind}_id", None)
        if record_id is not None and _ID(record_id) is BAD:
            record_id = None
        raw = getattr(record, "raw", None) if field is None else None
        self._page.rejects.append(Reject(rules.kind, record_id, field, reason, raw))


def shown(value: object) -> str:
    """A value from outside on one short line of ASCII. Never recurses into it."""
    if isinstance(value, str):
        return ascii(value if len(value) <= 60 else value[:60] + "…")
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


_ID: Final = integer(1, MAX_INTEGER)
