"""The description of an export as a Frictionless Data Package 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.exports.columnar import CSV_NOTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.exports.package import PackedFile
    from sgr_spiders.exports.resource import Field, Resource

MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "npz": "application/zip",
    "txt": "text/plain",
    "gexf": "application/gexf+xml",
    "yaml": "application/yaml",
    "md": "text/markdown",
    "cff": "application/yaml",
}
UNKNOWN = "application/octet-stream"
TYPES = {"text": "string", "bytes": "string", "list": "array"}


def describe(
    purpose: str,
    rows: str,
    created_at: str | None,
    source: Mapping[str, Any] | None,
    packed: Iterable[PackedFile],
) -> dict[str, Any]:
    """Return the contents of ``datapackage.json``; *rows* and *source* are those of the manifest."""
    return {
        "profile": "data-package",
        "name": f"soundgraph-{purpose}",
        "title": f"SoundGraph Deep Harvest: {purpose}",
        "description": f"Rows: {rows}",
        **({} if created_at is None else {"created": created_at}),
        "sources": [_source(source)],
        "resources": [_describe_file(file) for file in packed],
    }


def _source(source: Mapping[str, Any] | None) -> dict[str, str]:
    if source is None:
        return {"title": "SoundCloud", "path": "https://soundcloud.com"}
    if source["is_sandbox"]:
        title = f"Sandbox of SoundGraph Deep Harvest, invented data ({source['world']})"
    else:
        title = "SoundCloud"
    return {"title": title, "path": source["api_origin"]}


def _describe_file(packed: PackedFile) -> dict[str, Any]:
    resource = packed.resource
    described: dict[str, Any] = {
        "name": _name(resource.path),
        "path": resource.path,
        "description": resource.meaning,
        "format": resource.suffix,
        "mediatype": MEDIA_TYPES.get(resource.suffix, UNKNOWN),
        "bytes": packed.bytes,
        "hash": f"sha256:{packed.sha256}",
    }
    if resource.suffix == "csv":
        described |= {"profile": "tabular-data-resource", "encoding": "utf-8"}
        if any(field.kind in TYPES for field in resource.fields):
            described["description"] = f"{resource.meaning}. {CSV_NOTE}"
    else:
        # In the standard only CSV is tabular, and Frictionless reads nulls among integers as NaN.
        described |= {"profile": "data-resource", "type": "file"}
    if resource.fields:
        described["schema"] = _schema(resource)
    return described


def _schema(resource: Resource) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(field) for field in resource.fields],
        "missingValues": [""],
    }
    if resource.key:
        schema["primaryKey"] = list(resource.key)
    references = [(field, field.refers_to) for field in resource.fields if field.refers_to is not None]
    if references:
        schema["foreignKeys"] = [
            {
                "fields": [field.name],
                "reference": {
                    # The standard uses an empty name for the file itself.
                    "resource": "" if path == resource.path else _name(path),
                    "fields": [column],
                },
            }
            for field, (path, column) in references
        ]
    return schema


def _field(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": TYPES.get(field.kind, field.kind)}
    if field.meaning:
        described["description"] = field.meaning
    if field.kind == "bytes":
        described["format"] = "binary"
    if field.required and field.kind != "text":
        # A required text may be empty, which CSV cannot distinguish from a missing one.
        described["constraints"] = {"required": True}
    return described


def _name(path: str) -> str:
    return path.lower()
