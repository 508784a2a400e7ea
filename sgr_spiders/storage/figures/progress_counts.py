"""The progress of a run: its walks, counted in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.ledger.frontier import WANTED_NOW
from sgr_spiders.storage.schema import run_scope, run_seeds, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sgr_spiders.storage.ledger.runs import Run

PENDING = ("planned", "running")
"""Statuses of walks that have not ended."""

_ROLES = 4
"""The roles of a walk for a layer: 0 not wanted, 1 wanted, 2 wanted and shown to it, 3 both (for two steps).
The roles for all layers are the digits of one integer, which walks are grouped by."""


@dataclass(frozen=True, slots=True)
class WalkGroup:
    """Walks of a run with the same endpoint and status that the same layers want.

    Attributes:
        layers: The layers that want the walks.
        shown_to: Those layers that see the records one by one, and may request further walks for them.
        walks: The number of walks.
        pages: The pages spilled so far.
        foreseen: The pending walks whose number of records is known from the API.
        foreseen_pages: The pages that these still need.
    """

    endpoint: str
    status: str
    layers: frozenset[str]
    shown_to: frozenset[str]
    walks: int
    pages: int = 0
    foreseen: int = 0
    foreseen_pages: int = 0

    @property
    def pending(self) -> bool:
        return self.status in PENDING


class WalkCounter:
    """Counts the walks that a run wants. The query is built once, because it is executed often."""

    def __init__(self, expanding_steps: Mapping[str, Collection[str]], page_sizes: Mapping[str, int]) -> None:
        """Build the query.

        Args:
            expanding_steps: The steps of each layer whose records are shown to it.
            page_sizes: The largest number of records on a page of each endpoint.
        """
        self._layers = list(expanding_steps)
        wanted = _select_wanted(expanding_steps)
        pages_left = _pages_left(wanted.c.cap, page_sizes)
        self._query = (
            sa.select(
                wanted.c.roles,
                walks.c.endpoint,
                walks.c.status,
                sa.func.count(),
                sa.func.sum(walks.c.pages),
                sa.func.count(pages_left),
                sa.func.coalesce(sa.func.sum(pages_left), 0),
            )
            .join(wanted, wanted.c.walk_id == walks.c.walk_id)
            .group_by(wanted.c.roles, walks.c.endpoint, walks.c.status)
        )

    def count(self, connection: sa.Connection, run: Run) -> list[WalkGroup]:
        """Count the walks of *run*."""
        rows = connection.execute(self._query, {"run_id": run.run_id})
        return [
            WalkGroup(endpoint, status, *_read_roles(int(roles), self._layers), *map(int, counts))
            for roles, endpoint, status, *counts in rows
        ]


def _select_wanted(expanding_steps: Mapping[str, Collection[str]]) -> sa.Subquery:
    """Build the query for each walk that the run wants, with its largest cap and its roles."""
    run_id: sa.BindParameter[int] = sa.bindparam("run_id")
    # With EXISTS instead of a join, SQLite scans the requests in key order and need not sort them.
    in_scope = sa.exists().where(WANTED_NOW, run_scope.c.run_id == run_id)
    by_layers = (
        sa.select(
            walk_requests.c.walk_id,
            sa.func.max(walk_requests.c.cap).label("cap"),
            sa.func.sum(sa.distinct(_role(expanding_steps))).label("roles"),
        )
        .where(in_scope)
        .group_by(walk_requests.c.walk_id)
    )
    # No layer wants the walks that look up the URL of a seed.
    by_seeds = (
        sa.select(run_seeds.c.walk_id, sa.literal(1), sa.literal(0))
        .where(run_seeds.c.run_id == run_id)
        .where(~sa.exists().where(walk_requests.c.walk_id == run_seeds.c.walk_id, in_scope))
        .distinct()
    )
    return sa.union_all(by_layers, by_seeds).subquery()


def _role(expanding_steps: Mapping[str, Collection[str]]) -> sa.Case[int]:
    roles = {
        layer: sa.case((walk_requests.c.step.in_(sorted(steps)), 2 * _ROLES**number), else_=_ROLES**number)
        for number, (layer, steps) in enumerate(expanding_steps.items())
    }
    return sa.case(roles, value=walk_requests.c.layer, else_=0)


def _read_roles(roles: int, layers: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the layers that want the walks, and the layers that their records are shown to."""
    digits = {layer: roles // _ROLES**number % _ROLES for number, layer in enumerate(layers)}
    wanting = frozenset(layer for layer, role in digits.items() if role)
    return wanting, frozenset(layer for layer in wanting if digits[layer] > 1)


def _pages_left(cap: sa.ColumnElement[int], page_sizes: Mapping[str, int]) -> sa.Case[int | None]:
    """Return the pages that a walk still needs, at least 1; null if it has ended or its size is unknown."""
    size = sa.case(page_sizes, value=walks.c.endpoint, else_=1)
    records = sa.case((walks.c.expected < cap, walks.c.expected), else_=cap) - walks.c.received
    pages = sa.case((records > size, (records + size - 1) // size), else_=1)
    return sa.case((sa.and_(walks.c.status.in_(PENDING), walks.c.expected.is_not(None)), pages))
