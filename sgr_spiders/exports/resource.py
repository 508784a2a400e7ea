"""The description of an exported file: path, format, and the meaning of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.storage.rows import WholeColumn, WholeTable

Kind = Literal["integer", "number", "boolean", "text", "bytes", "list"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of a purpose, and the function that writes it (``None`` for tables, which have one for all).

    ``is_default``: written if no formats are given.
    """

    meaning: str
    write: Callable[..., None] | None = None
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """A column. ``refers_to``: the path and the column of the file whose keys its values are."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    refers_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A file. ``rows``: rows of a table or edges of a graph; ``shape``: of an array or matrix."""

    path: str
    meaning: str
    rows: int | None = None
    fields: tuple[Field, ...] = ()
    key: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None

    @property
    def suffix(self) -> str:
        """The extension of the file name, e.g. ``csv``."""
        return self.path.rsplit(".", 1)[-1]


def describe_columns(table: WholeTable, names: Sequence[str], files: dict[str, str]) -> tuple[Field, ...]:
    """Describe columns of a database table; *files*: the file of each exported table."""
    return tuple(_field(column, files) for column in table.columns if column.name in names)


def _field(column: WholeColumn, files: dict[str, str]) -> Field:
    target = None
    if column.refers_to is not None and column.refers_to[0] in files:
        target = (files[column.refers_to[0]], column.refers_to[1])
    return Field(column.name, column.kind, column.meaning, column.required, target)


def write_format(chosen: Format, data: object, package: object) -> None:
    """Write *data* to *package* in a format that has a writer."""
    if chosen.write is None:
        raise ValueError(f"no writer: {chosen.meaning}")
    chosen.write(data, package)
