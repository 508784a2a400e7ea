"""Guards against lists without end, and against lists that end too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import Comment
from sgr_spiders.storage.schema import rejects, walk_pages, walk_records
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from sgr_spiders.model.items import Page

MAX_EMPTY_PAGES = 10
"""The number of pages in a row without a new record that ends a walk. At 200 items per page, only a
collection with 2,000 private items in a row would be truncated. Searches beyond offset 1,000 return empty
pages without end; a broken list returns the same items again and again, each time with another cursor."""

MAX_REPEATED = 2_000
"""The number of repeated items that ends a walk, beyond those that a list may repeat: as many as it has."""

MAX_SURPLUS = 10_000
"""The number of records that ends a walk, beyond ten times as many as the API promised. Real lists grow, and
their counters are late or wrong."""

MIN_BEFORE = 20
"""The number of records that a list must have had before a much shorter one is suspicious."""


def describe_early_end(state: sa.Row[Any], kept: int) -> str | None:
    """Return why the end of a list is not believed, else ``None``.

    It has less than half of the records it had at the last whole look, and the API's own counter has not
    fallen below these: a gateway may have cut the list. If it ends there again in a later run, it is.
    """
    before, expected = state.kept_before or 0, state.expected or 0
    if state.setbacks or before < MIN_BEFORE or expected < before or 2 * kept >= before or not kept:
        return None
    counts = f"{before:,} before, {expected:,} by the counter"
    return f"the list ends early: {pluralize(kept, 'record')}, {counts}"


def has_new_rejects(connection: sa.Connection, page: Page, state: sa.Row[Any]) -> bool:
    """Return whether the walk rejects an item of the page for the first time, by its ID or else its data."""
    wanted = {_identity(reject.record_id, reject.raw) for reject in page.rejects if reject.field is None}
    wanted.discard(None)
    if not wanted:
        return False
    rejected = sa.select(rejects.c.record_id, rejects.c.raw).where(
        rejects.c.walk_id == state.walk_id,
        rejects.c.generation == state.generation,
        rejects.c.field.is_(None),
    )
    return not wanted <= {_identity(*row) for row in connection.execute(rejected)}


def _identity(record_id: int | None, raw: bytes | None) -> int | bytes | None:
    """Return what tells a rejected item from others; ``None`` for a private one, of which nothing is kept."""
    return raw if record_id is None else record_id


def end_without_progress(connection: sa.Connection, state: sa.Row[Any]) -> dict[str, Any]:
    """Return how a walk ends after ``MAX_EMPTY_PAGES`` pages, the last one included, without a new record."""
    items = connection.scalar(
        sa.select(sa.func.sum(walk_pages.c.received)).where(
            walk_pages.c.walk_id == state.walk_id,
            walk_pages.c.generation == state.generation,
            walk_pages.c.page > state.pages - MAX_EMPTY_PAGES,
        )
    )
    if not items:
        return {"status": "capped", "reason": f"{MAX_EMPTY_PAGES} empty pages in a row"}
    return {
        "status": "failed",
        "reason": f"the list repeats: {MAX_EMPTY_PAGES} consecutive pages without a new record",
    }


def describe_surplus(connection: sa.Connection, state: sa.Row[Any], change: dict[str, Any]) -> str | None:
    """Return why a walk received so much more than the API promised that it would never end, else ``None``.

    An API that hides a counter may send 0, so 0 promises nothing.
    """
    received, kept, expected = change["received"], change["kept"], state.expected or 0
    if expected and kept > 10 * expected + MAX_SURPLUS:
        return f"the list does not end: {pluralize(kept, 'record')}, {expected:,} expected"
    if received - kept <= MAX_REPEATED + max(kept, expected):
        return None
    distinct = _count_distinct(connection, state, kept)
    if received - distinct <= MAX_REPEATED + max(distinct, expected):
        return None
    return f"the list repeats: {pluralize(received, 'item')} received, {distinct:,} distinct"


def _count_distinct(connection: sa.Connection, state: sa.Row[Any], kept: int) -> int:
    """Count the records of a walk, and the items it rejected, which may be repeated ones, too."""
    comments = sa.select(sa.func.count()).where(
        walk_records.c.walk_id == state.walk_id,
        walk_records.c.generation == state.generation,
        walk_records.c.kind == Comment.kind,
    )
    rejected = sa.select(sa.func.count()).where(
        rejects.c.walk_id == state.walk_id,
        rejects.c.generation == state.generation,
        rejects.c.field.is_(None),
    )
    return max(kept, connection.scalar(comments) or 0) + (connection.scalar(rejected) or 0)
