"""The figures of a comparison as lines: a name, and a value for A and for B; for text and for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.reports.comparison.differences import (
    describe_configurations,
    describe_seeds,
    describe_source,
)
from sgr_spiders.reports.comparison.held_out import RECOMMENDED
from sgr_spiders.reports.comparison.neighbours import NEAREST
from sgr_spiders.text.formatting import decimal, minute, number, p_value, percent, pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.reports.comparison.comparison import Compared, Comparison
    from sgr_spiders.reports.comparison.held_out import Recall
    from sgr_spiders.reports.comparison.sides import About

NAMES = {
    "user_similarity": "users with similar libraries",
    "track_cooccurrence": "tracks that share playlists",
    "artist_relation": "artists that share fans",
    "user_cosine": "users with similar libraries (cosine)",
    "walk": "tracks reached by random walks over fans",
}
RECORDS = {"playlist_tracks": "tracks in playlists"}
AGREEMENT = (
    "neighbours of",
    "nodes in both",
    "both",
    "only A",
    "only B",
    f"Jaccard@{NEAREST}",
    f"RBO@{NEAREST}",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of both sides."""

    name: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a heading; the first group has none."""

    heading: str
    lines: Sequence[Line]


def describe_side(side: About) -> list[str]:
    """Return what a side is: database, state and source; seeds, configuration and runs."""
    state = "" if side.moment is None else f" before {minute(side.moment)} (UTC)"
    return [
        f"{side.database}{state}: {describe_source(side)}",
        f"seeds {describe_seeds(side)}; configuration {describe_configurations(side)}; {_runs(side)}",
    ]


def _runs(side: About) -> str:
    runs = pluralize(len(side.runs), "run")
    if not side.runs:
        return runs
    first, last = side.runs[0].started_at, side.runs[-1].finished_at or side.runs[-1].started_at
    return f"{runs} from {minute(first)} to {minute(last)} (UTC)"


def describe_relationships(config: str) -> str:
    """Return where the relationships of both sides are from."""
    return f"Relationships: computed for this comparison, with the settings of {config}; nothing was stored"


def list_groups(comparison: Comparison) -> list[Group]:
    """Return all figures of both sides."""
    return [
        _records(comparison),
        *map(_density, comparison.compared),
        _recall(comparison),
        *_recovery(comparison),
    ]


def list_agreements(comparison: Comparison) -> list[list[str]]:
    """Return the rows of the table with the columns ``AGREEMENT``."""
    return [
        [
            NAMES.get(one.name, one.name),
            *map(number, (agreed.shared, agreed.both, agreed.only_a, agreed.only_b)),
            decimal(agreed.jaccard),
            decimal(agreed.rank_biased_overlap),
        ]
        for one in comparison.compared
        for agreed in (one.agreement,)
    ]


def _records(comparison: Comparison) -> Group:
    a, b = comparison.sides
    lines = [Line("requests", number(a.requests), number(b.requests))]
    lines += [
        Line(RECORDS.get(kind, kind), number(a.records[kind]), number(b.records[kind])) for kind in a.records
    ]
    return Group("", lines)


def _density(one: Compared) -> Group:
    a, b = one.densities

    def line(name: str, show: Callable[[float | None], str], values: tuple[float | None, ...]) -> Line:
        return Line(name, show(values[0]), show(values[1]))

    lines = []
    if a.pairs is not None:
        pairs = [number(of.pairs) + (" (limited)" if of.limited else "") for of in (a, b)]
        lines = [
            Line("pairs", *pairs),
            line(f"pairs per {one.kind}", decimal, (a.pairs_per_node, b.pairs_per_node)),
            line("share of possible pairs", percent, (a.of_possible, b.of_possible)),
        ]
    lines += [
        Line(f"{one.kind}s with neighbours", number(a.with_neighbours), number(b.with_neighbours)),
        line(f"share of all {one.kind}s", percent, (a.share_with_neighbours, b.share_with_neighbours)),
    ]
    return Group(NAMES.get(one.name, one.name), lines)


def _recall(comparison: Comparison) -> Group:
    held = comparison.held_out
    a, b = held.recalls
    heading = (
        f"recall of {pluralize(held.likes, 'like')} of {pluralize(held.users, 'user')}, held out of "
        f"{held.reference}"
    )
    difference = [] if held.p is None else [Line("difference", "", p_value(held.p))]
    return Group(
        heading,
        [
            Line("users known", number(a.known), number(b.known)),
            Line("likes of known tracks", number(a.held_out_known), number(b.held_out_known)),
            Line(f"recall@{RECOMMENDED}", decimal(a.recall), decimal(b.recall)),
            Line("95% interval", _interval(a), _interval(b)),
            *difference,
            Line(
                f"recall@{RECOMMENDED} of users known to both",
                decimal(a.recall_of_both),
                decimal(b.recall_of_both),
            ),
        ],
    )


def _interval(recall: Recall) -> str:
    return "-" if recall.interval is None else " to ".join(map(decimal, recall.interval))


def _recovery(comparison: Comparison) -> list[Group]:
    groups = []
    for one in comparison.compared:
        if one.recovery is None:
            continue
        a, b = one.recovery
        lines = [
            Line("neighbours of the same community", percent(a.purity), percent(b.purity)),
            Line("the same by chance", percent(a.chance), percent(b.chance)),
            Line(f"{one.kind}s placed, of those of A or B", percent(a.placed), percent(b.placed)),
            Line("mutual information", decimal(a.information), decimal(b.information)),
        ]
        groups.append(Group(f"planted communities: {NAMES.get(one.name, one.name)}", lines))
    return groups
