"""The schedule of seeds: intervals, rounds, and the values that a user may give.

A seed is due at a certain time and at whole multiples of its interval after it. The time between two of these
is a round: everything around the seed must have been fetched since the round began. Rounds count from the due
time, not from the end of a harvest, so a daily seed stays daily however long harvests take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sgr_spiders.config.arguments import read_seed, seed_lines
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from datetime import datetime

    from sgr_spiders.config.arguments import GivenSeed

UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds in a minute, hour, day and week."""

DEFAULT_INTERVAL = 7 * UNITS["d"]
MAX_INTERVAL = 3650 * UNITS["d"]
MAX_PRIORITY = 1000


@dataclass(frozen=True, slots=True)
class SeedLine:
    """A scheduled seed. ``interval`` is in seconds; ``None`` stands for a value that was not given."""

    seed: GivenSeed
    interval: int | None = None
    priority: int | None = None


def parse_interval(text: str) -> int:
    """Parse ``7d`` or ``12h`` into seconds; raise ``ValueError`` if *text* is not an interval."""
    match = re.fullmatch(r"([0-9]{1,7})([mhdw])", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= MAX_INTERVAL:
        most = spell_interval(MAX_INTERVAL)
        raise ValueError(f"not an interval such as 30m, 12h, 7d or 2w, at most {most}: {quote_value(text)}")
    return seconds


def spell_interval(seconds: int) -> str:
    """Return seconds in the form that ``parse_interval`` accepts."""
    unit = next((unit for unit in "dhm" if seconds % UNITS[unit] == 0), "m")
    return f"{seconds // UNITS[unit]}{unit}"


def parse_priority(text: str) -> int:
    """Parse a priority; raise ``ValueError`` if it is invalid."""
    if not re.fullmatch("-?[0-9]{1,4}", text) or abs(int(text)) > MAX_PRIORITY:
        raise ValueError(f"not an integer from -{MAX_PRIORITY} to {MAX_PRIORITY}: {quote_value(text)}")
    return int(text)


def read_seed_lines(path: str) -> list[SeedLine]:
    """Read a file with ``SEED [INTERVAL [PRIORITY]]`` on each line; raise ``ValueError`` if it is invalid."""
    lines = []
    for where, text in seed_lines(path):
        try:
            lines.append(_parse_line(text.split()))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return lines


def _parse_line(words: list[str]) -> SeedLine:
    seed, *rest = words
    if len(rest) > 2:
        raise ValueError(f"more than seed, interval and priority: {quote_value(' '.join(words))}")
    interval, priority = [*rest, None, None][:2]
    return SeedLine(
        read_scheduled_seed(seed),
        None if interval is None else parse_interval(interval),
        None if priority is None else parse_priority(priority),
    )


def read_scheduled_seed(text: str) -> GivenSeed:
    """Parse a seed that is a track; raise ``ValueError`` if it is invalid, or a playlist or user."""
    seed = read_seed(text)
    if seed.kind in {"playlist", "user"}:
        raise ValueError(f"a {seed.kind}, not a track; only tracks can be scheduled: {quote_value(text)}")
    return seed


def round_at(due: datetime, interval: int, moment: datetime) -> datetime:
    """Return the beginning of the round that contains *moment*, which must not be before *due*."""
    period = timedelta(seconds=interval)
    return due + (moment - due) // period * period


def next_round(due: datetime, interval: int, moment: datetime) -> datetime:
    """Return the beginning of the round after the one that contains *moment*."""
    return round_at(due, interval, moment) + timedelta(seconds=interval)
