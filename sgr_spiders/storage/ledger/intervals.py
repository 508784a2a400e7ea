"""The intervals in which likes and reposts were given, as one page of a list tells them.

All times are text in the format of ``clock.timestamp``, which sorts chronologically.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sgr_spiders.soundcloud.boundaries import SECOND
from sgr_spiders.storage.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sgr_spiders.model.items import Boundaries

PRECISION = timedelta(milliseconds=1)
"""The coarsest precision of times in cursors; a list may be in the order of finer ones."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval with its ends; ``None`` if the start is unknown."""

    not_before: str | None
    not_after: str

    def not_before_time(self, start: str) -> Interval:
        """Return the part from *start* on; the interval itself if there is none."""
        if start > self.not_after or start <= (self.not_before or ""):
            return self
        return Interval(start, self.not_after)


def latest_time(boundaries: Boundaries, now: str) -> str:
    """Return the time until which the items of a page may have been added, *now* by the local clock.

    A local clock that is behind that of the API does not count. The API names its time in whole seconds.
    """
    answered = boundaries.answered
    return now if answered is None or timestamp(answered) <= now else timestamp(answered + SECOND)


def of_page(boundaries: Boundaries, latest: str) -> Interval:
    """Return the interval of all items of a page of a newest-first list."""
    newest, oldest = boundaries.before, boundaries.at
    return Interval(
        None if oldest is None else timestamp(_round_down(oldest)),
        latest if newest is None else min(latest, timestamp(_round_down(newest) + PRECISION)),
    )


def count_later(uploads: Iterable[str | None], interval: Interval, latest: str) -> int:
    """Return how many tracks were uploaded after *interval*, but not after the *latest* time."""
    return sum(
        created_at is not None and interval.not_after < _to_timestamp(created_at) <= latest
        for created_at in uploads
    )


def since_upload(interval: Interval, created_at: str | None, latest: str) -> Interval:
    """Return the part of *interval* in which a track existed that was uploaded at *created_at*.

    If there is none, either the order of the list or the time of the upload is wrong: the interval then
    lasts until the *latest* time. An upload after that is wrong for certain and ignored.
    """
    if created_at is None:
        return interval
    uploaded = _to_timestamp(created_at)
    if uploaded > latest:
        return interval
    if uploaded > interval.not_after:
        return Interval(interval.not_before, latest)
    return interval.not_before_time(uploaded)


class Place(NamedTuple):
    """The place of a record when a walk last listed it.

    Every look begins at the top of the list, and some do not reach the end. So records of a newer generation
    are above the others.
    """

    generation: int
    position: int
    is_removed: bool

    @property
    def rank(self) -> tuple[int, int]:
        """The key that sorts records from the top of the list to its end."""
        return -self.generation, self.position


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a newest-first list since the last looks, as one page shows them.

    ``arrived``: items above all known ones, if this is the first page and the order of those is unchanged;
    they are newer than the last look that listed ``first``. ``moved``: known items that may have been removed
    and added again. ``first``: the first known item that has not moved, on the first page; whether it was
    added again cannot be seen.
    """

    arrived: list[int]
    moved: list[int]
    first: int | None


def compare_order(ids: Sequence[int], places: Mapping[int, Place], *, is_first_page: bool) -> Changes:
    """Compare the order of a page with the order at the last looks.

    An item that stays in a newest-first list keeps its place in relation to others that stay. One that was
    removed and added again is above items that were above it. Then all items that are even higher may have
    been added again as well.

    Args:
        ids: The distinct items of the page, in order.
        places: The places of those that were known before.
        is_first_page: Whether the page is the first of its list.
    """
    last_moved = -1
    highest: tuple[int, int] | None = None
    first: int | None = None
    for index in range(len(ids) - 1, -1, -1):
        place = places.get(ids[index])
        if place is None or place.is_removed:
            continue
        if highest is not None and place.rank > highest:
            last_moved = max(last_moved, index)
        else:
            highest = place.rank
            first = ids[index] if index > last_moved else first
    known = [(index, record_id) for index, record_id in enumerate(ids) if record_id in places]
    moved = [record_id for index, record_id in known if index <= last_moved or places[record_id].is_removed]
    if not is_first_page:
        return Changes([], moved, None)
    return Changes(list(ids[: known[0][0]]) if first is not None and last_moved < 0 else [], moved, first)


def _to_timestamp(date: str) -> str:
    """Convert a date of the API to the format of the harvest's own times."""
    return f"{date[:-1]}.000000Z"


def _round_down(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
