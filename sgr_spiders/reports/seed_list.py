"""The output of ``scrapy seeds``: scheduled seeds as a table, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.config.schedule import spell_interval
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import duration, number, pluralize, table
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.ledger.runs import ListedSeeds
    from sgr_spiders.storage.ledger.seeds import ScheduledSeed


def as_json(seeds: Sequence[ScheduledSeed]) -> list[dict[str, Any]]:
    """Return the structure documented in docs/operations.md."""
    return [asdict(seed) for seed in seeds]


def as_text(seeds: Sequence[ScheduledSeed], now: datetime) -> list[str]:
    """Return a table, at most ``formatting.WIDTH`` wide."""
    if not seeds:
        return [f"No seeds yet: {how_to_add()}"]
    head = ["seed", "every", "priority", "last harvest", "outcome", "next harvest", "track"]
    return table([head, *(_row(seed, now) for seed in seeds)], left=len(head))


def due_as_text(due: Sequence[ScheduledSeed], seeds: Sequence[ScheduledSeed], now: datetime) -> list[str]:
    """Return a table of the *due* seeds, or a line that says when the first of *seeds* is due."""
    if due or not seeds:
        return as_text(due, now)
    first = seeds[0]
    when = format_minute(first.next_harvest_at)
    return [f"No seed is due; the first will be {describe_seed(first)} at {when} (UTC)"]


def describe_seed(seed: ScheduledSeed) -> str:
    """Return the seed's ID or URL, followed by the track if known."""
    return _label(seed) if seed.title is None else f"{_label(seed)} ({for_message(_track(seed))})"


def _label(seed: ScheduledSeed) -> str:
    # Every command accepts the ID in place of the longer URL.
    return for_message(seed.given) if seed.track_id is None else str(seed.track_id)


def _row(seed: ScheduledSeed, now: datetime) -> list[str]:
    late = (now - datetime.fromisoformat(seed.next_harvest_at)).total_seconds()
    return [
        _label(seed),
        spell_interval(seed.interval_seconds),
        str(seed.priority),
        "-" if seed.last_harvest_at is None else format_minute(seed.last_harvest_at),
        seed.last_outcome or "-",
        f"due for {duration(late)}" if late >= 0 else format_minute(seed.next_harvest_at),
        for_message(_track(seed)),
    ]


def _track(seed: ScheduledSeed) -> str:
    if seed.title is None:
        return ""
    return f"{seed.title} by {seed.artist}" if seed.artist is not None else seed.title


def describe_listed(listed: ListedSeeds) -> str:
    """Return which tracks of a playlist or user are seeds, to follow "Seeds from "."""
    name = f"{listed.kind} {listed.record_id}"
    if listed.name is not None:
        name += f" ({for_message(listed.name)})"
    if not listed.seeds:
        return f"{name}: it has no public tracks"
    known = "an unknown number of" if listed.tracks is None else number(listed.tracks)
    line = f"{name}: {number(listed.seeds)} of {known} tracks"
    if not listed.is_cut:
        is_short = listed.tracks is not None and listed.seeds < listed.tracks
        return f"{line}; the API does not list the others" if is_short else line
    more = "the others are" if listed.tracks is None else f"{number(listed.tracks - listed.seeds)} are"
    return f"{line}; {more} left out by max_seeds={listed.max_tracks}"


def format_minute(timestamp: str) -> str:
    """Return a database timestamp in UTC, to the minute."""
    return datetime.fromisoformat(timestamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def describe_change(what: str, seed: ScheduledSeed) -> str:
    """Return a line about a seed that was ``added``, ``changed`` or left ``unchanged``."""
    priority = f", priority {seed.priority}" if seed.priority else ""
    return f"{what}: {describe_seed(seed)}, every {spell_interval(seed.interval_seconds)}{priority}"


def describe_import(results: Sequence[str]) -> str:
    """Return the number of seeds in a file, and how many were added, changed or unchanged."""
    parts = [
        f"{results.count(what):,} {what}" for what in ("added", "changed", "unchanged") if what in results
    ]
    return f"{pluralize(len(results), 'seed')}: {', '.join(parts)}"


def how_to_add() -> str:
    """Return the command that adds a seed, with a placeholder for it."""
    return command("seeds", "add", "ID", "--every", "7d")
