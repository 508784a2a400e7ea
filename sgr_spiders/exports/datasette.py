"""The files that let Datasette describe a snapshot: 0.65 reads the first, 1.0 reads both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from sgr_spiders.storage.snapshots.questions import QUESTIONS, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sgr_spiders.storage.rows import WholeColumn, WholeTable

LABELS: Final = {"tracks": "title", "users": "username", "playlists": "title", "comments": "body"}
"""The column that names a row where another table refers to it."""
FACETS: Final = {
    "tracks": ("genre", "access"),
    "users": ("country",),
    "playlists": ("playlist_type", "genre"),
    "engagements": ("kind",),
    "track_mentions": ("kind",),
    "discoveries": ("layer", "kind", "seed_id"),
    "libraries": ("library",),
    "walks": ("status", "endpoint"),
    "rejects": ("reason",),
    "present_tracks": ("genre",),
}
"""The columns with few different values."""
UNITS: Final = {"ms": "ms", "seconds": "s", "bytes": "byte"}
"""Units by the last word of a column's name."""

_LINK: Final = re.compile(r"\[([^]]*)\]\([^)]*\)")
"""A link in Markdown, which Datasette would show as it is."""


def files_beside(file: Path) -> tuple[Path, Path]:
    """Return the paths of the files for the snapshot *file*: its metadata and its configuration."""
    return file.with_name(f"{file.stem}.metadata.yml"), file.with_name(f"{file.stem}.datasette.yml")


def build_metadata(name: str, tables: Iterable[WholeTable], about: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of the database *name*; Datasette 1.0 ignores the queries in it."""
    described = _describe_tables(tables)
    settings = _settings(described)
    whole = {
        table: {**content, **settings.get(table, {})} for table, content in described.items()
    } | _describe_views(described)
    return {**about, "databases": {name: {**about, "tables": whole, "queries": _queries()}}}


def build_configuration(name: str, tables: Iterable[WholeTable]) -> dict[str, Any]:
    """Return the configuration of the database *name* for Datasette 1.0."""
    described = _describe_tables(tables)
    return {"databases": {name: {"tables": _settings(described), "queries": _queries()}}}


def dump(document: Mapping[str, Any]) -> bytes:
    """Return YAML."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100).encode()


def _describe_tables(tables: Iterable[WholeTable]) -> dict[str, Any]:
    # SQLAlchemy's names are of a class of its own, which YAML refuses.
    return {str(table.name): _describe(table) for table in tables}


def _describe(table: WholeTable) -> dict[str, Any]:
    columns = {str(column.name): _plain(column.meaning) for column in table.columns}
    described: dict[str, Any] = {"description": _plain(table.meaning), "columns": columns}
    units = {str(column.name): unit for column in table.columns if (unit := _unit_of(column)) is not None}
    return {**described, "units": units} if units else described


def _describe_views(described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        view.name: {"description": _plain(view.meaning), "facets": list(FACETS[view.name])}
        if view.name in FACETS
        else {"description": _plain(view.meaning)}
        for view in VIEWS
        if view.tables <= described.keys()
    }


def _settings(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels and facets of the tables."""
    found: dict[str, Any] = {}
    for name, table in described.items():
        facets = [column for column in FACETS.get(name, ()) if column in table["columns"]]
        settings = {"label_column": LABELS.get(name), "facets": facets}
        if chosen := {key: value for key, value in settings.items() if value}:
            found[name] = chosen
    return found


def _queries() -> dict[str, Any]:
    return {
        question.name: {"title": question.title, "description": question.meaning, "sql": question.sql}
        for question in QUESTIONS
    }


def _unit_of(column: WholeColumn) -> str | None:
    is_number = column.kind in {"integer", "number"}
    return UNITS.get(column.name.rpartition("_")[2]) if is_number else None


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("`", "")
