"""The log of relationship builds, in ``relationship_runs``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.versions import package_versions
from sgr_spiders.storage.schema import relationship_runs, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class BuiltRelationship:
    """The parameters, inputs and timing of one build of a relationship table."""

    type: str
    parameters: Mapping[str, Any]
    stamp: str
    fingerprint: str
    inputs: Mapping[str, int]
    rows: int
    seconds: Mapping[str, float]
    started_at: str
    finished_at: str
    algorithm: str | None = None


def latest(connection: sa.Connection, type_name: str) -> BuiltRelationship | None:
    """Return the newest entry of a type, which describes its current table."""
    query = (
        sa.select(*(relationship_runs.c[name] for name in BuiltRelationship.__dataclass_fields__))
        .where(relationship_runs.c.type == type_name)
        .order_by(relationship_runs.c.relationship_run_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    for name in ("parameters", "inputs", "seconds"):
        values[name] = json.loads(values[name])
    return BuiltRelationship(**values)


def enter(connection: sa.Connection, built: BuiltRelationship) -> None:
    """Record a build, in the transaction that publishes its table."""
    values = {name: getattr(built, name) for name in BuiltRelationship.__dataclass_fields__}
    for name in ("parameters", "inputs", "seconds"):
        values[name] = json.dumps(values[name], sort_keys=True)
    latest_crawl = sa.select(sa.func.max(runs.c.run_id))
    packages = json.dumps(package_versions())
    connection.execute(
        sa.insert(relationship_runs).values(
            run_id=latest_crawl.scalar_subquery(), packages=packages, **values
        )
    )


def latest_packages(connection: sa.Connection, type_name: str) -> dict[str, str | None] | None:
    """Return the versions of the packages of the newest build; ``None`` if that is not known."""
    query = (
        sa.select(relationship_runs.c.packages)
        .where(relationship_runs.c.type == type_name)
        .order_by(relationship_runs.c.relationship_run_id.desc())
        .limit(1)
    )
    packages = connection.scalar(query)
    return None if packages is None else json.loads(packages)


def renew_stamp(connection: sa.Connection, type_name: str, stamp: str) -> None:
    """Record that later changes to the database did not affect the type's input."""
    newest = sa.select(sa.func.max(relationship_runs.c.relationship_run_id)).where(
        relationship_runs.c.type == type_name
    )
    connection.execute(
        sa.update(relationship_runs)
        .where(relationship_runs.c.relationship_run_id == newest.scalar_subquery())
        .values(stamp=stamp)
    )
