"""Which rows readers take: those that are present, all of them, or those that were present at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage import schema
from sgr_spiders.storage.schema import RECORD_TABLES, Id
from sgr_spiders.storage.views import DISCOVERIES_HISTORY_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Condition = sa.ColumnElement[bool]

BEGAN = {
    "walks": "created_at",
    "walk_requests": "requested_at",
    "walk_pages": "fetched_at",
    "counter_history": "observed_at",
    "selections": "first_seen_at",
    "runs": "started_at",
    "source": "first_used_at",
    "configurations": "first_used_at",
    "seeds": "added_at",
    "relationship_runs": "finished_at",
    "vector_runs": "finished_at",
    "community_runs": "finished_at",
    "notices": "said_at",
    "lanes": "used_at",
    **{table.name: "first_seen_at" for table in schema.PRESENCE_TABLES},
}
"""The columns that say since when a row exists."""

FOLLOWING = ("track_mentions", "credited_artists", "run_seeds", "run_scope")
"""Tables without times, whose rows exist as long as those that their keys refer to."""


_OF_KINDS = {
    schema.communities: ("node_id", schema.RECORD_OF_NODE),
    schema.counter_history: ("record_id", {kind: kind for kind in RECORD_TABLES}),
}
"""The tables whose rows are about something of their ``kind``: the column of its ID, and its record."""


def _type_of(name: str) -> sa.types.TypeEngine[Any]:
    if name.endswith("_id"):
        return Id
    return sa.Integer() if name == "present" else sa.Text()


discoveries_history = sa.Table(
    "discoveries_history",
    sa.MetaData(),  # separate, because a view is not created like a table
    *(
        sa.Column(name, _type_of(name), comment=comment)
        for name, comment in DISCOVERIES_HISTORY_COLUMNS.items()
    ),
    comment="All that each seed and layer ever found, by the walk or selection",
)


@dataclass(frozen=True, slots=True)
class Extent:
    """The rows to take: by default those that are present.

    ``include_removed``: all rows; ``as_of``: those that were present at this time, as far as is known.
    """

    include_removed: bool = False
    as_of: str | None = None


PRESENT = Extent()


def is_known(table: sa.Table, extent: Extent) -> bool:
    """Return whether the database knows which rows of *table* belong to *extent*."""
    return extent.as_of is None or table.name in {*BEGAN, *FOLLOWING, "discoveries"} or is_pair_table(table)


def condition_of(table: sa.Table, extent: Extent) -> Condition | None:
    """Return the condition for the rows of *table* that belong to *extent*; ``None`` for all rows."""
    if extent.include_removed:
        return None
    if extent.as_of is not None:
        return _as_of(table, extent.as_of)
    if table in _OF_KINDS:
        return _all_of(list(_named_present(table, *_OF_KINDS[table])))
    if "removed_at" not in table.c:
        return _all_of([~column.in_(_removed_keys(target)) for column, target in _keys_of_records(table)])
    present = table.c.removed_at.is_(None)
    return sa.or_(present, *_named_by(table)) if table in RECORD_TABLES.values() else present


def is_pair_table(table: sa.Table) -> bool:
    """Return whether *table* is that of a relationship type, whichever project declares it."""
    return len(_keys_of_records(table)) == 2 and table.name not in schema.metadata.tables


def select_discoveries_as_of(moment: str) -> sa.Subquery:
    """Build the query for the rows of ``discoveries`` at a time, as far as is known."""
    history = discoveries_history.c
    began = sa.func.coalesce(history.requested_at, "") <= moment
    known = sa.or_(
        *(
            sa.and_(history.kind == kind, history.record_id.in_(_select_keys(table, moment)))
            for kind, table in RECORD_TABLES.items()
        )
    )
    query = sa.select(history.kind, history.record_id, history.seed_id, history.layer)
    return query.where(began, _remained(history.removed_at, moment), known).distinct().subquery("discoveries")


def _as_of(table: sa.Table, moment: str) -> Condition | None:
    conditions = []
    if table.name in BEGAN:
        conditions.append(sa.func.coalesce(table.c[BEGAN[table.name]], "") <= moment)
    if "removed_at" in table.c:
        conditions.append(_remained(table.c.removed_at, moment))
    for column, target in _keys(table):
        if is_known(target, Extent(as_of=moment)):
            conditions.append(column.in_(_select_keys(target, moment)))
    if table in _OF_KINDS:
        conditions += _named_as_of(table, moment, *_OF_KINDS[table])
    return _all_of(conditions)


def _remained(removed_at: sa.ColumnElement[Any], moment: str) -> Condition:
    return sa.or_(removed_at.is_(None), removed_at > moment)


def _select_keys(table: sa.Table, moment: str) -> sa.Select[Any]:
    query = sa.select(*table.primary_key.columns)
    condition = _as_of(table, moment)
    return query if condition is None else query.where(condition)


def _removed_keys(table: sa.Table) -> sa.Select[Any]:
    return sa.select(*table.primary_key.columns).where(table.c.removed_at.is_not(None))


def _named_present(table: sa.Table, column: str, kinds: Mapping[str, str]) -> Iterator[Condition]:
    """Yield the conditions that what a table of several kinds names in *column* is not removed."""
    for kind, record in kinds.items():
        yield sa.or_(table.c.kind != kind, ~table.c[column].in_(_removed_keys(RECORD_TABLES[record])))


def _named_as_of(table: sa.Table, moment: str, column: str, kinds: Mapping[str, str]) -> Iterator[Condition]:
    """Yield the conditions that what a table of several kinds names in *column* was present at a time."""
    for kind, record in kinds.items():
        yield sa.or_(table.c.kind != kind, table.c[column].in_(_select_keys(RECORD_TABLES[record], moment)))


def _named_by(table: sa.Table) -> Iterator[Condition]:
    """Yield the conditions that a row to be taken refers to a row of *table*, which may itself be removed."""
    (key,) = table.primary_key.columns
    for other in (*schema.PRESENCE_TABLES, schema.track_mentions):
        for column in other.columns:
            if column.references(key):
                taken = condition_of(other, PRESENT)
                named = sa.select(sa.literal(1)).where(column == key).correlate(table)
                yield sa.exists(named if taken is None else named.where(taken))


def _keys(table: sa.Table) -> list[tuple[sa.Column[Any], sa.Table]]:
    """Return the columns of the key of *table* that refer to other tables, with these tables."""
    columns = table.primary_key.columns
    return [(column, key.column.table) for column in columns for key in column.foreign_keys]


def _keys_of_records(table: sa.Table) -> list[tuple[sa.Column[Any], sa.Table]]:
    return [(column, target) for column, target in _keys(table) if target in RECORD_TABLES.values()]


def _all_of(conditions: list[Condition]) -> Condition | None:
    return sa.and_(*conditions) if conditions else None
