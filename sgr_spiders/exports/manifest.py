"""What ``manifest.json`` says of an export: out of which data it was made, and each of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders import __version__
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage.figures.inventory import latest_runs, schema_version
from sgr_spiders.storage.pairs.builds import latest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.exports.package import Packed
    from sgr_spiders.storage.store import Connection

TOOL = "soundgraph-deep-harvest"


def origin(connection: Connection, database: str) -> dict[str, Any]:
    """Return what made the export, and of *database* its newest run and how it was related."""
    runs, _ = latest_runs(connection, 1)
    return {
        "tool": TOOL,
        "version": __version__,
        "database": database,
        "schema_version": schema_version(connection),
        "run": {name: getattr(runs[0], name) for name in RUN} if runs else None,
        "relationships": {
            relationship.table.name: {name: getattr(built, name) for name in BUILT}
            for relationship in TYPES.values()
            if (built := latest(connection, relationship.name)) is not None
        },
    }


RUN = ("run_id", "spider", "layers", "started_at", "finished_at", "outcome")
BUILT = ("parameters", "rows", "finished_at")


def files(packed: Iterable[Packed]) -> list[dict[str, Any]]:
    """List the files with their size and checksum."""
    return [_file(one) for one in packed]


def _file(packed: Packed) -> dict[str, Any]:
    resource = packed.resource
    told: dict[str, Any] = {"path": resource.path, "meaning": resource.meaning}
    if resource.rows is not None:
        told["rows"] = resource.rows
    if resource.shape is not None:
        told["shape"] = list(resource.shape)
    return told | {"bytes": packed.bytes, "sha256": packed.sha256}
