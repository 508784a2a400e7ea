"""The summary of the stored communities: how they were found, how many there are, and what is in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sgr_spiders.storage import communities as stored
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import listing, number, percent, pluralize, wrap
from sgr_spiders.titles.genres import read_genre

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.communities import CommunityRun
    from sgr_spiders.storage.store import Connection

SHOWN = 12
"""The largest communities of each kind that the text lists."""
MEMBERS = 3
"""The members that are named of each community."""
MIN_OF_FIRST = 0.5
"""A second genre is named if it is at least as frequent as this share of the first."""


@dataclass(frozen=True, slots=True)
class Community:
    """A community: its size, mean stability, commonest genres and best-known members."""

    community: int
    size: int
    stability: float
    genres: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def name(self) -> str:
        """The genres, or the best-known members if no genre is known."""
        return " / ".join(self.genres) or ", ".join(self.members)


@dataclass(frozen=True, slots=True)
class CommunityList:
    """The communities of one kind, the largest first, and the record of their build."""

    run: CommunityRun
    communities: tuple[Community, ...]


def collect(connection: Connection, kinds: Sequence[str] = stored.KINDS) -> list[CommunityList]:
    """Return the stored communities of these *kinds*, without kinds that were never built."""
    runs = [run for kind in kinds if (run := stored.latest(connection, kind)) is not None]
    return [CommunityList(run, _list(connection, run.kind)) for run in runs]


def _list(connection: Connection, kind: str) -> tuple[Community, ...]:
    found = stored.read_communities(connection, kind)
    numbers, sizes = np.unique(found.groups, return_counts=True)
    sums = np.bincount(found.groups, found.stability)[numbers] if len(numbers) else numbers
    genres = name_genres(stored.count_genres(connection, kind))
    members = stored.read_members(connection, kind, MEMBERS)
    listed = [
        Community(group, size, total / size, genres.get(group, ()), tuple(map(str, members.get(group, ()))))
        for group, size, total in zip(numbers.tolist(), sizes.tolist(), sums.tolist(), strict=True)
    ]
    return tuple(sorted(listed, key=lambda one: (-one.size, one.community)))


def name_genres(counted: Sequence[tuple[int, str, int]]) -> dict[int, tuple[str, ...]]:
    """Return the one or two commonest genres of each community, given how often each spelling occurs."""
    by_group: dict[int, Counter[str]] = {}
    for group, text, times in counted:
        if (genre := read_genre(text)) is not None:
            by_group.setdefault(group, Counter())[genre] += times
    return {group: _commonest(genres) for group, genres in by_group.items()}


def _commonest(genres: Mapping[str, int]) -> tuple[str, ...]:
    (first, most), *others = sorted(genres.items(), key=lambda item: (-item[1], item[0]))
    return (first, *(genre for genre, times in others[:1] if times >= MIN_OF_FIRST * most))


def as_json(found: Sequence[CommunityList]) -> list[dict[str, Any]]:
    """Return the lists as plain data."""
    return [
        asdict(one.run) | {"communities": [asdict(community) for community in one.communities]}
        for one in found
    ]


def as_text(found: Sequence[CommunityList]) -> list[str]:
    """Return the lines for people."""
    lines: list[str] = []
    for one in found:
        lines += [*([""] if lines else []), *wrap(_describe(one)), *_rows(one.communities)]
    return lines


def _describe(one: CommunityList) -> str:
    run = one.run
    kinds = f"{run.kind.capitalize()}s"
    if not run.rows:
        return f"{kinds}: no communities; {_describe_pairs(run)}"
    count = pluralize(run.communities, "community", "communities")
    figures = [run.method, *([] if run.modularity is None else [f"modularity {run.modularity:.2f}"])]
    figures += [] if run.stability is None else [f"stability {run.stability:.2f}"]
    found = f"{kinds}: {count} of {pluralize(run.rows, run.kind)} ({', '.join(figures)})"
    nodes = run.inputs["nodes"]
    if run.parameters["by"] != "pairs":
        share = percent(run.rows / nodes)
        return f"{found}, those of their listeners, for {share} of those liked; {_describe_pairs(run)}"
    left = f"; {pluralize(nodes - run.rows, f'other {run.kind}')} without" if nodes > run.rows else ""
    return f"{found}; {_describe_pairs(run)}{left}"


def _describe_pairs(run: CommunityRun) -> str:
    used, pairs = run.inputs["used_pairs"], run.inputs["pairs"]
    if run.validated:
        return f"{number(used)} of {number(pairs)} pairs in {run.graph} are significant"
    unknown = "" if run.parameters["limit"] is None else ", whose significance is not known"
    return f"from all {pluralize(pairs, 'pair')} in {run.graph}{unknown}"


def _rows(listed: Sequence[Community]) -> list[str]:
    rows = [
        (
            str(one.community),
            number(one.size),
            f"{one.stability:.2f}",
            for_message(" / ".join(one.genres) or "-"),
            for_message(", ".join(one.members)),
        )
        for one in listed[:SHOWN]
    ]
    if not rows:
        return []
    lines = listing([("community", "size", "stability", "genres", "best-known members"), *rows], texts=2)
    rest = len(listed) - SHOWN
    return (
        [*lines, f"and {pluralize(rest, 'smaller community', 'smaller communities')}"] if rest > 0 else lines
    )
