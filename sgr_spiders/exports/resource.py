"""What an exported file is, for those who read it: its place, its format, and the meaning of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.rows import WholeColumn, WholeTable

Kind = Literal["integer", "number", "boolean", "text", "bytes", "list"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column. ``refers_to``: the path of the file and the column in it whose keys its values are."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    refers_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A file. ``rows``: of a table, edges of a graph; ``shape``: of an array or a matrix."""

    path: str
    meaning: str
    rows: int | None = None
    fields: tuple[Field, ...] = ()
    key: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None

    @property
    def suffix(self) -> str:
        """What the file's name ends with, e.g. ``csv``."""
        return self.path.rsplit(".", 1)[-1]


def fields_of(table: WholeTable, names: Sequence[str], files: dict[str, str]) -> tuple[Field, ...]:
    """Describe columns of a table of the database; *files*: in which file each exported table is."""
    return tuple(_field(column, files) for column in table.columns if column.name in names)


def _field(column: WholeColumn, files: dict[str, str]) -> Field:
    target = None
    if column.refers_to is not None and column.refers_to[0] in files:
        target = (files[column.refers_to[0]], column.refers_to[1])
    return Field(column.name, column.kind, column.meaning, column.required, target)
