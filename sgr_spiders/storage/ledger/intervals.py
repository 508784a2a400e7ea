"""The intervals in which likes and reposts were given, as one page of a list tells them.

All times are text in the format of ``clock.timestamp``, which sorts chronologically.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sgr_spiders.storage.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sgr_spiders.model.items import Boundaries

SECOND = timedelta(seconds=1)
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


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a newest-first list since the last look, as one page shows them.

    ``arrived``: items above all known ones, if this is the first page and the order of those is unchanged;
    they are new since that look. ``moved``: known items that may have been removed and added again.
    ``first``: the first known item that has not moved; whether it was added again cannot be seen.
    """

    arrived: list[int]
    moved: list[int]
    first: int | None


def compare_order(
    ids: Sequence[int], places: Mapping[int, tuple[int, int]], last: int, *, is_first_page: bool
) -> Changes:
    """Compare the order of a page with the order at the last look.

    An item that stays in a newest-first list keeps its place in relation to others that stay. One that was
    removed and added again is above items that were above it. Then all items that are even higher may have
    been added again as well.

    Args:
        ids: The distinct items of the page, in order.
        places: The position and generation of those that were known before.
        last: The generation of the last look.
        is_first_page: Whether the page is the first of its list.
    """
    last_moved = -1
    lowest: int | None = None
    first: int | None = None
    for index in range(len(ids) - 1, -1, -1):
        position, generation = places.get(ids[index], (-1, -1))
        if generation != last:
            continue
        if lowest is not None and position > lowest:
            last_moved = max(last_moved, index)
        else:
            lowest = position
            first = ids[index] if index > last_moved else first
    first_known = next((index for index, record_id in enumerate(ids) if record_id in places), None)
    moved = [
        record_id
        for index, record_id in enumerate(ids)
        if record_id in places and (index <= last_moved or places[record_id][1] != last)
    ]
    arrived = list(ids[:first_known]) if first is not None and last_moved < 0 else []
    return Changes(arrived, moved, first) if is_first_page else Changes([], moved, None)


def _to_timestamp(date: str) -> str:
    """Convert a date of the API to the format of the harvest's own times."""
    return f"{date[:-1]}.000000Z"


def _round_down(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
