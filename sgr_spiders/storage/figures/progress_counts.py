"""How far the walks of a run are, counted in one pass over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.ledger.frontier import WANTED_NOW
from sgr_spiders.storage.schema import run_scope, run_seeds, walk_requests, walks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sgr_spiders.storage.ledger.runs import Run

WAITING = ("planned", "running")
"""Statuses of walks that have not ended."""

_ROLES = 4
"""What a walk is to a layer: 0 nothing, 1 wanted, 2 wanted and shown to it, 3 both, for two steps. The
roles for all layers are the digits of one number, so that walks can be grouped by it."""


@dataclass(frozen=True, slots=True)
class WalkGroup:
    """Walks of a run that are alike: one endpoint, one status, wanted by the same layers.

    ``layers`` want them. ``shown_to`` are those among them that see the records one by one, and may ask
    for further walks then. ``pages`` were spilled so far. ``foreseen`` counts the waiting walks of which
    the API said how many records they hold; ``foreseen_pages`` is how many pages these still need.
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
    def waiting(self) -> bool:
        return self.status in WAITING


class WalkCounter:
    """Counts the walks that a run wants. The query is built once, as it is asked again and again."""

    def __init__(self, expanding_steps: Mapping[str, Collection[str]], page_sizes: Mapping[str, int]) -> None:
        """*expanding_steps* names the steps whose records each layer is shown, *page_sizes* how many
        records a page of an endpoint holds at the most.
        """
        self._layers = list(expanding_steps)
        wanted = _wanted(expanding_steps)
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
        """Count the walks of *run* as they are now."""
        rows = connection.execute(self._query, {"run_id": run.run_id})
        return [
            WalkGroup(endpoint, status, *_read_roles(int(roles), self._layers), *map(int, counts))
            for roles, endpoint, status, *counts in rows
        ]


def _wanted(expanding_steps: Mapping[str, Collection[str]]) -> sa.Subquery:
    """Each walk that the run wants, once, with its largest cap and its roles."""
    run_id: sa.BindParameter[int] = sa.bindparam("run_id")
    # Asked like this, and not with a join, SQLite goes through the requests in the order of their key and
    # need not sort them.
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
    # What looks up the address of a seed is wanted by no layer.
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
    """Give who wants the walks, and to whom their records are shown."""
    digits = {layer: roles // _ROLES**number % _ROLES for number, layer in enumerate(layers)}
    wanting = frozenset(layer for layer, role in digits.items() if role)
    return wanting, frozenset(layer for layer in wanting if digits[layer] > 1)


def _pages_left(cap: sa.ColumnElement[int], page_sizes: Mapping[str, int]) -> sa.Case[int | None]:
    """Pages that a walk still needs, one at least; null if it has ended, or if no number was promised."""
    size = sa.case(page_sizes, value=walks.c.endpoint, else_=1)
    records = sa.case((walks.c.expected < cap, walks.c.expected), else_=cap) - walks.c.received
    pages = sa.case((records > size, (records + size - 1) // size), else_=1)
    return sa.case((sa.and_(walks.c.status.in_(WAITING), walks.c.expected.is_not(None)), pages))
