"""Titles, names and addresses beside IDs, in tables and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import list_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.labels import Label

COLUMNS = {
    "track": ("title", "artist", "url"),
    "playlist": ("title", "owner", "url"),
    "user": ("name", "url"),
    "artist": ("name", "url"),
}
"""The last columns of a table of records, by kind."""

OWNERS = {"track": "artist", "playlist": "owner"}
"""The word for the user who has uploaded or made a record, by kind."""

LONGEST_CELL = 40
"""Characters of a title or name in a table."""


def as_json(label: Label) -> dict[str, Any]:
    """Return the title or name, the artist or owner, and the address, as docs/names.md describes them."""
    word = OWNERS.get(label.kind)
    if word is None:
        return {"name": label.name, "permalink_url": label.permalink_url}
    owner = {f"{word}_id": label.owner_id, word: label.owner}
    return {"title": label.name, **owner, "permalink_url": label.permalink_url}


def render_table(
    kind: str, head: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], labels: Mapping[int, Label]
) -> list[str]:
    """Return the lines of a table of records: IDs and other cells, then titles, names and addresses."""
    return [line for lines in render_rows(kind, head, rows, labels) for line in lines]


def render_rows(
    kind: str, head: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], labels: Mapping[int, Label]
) -> list[list[str]]:
    """Return the lines of the head and of each row of a table of records."""
    columns = COLUMNS[kind]
    cells = [[str(record_id), *others, *as_cells(kind, labels.get(record_id))] for record_id, others in rows]
    return list_rows([["id", *head, *columns], *cells], texts=len(columns))


def as_cells(kind: str, label: Label | None) -> list[str]:
    """Return the last cells of the row of a record."""
    has_owner = kind in OWNERS
    name = describe_name(kind, label.name if label else None)
    page = label.permalink_url if label else None
    owner = label.owner if label else None
    return [
        _shorten(name),
        *([_shorten("-" if owner is None else for_message(owner))] if has_owner else []),
        "-" if page is None else for_message(page),
    ]


def describe(label: Label) -> str:
    """Return the title and artist, or the name, of a record in a sentence."""
    name = describe_name(label.kind, label.name)
    return name if label.owner is None else f"{name} by {for_message(label.owner)}"


def describe_record(kind: str, record_id: int, label: Label) -> str:
    """Return kind, ID and name of a record in a sentence."""
    name = describe(label)
    return f"{kind} {record_id} {name if label.name is None else f'({name})'}"


def describe_name(kind: str, name: str | None) -> str:
    """Return a title or name, safe for a terminal, or say that it is not known."""
    word = "title" if kind in OWNERS else "name"
    return f"(no {word} known)" if name is None else for_message(name)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 3]}..."
