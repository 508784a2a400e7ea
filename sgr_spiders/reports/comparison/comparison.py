"""Compare two sides: all figures, computed from snapshots of their databases."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.embeddings.similar import WALK
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import choose_types
from sgr_spiders.reports.comparison import held_out
from sgr_spiders.reports.comparison.agreement import compare_neighbours
from sgr_spiders.reports.comparison.neighbours import reached, related
from sgr_spiders.reports.comparison.planted import recover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.reports.comparison.agreement import Agreement
    from sgr_spiders.reports.comparison.held_out import Recall
    from sgr_spiders.reports.comparison.neighbours import Neighbours
    from sgr_spiders.reports.comparison.planted import Planted, Recovery
    from sgr_spiders.reports.comparison.sides import About, Side


@dataclass(frozen=True, slots=True)
class Density:
    """The neighbours of one side. *nodes*: the records that are present.

    *pairs*: the related pairs; ``None`` of walks, of which only the nearest are found. *limited*: whether
    there are more, which `max_pairs` or the free space leaves out. *with_neighbours*: the nodes that
    have any.
    """

    nodes: int
    pairs: int | None
    limited: bool
    with_neighbours: int

    @property
    def pairs_per_node(self) -> float | None:
        return None if self.pairs is None or not self.nodes else self.pairs / self.nodes

    @property
    def of_possible(self) -> float | None:
        """The pairs, divided by all pairs of two nodes."""
        possible = self.nodes * (self.nodes - 1) // 2
        return None if self.pairs is None or not possible else self.pairs / possible

    @property
    def share_with_neighbours(self) -> float | None:
        return self.with_neighbours / self.nodes if self.nodes else None


@dataclass(frozen=True, slots=True)
class Compared:
    """One way to find neighbours, on both sides: a relationship type, or ``WALK``.

    *kind*: of the nodes. *recovery*: ``None`` if no communities were planted.
    """

    name: str
    kind: str
    densities: tuple[Density, Density]
    agreement: Agreement
    recovery: tuple[Recovery, Recovery] | None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out likes of the *reference*, what each side recalls of them, and whether that differs."""

    reference: str
    users: int
    likes: int
    recalls: tuple[Recall, ...]
    p: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and all figures about them."""

    sides: tuple[About, About]
    compared: Sequence[Compared]
    held_out: HeldOut


def compare(
    sides: tuple[Side, Side],
    config: HarvestConfig,
    reference: Side,
    planted: tuple[Mapping[str, Planted], Mapping[str, Planted]],
) -> Comparison:
    """Compare two sides.

    Args:
        sides: A and B.
        config: names the relationship types.
        reference: the side, or a third one, whose likes are held out.
        planted: for each side, the planted communities of tracks, users and artists; empty if there are none.
    """
    compared = []
    with tempfile.TemporaryDirectory(prefix="comparing-") as directory:
        for name in (*(relationship.name for relationship in choose_types(config)), WALK):
            near = [_find(name, side, config, Path(directory)) for side in sides]
            compared.append(_compare(name, sides, near, planted))
    about = sides[0].describe(), sides[1].describe()
    return Comparison(about, compared, _hold_out(sides, reference))


def _find(name: str, side: Side, config: HarvestConfig, directory: Path) -> Neighbours:
    if name == WALK:
        return reached(side)
    relationship = next(choose_types(config, [name]))
    return related(side, relationship, directory)


def kind_of(name: str) -> str:
    """Return the kind of the nodes."""
    return "track" if name == WALK else TYPES[name].table.node.removesuffix("_id")


def _compare(
    name: str,
    sides: tuple[Side, Side],
    near: Sequence[Neighbours],
    planted: tuple[Mapping[str, Planted], Mapping[str, Planted]],
) -> Compared:
    kind = kind_of(name)
    of_a, of_b = (side.ids(kind) for side in sides)
    densities = [
        Density(len(ids), found.pairs, found.limited, found.count(ids))
        for found, ids in zip(near, (of_a, of_b), strict=True)
    ]
    recovered = None
    if all(kind in communities for communities in planted):
        either = np.union1d(of_a, of_b)
        recovered = [
            recover(found, communities[kind], ids, either)
            for found, communities, ids in zip(near, planted, (of_a, of_b), strict=True)
        ]
    return Compared(
        name,
        kind,
        (densities[0], densities[1]),
        compare_neighbours(near[0], near[1], np.intersect1d(of_a, of_b, assume_unique=True)),
        None if recovered is None else (recovered[0], recovered[1]),
    )


def choose_reference(sides: tuple[Side, Side]) -> Side:
    """Return the side with more likes in libraries that count; B if both have the same number."""
    a, b = (len(side.inputs.likes.incidence.contexts) for side in sides)
    return sides[0] if a > b else sides[1]


def _hold_out(sides: tuple[Side, Side], reference: Side) -> HeldOut:
    seeds = np.unique(np.concatenate([side.seed_tracks for side in (*sides, reference)]))
    trial = held_out.hold_out(reference, seeds)
    found = held_out.measure(trial, sides)
    return HeldOut(reference.name, len(trial.tested), len(trial.users), found.sides, found.p)
