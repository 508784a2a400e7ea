"""The source of a database: the API that it is filled from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import runs, source, walk_pages

if TYPE_CHECKING:
    from sgr_spiders.storage.ledger.runs import Run


@dataclass(frozen=True, slots=True)
class Source:
    """The row of ``source``. The ``world`` of a sandbox identifies it, whatever its port."""

    api_origin: str
    is_sandbox: bool
    world: str | None
    first_used_at: str

    def describe(self) -> str:
        """Return the source as text for messages."""
        return f"the sandbox ({self.world})" if self.is_sandbox else self.api_origin

    def covers(self, api_origin: str, world: str | None) -> bool:
        """Return whether the API at *api_origin*, a sandbox if its *world* is known, is this source."""
        if self.is_sandbox and world is not None:
            return world == self.world
        return api_origin == self.api_origin


def read(connection: sa.Connection) -> Source | None:
    """Return the source; ``None`` if no run has named it yet."""
    row = connection.execute(sa.select(source)).first()
    return None if row is None else Source(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def is_filled(connection: sa.Connection) -> bool:
    """Return whether the database holds anything of its source."""
    return connection.scalar(sa.select(sa.literal(1)).select_from(walk_pages).limit(1)) is not None


def adopt(connection: sa.Connection, api_origin: str, world: str | None) -> Source:
    """Make the API at *api_origin* the source, in place of any other."""
    adopted = Source(api_origin, world is not None, world, timestamp())
    connection.execute(sa.delete(source))
    connection.execute(
        sa.insert(source).values(
            api_origin=adopted.api_origin,
            is_sandbox=adopted.is_sandbox,
            world=adopted.world,
            first_used_at=adopted.first_used_at,
        )
    )
    return adopted


def move(connection: sa.Connection, api_origin: str) -> None:
    """Save the new origin of the same source."""
    connection.execute(sa.update(source).values(api_origin=api_origin))


def note_run(connection: sa.Connection, run: Run, api_origin: str, *, is_sandbox: bool) -> None:
    """Save the API that *run* crawls."""
    named = {"api_origin": api_origin, "is_sandbox": is_sandbox}
    connection.execute(sa.update(runs).where(runs.c.run_id == run.run_id).values(named))


def note_world(connection: sa.Connection, run: Run, world: str) -> None:
    """Save that the source, which *run* crawls, is the sandbox with this *world*."""
    connection.execute(sa.update(source).values(is_sandbox=True, world=world))
    connection.execute(sa.update(runs).where(runs.c.run_id == run.run_id).values(is_sandbox=True))


def has_answered(connection: sa.Connection, api_origin: str) -> bool:
    """Return whether an earlier run has sent requests to *api_origin* and found no sandbox there."""
    query = sa.select(sa.literal(1)).where(
        runs.c.api_origin == api_origin, sa.not_(runs.c.is_sandbox), runs.c.requests > 0
    )
    return connection.scalar(query.limit(1)) is not None
