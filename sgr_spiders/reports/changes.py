"""The output of ``scrapy changes``: what appeared and what was removed since a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.storage.figures.changes import (
    CHANGES,
    KINDS,
    count_around_seeds,
    count_changes,
    list_changes,
    titles_of,
)
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import minute, number, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.figures.changes import ChangedRecord, Counts
    from sgr_spiders.storage.store import Connection

_PLURALS = {
    "track": "tracks",
    "user": "users",
    "playlist": "playlists",
    "comment": "comments",
    "like": "likes",
    "repost": "reposts",
    "playlist_track": "tracks in playlists",
}
_SHOWN = {change: change.replace("_", " ") for change in CHANGES}


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes since a time, in all, around each seed, and the last ones of each kind."""

    since: str
    run_id: int | None
    counts: Counts
    seeds: dict[int, Counts]
    titles: dict[int, str | None]
    listed: Sequence[ChangedRecord]


def read_changes(connection: Connection, since: str, run_id: int | None, limit: int) -> Changes:
    """Read the changes since that time (the start of *run_id*, if it is known)."""
    seeds = count_around_seeds(connection, since)
    return Changes(
        since,
        run_id,
        count_changes(connection, since),
        seeds,
        titles_of(connection, sorted(seeds)),
        list_changes(connection, since, limit),
    )


def as_json(changes: Changes) -> dict[str, Any]:
    """Return the structure documented in docs/operations.md."""
    return {
        "since": changes.since,
        "run_id": changes.run_id,
        "counts": _nested(changes.counts),
        "seeds": [
            {"track_id": seed, "title": changes.titles.get(seed), "counts": _nested(counts)}
            for seed, counts in sorted(changes.seeds.items())
        ],
        "changes": [_as_object(change) for change in changes.listed],
    }


def _nested(counts: Counts) -> dict[str, dict[str, int]]:
    return {
        kind: {change: counts[kind, change] for change in CHANGES if (kind, change) in counts}
        for kind in KINDS
        if any((kind, change) in counts for change in CHANGES)
    }


def _as_object(change: ChangedRecord) -> dict[str, Any]:
    fields = asdict(change)
    first, other = {"playlist_track": ("playlist_id", "track_id")}.get(change.kind, ("user_id", "track_id"))
    record_id, other_id = fields.pop("record_id"), fields.pop("other_id")
    ids = {"id": record_id} if other_id is None else {first: record_id, other: other_id}
    return {"kind": fields.pop("kind"), **ids, **fields}


def as_text(changes: Changes) -> list[str]:
    """Return tables of the changes, at most ``formatting.WIDTH`` wide."""
    began = minute(changes.since)
    when = f"{began} (UTC)" if changes.run_id is None else f"run {changes.run_id} began, {began} (UTC)"
    if not changes.counts:
        return [f"Nothing changed since {when}"]
    lines = [f"Changes since {when}", "", *count_lines(changes.counts)]
    for seed, counts in sorted(changes.seeds.items()):
        title = changes.titles.get(seed)
        named = f" {for_message(title)}" if title else ""
        lines += ["", f"Around {seed}{named}", *count_lines(counts)]
    return [*lines, "", "Last changes", *_listed_lines(changes.listed)]


def count_lines(counts: Counts) -> list[str]:
    """Return a table of numbers by kind and change, without empty rows and columns."""
    used = [change for change in CHANGES if any((kind, change) in counts for kind in KINDS)]
    rows = [["", *(_SHOWN[change] for change in used)]]
    rows += [
        [
            _PLURALS[kind],
            *(number(counts[kind, change]) if (kind, change) in counts else "-" for change in used),
        ]
        for kind in KINDS
        if any((kind, change) in counts for change in used)
    ]
    return table(rows, indent="  ")


def _listed_lines(listed: Sequence[ChangedRecord]) -> list[str]:
    return table(list(map(_row, listed)), left=5, indent="  ")


def _row(change: ChangedRecord) -> list[str]:
    which = str(change.record_id)
    if change.other_id is not None:
        which += f" {change.other_id}"
    return [
        minute(change.at),
        change.kind.replace("_", " "),
        _SHOWN[change.change],
        which,
        for_message(change.title or ""),
    ]
