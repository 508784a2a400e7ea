"""The contents of ``manifest.json``: the origin of an export, and its files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sgr_spiders import __version__
from sgr_spiders.exports import provenance
from sgr_spiders.model.versions import package_versions
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import communities
from sgr_spiders.storage.figures.inventory import schema_version
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.pairs.builds import latest, latest_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.exports.package import PackedFile
    from sgr_spiders.storage.store import Connection

TOOL = "soundgraph-deep-harvest"


def origin(connection: Connection, database: str) -> dict[str, Any]:
    """Return the tool, the source of *database*, how it was made, and the builds of its relationships."""
    made = provenance.collect(connection).as_plain()
    newest = made["runs"][-1] if made["runs"] else None
    return {
        "tool": TOOL,
        "version": __version__,
        "packages": package_versions(),
        "database": database,
        "schema_version": schema_version(connection),
        "source": None if (known := source.read(connection)) is None else asdict(known),
        "run": newest and {name: newest[name] for name in RUN},
        **made,
        "relationships": describe_relationships(connection),
        "communities": {
            kind: asdict(grouped)
            for kind in communities.KINDS
            if (grouped := communities.latest(connection, kind)) is not None
        },
    }


def limit_to(origin: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    """Return the origin of an export as of an earlier time: what was missing then is not known."""
    made = [run for run in origin["runs"] if run["started_at"] <= as_of]
    return {
        **origin,
        "run": {name: made[-1][name] for name in RUN} if made else None,
        "runs": made,
        "is_complete": False,
        "completeness": None,
        "incomplete_because": ["the ledger is that of today"],
    }


def describe_relationships(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the newest build of each relationship table."""
    return {
        relationship.table.name: {
            **{name: getattr(built, name) for name in BUILT},
            "packages": latest_packages(connection, relationship.name),
        }
        for relationship in TYPES.values()
        if (built := latest(connection, relationship.name)) is not None
    }


RUN = ("run_id", "spider", "layers", "api_origin", "is_sandbox", "started_at", "finished_at", "outcome")
BUILT = ("algorithm", "parameters", "inputs", "rows", "finished_at")


def files(packed: Iterable[PackedFile]) -> list[dict[str, Any]]:
    """List the files with their size and checksum."""
    return [_describe_file(file) for file in packed]


def _describe_file(packed: PackedFile) -> dict[str, Any]:
    resource = packed.resource
    description: dict[str, Any] = {"path": resource.path, "meaning": resource.meaning}
    if resource.rows is not None:
        description["rows"] = resource.rows
    if resource.shape is not None:
        description["shape"] = list(resource.shape)
    return description | {"bytes": packed.bytes, "sha256": packed.sha256}
