"""What ``scrapy seeds`` says of the seeds that are harvested at intervals: for people, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.config.schedule import spell_interval
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import duration, pluralize, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.ledger.seeds import ScheduledSeed

HOW_TO_ADD = "scrapy seeds add NUMBER|URN|ADDRESS --every 7d"


def as_json(seeds: Sequence[ScheduledSeed]) -> list[dict[str, Any]]:
    """Give the structure that docs/operations.md documents."""
    return [asdict(seed) for seed in seeds]


def as_text(seeds: Sequence[ScheduledSeed], now: datetime) -> list[str]:
    """Write a table, no wider than ``figures.WIDTH``."""
    if not seeds:
        return [f"No seeds yet: {HOW_TO_ADD}"]
    head = ["seed", "every", "priority", "last harvest", "outcome", "next harvest", "track"]
    return table([head, *(_row(seed, now) for seed in seeds)], left=len(head))


def due_as_text(due: Sequence[ScheduledSeed], seeds: Sequence[ScheduledSeed], now: datetime) -> list[str]:
    """Write those that are *due* of all *seeds*, or that none is."""
    if due or not seeds:
        return as_text(due, now)
    first = seeds[0]
    return [f"No seed is due; the first will be {named(first)} at {minute(first.next_harvest_at)} (UTC)"]


def named(seed: ScheduledSeed) -> str:
    """Name a seed, and the track once it is known."""
    return _label(seed) if seed.title is None else f"{_label(seed)} ({for_message(_track(seed))})"


def _label(seed: ScheduledSeed) -> str:
    # An address is long, and the number stands for it in every command.
    return for_message(seed.given) if seed.track_id is None else str(seed.track_id)


def _row(seed: ScheduledSeed, now: datetime) -> list[str]:
    late = (now - datetime.fromisoformat(seed.next_harvest_at)).total_seconds()
    return [
        _label(seed),
        spell_interval(seed.interval_seconds),
        str(seed.priority),
        "-" if seed.last_harvest_at is None else minute(seed.last_harvest_at),
        seed.last_outcome or "-",
        f"due for {duration(late)}" if late >= 0 else minute(seed.next_harvest_at),
        for_message(_track(seed)),
    ]


def _track(seed: ScheduledSeed) -> str:
    if seed.title is None:
        return ""
    return f"{seed.title} by {seed.artist}" if seed.artist is not None else seed.title


def minute(text: str) -> str:
    """Write a time of the database to the minute."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def changed(what: str, seed: ScheduledSeed) -> str:
    """Say that a seed was ``added``, ``changed`` or is ``unchanged``."""
    priority = f", priority {seed.priority}" if seed.priority else ""
    return f"{what}: {named(seed)}, every {spell_interval(seed.interval_seconds)}{priority}"


def imported(results: Sequence[str]) -> str:
    """Say how many seeds of a file were added, changed or unchanged."""
    parts = [
        f"{results.count(what):,} {what}" for what in ("added", "changed", "unchanged") if what in results
    ]
    return f"{pluralize(len(results), 'seed')}: {', '.join(parts)}"
