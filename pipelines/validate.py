"""Validate all values of a page, before any other pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.fields import Rule, fields_of
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
from sgr_spiders.soundcloud.lenient_json import OddValue
from sgr_spiders.soundcloud.rules import BAD, Check, Judge, Values, judge_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

KINDS: Final[Mapping[type, str]] = {
    Track: "track",
    User: "user",
    Playlist: "playlist",
    Comment: "comment",
    PlaylistTrack: "playlist_track",
    Engagement: "engagement",
    Mention: "mention",
}
"""The record types to validate, and their names in ``rejects``."""


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of a record type that share one rule.

    A record with an invalid or missing ``required`` field is rejected; other invalid fields are nulled.
    """

    names: tuple[str, ...]
    judge: Judge
    required: bool


def _groups_of(record: type) -> tuple[Group, ...]:
    """Return the groups of a *record* type's fields, required ones first."""
    names: dict[tuple[bool, Rule], list[str]] = {}
    for field in sorted(fields_of(record), key=lambda field: not field.required):
        names.setdefault((field.required, field.rule), []).append(field.name)
    return tuple(
        Group(tuple(members), judge_of(rule), required) for (required, rule), members in names.items()
    )


_GROUPS: Final = {record: _groups_of(record) for record in KINDS}
_NAMES: Final = {
    record: tuple(name for group in groups for name in group.names) for record, groups in _GROUPS.items()
}
_VALUES: Final[Mapping[type, Callable[[Any], Values]]] = {
    record: attrgetter(*names) for record, names in _NAMES.items()
}
_Plan = tuple[tuple[Callable[[Values], Values], Callable[[Values], bool], Group], ...]


# Records have few patterns of types and nulls. The remaining checks are computed once per pattern.
@lru_cache(maxsize=8192)
def _plan(record: type, types: tuple[type, ...]) -> _Plan | None:
    """Return the checks that values of these types still need.

    ``None`` if a type is wrong or a required field is missing.
    """
    plan = []
    names = _NAMES[record]
    for group in _GROUPS[record]:
        places = [names.index(name) for name in group.names]
        given = [place for place in places if types[place] is not type(None)]
        if len(given) < len(places) and group.required:
            return None
        if not group.judge.types.issuperset(types[place] for place in given):
            return None
        if given and group.judge.fine is not None:
            plan.append((_picker(given), group.judge.fine, group))
    return tuple(plan)


def _picker(places: list[int]) -> Callable[[Values], Values]:
    # A slice, because itemgetter() with a single index returns the bare value.
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))


class ValidatePipeline:
    """Rejects invalid records, nulls invalid fields, and cleans text.

    It counts all changes, and adds everything it removes to the page's rejects.
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
        # A link needs no validation: it joins the record's ID, its key, to the walk's own target.
        is_fit = self._is_fit
        kept = []
        for entry in self._page.entries:
            if entry.cached is None:
                if not is_fit(entry.record):
                    continue
                inside = [record for record in entry.inside if is_fit(record)]
                if len(inside) < len(entry.inside):
                    entry.inside = inside
            kept.append(entry)
        self._page.entries = kept

    def _is_fit(self, record: Record) -> bool:
        """Return whether a record is valid, after correcting its optional fields."""
        # The entries of a page may share one uploader.
        if id(record) in self._fit:
            return True
        kind = type(record)
        values = _VALUES[kind](record)
        # mypy takes the class for unhashable, although only its instances are.
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
        for group in groups:
            for name in group.names:
                if not group.required:
                    self._mend_optional(record, name, group.judge.check)
                elif not self._mend_required(record, name, group.judge.check):
                    return False
        return True

    def _mend_required(self, record: Record, name: str, check: Check) -> bool:
        value = getattr(record, name)
        fit = BAD if value is None else check(value)
        if fit is BAD:
            self._reject(record, None, f"bad {name}: {render_value(value)}")
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
            self._reject(record, name, f"bad {name}: {render_value(value)}")
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
        kind = KINDS[type(record)]
        record_id = getattr(record, f"{kind}_id", None)
        if record_id is not None and _check_id(record_id) is BAD:
            record_id = None
        raw = getattr(record, "raw", None) if field is None else None
        self._page.rejects.append(Reject(kind, record_id, field, reason, raw))


def render_value(value: object) -> str:
    """Render an untrusted value as one short line of ASCII, without recursing into it."""
    if isinstance(value, str):
        return ascii(value if len(value) <= 60 else value[:60] + "…")
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, OddValue):
        return value.reason
    return f"a {type(value).__name__}"


_check_id: Final = judge_of(Rule("id", low=1)).check
