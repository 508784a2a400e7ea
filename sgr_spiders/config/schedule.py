"""When a seed is due: intervals, the rounds they make, and what a user may say of them.

A seed is due at a moment, and again at whole numbers of intervals after it. What lies between two of these
is a round: it wants everything fetched since it began. Counting from the moment, not from when a harvest
happened to end, keeps a daily seed daily under a daily timer, however long harvests take.
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
class Entry:
    """A seed to be harvested at intervals, in seconds; what is ``None`` was not said."""

    seed: GivenSeed
    interval: int | None = None
    priority: int | None = None


def parse_interval(text: str) -> int:
    """Read ``7d`` or ``12h`` as seconds. Raises ``ValueError``."""
    match = re.fullmatch(r"([0-9]{1,7})([mhdw])", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= MAX_INTERVAL:
        most = spell_interval(MAX_INTERVAL)
        raise ValueError(f"not an interval such as 30m, 12h, 7d or 2w, at most {most}: {quote_value(text)}")
    return seconds


def spell_interval(seconds: int) -> str:
    """Write seconds as ``parse_interval`` reads them."""
    unit = next((unit for unit in "dhm" if seconds % UNITS[unit] == 0), "m")
    return f"{seconds // UNITS[unit]}{unit}"


def parse_priority(text: str) -> int:
    """Read a priority. Raises ``ValueError``."""
    if not re.fullmatch("-?[0-9]{1,4}", text) or abs(int(text)) > MAX_PRIORITY:
        raise ValueError(f"not an integer from -{MAX_PRIORITY} to {MAX_PRIORITY}: {quote_value(text)}")
    return int(text)


def read_entries(path: str) -> list[Entry]:
    """Read a file with ``SEED [INTERVAL [PRIORITY]]`` on each line. Raises ``ValueError``."""
    entries = []
    for where, text in seed_lines(path):
        try:
            entries.append(_read_entry(text.split()))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return entries


def _read_entry(words: list[str]) -> Entry:
    seed, *rest = words
    if len(rest) > 2:
        raise ValueError(f"more than a seed, an interval and a priority: {quote_value(' '.join(words))}")
    interval, priority = [*rest, None, None][:2]
    return Entry(
        read_seed(seed),
        None if interval is None else parse_interval(interval),
        None if priority is None else parse_priority(priority),
    )


def round_at(due: datetime, interval: int, moment: datetime) -> datetime:
    """Give when the round began in which *moment* lies, which is not before *due*."""
    every = timedelta(seconds=interval)
    return due + (moment - due) // every * every


def next_round(due: datetime, interval: int, moment: datetime) -> datetime:
    """Give when the round after that one begins."""
    return round_at(due, interval, moment) + timedelta(seconds=interval)
