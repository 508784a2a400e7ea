"""Write a pair table as a file in the binary format of PostgreSQL's COPY, block by block.

Rows of one shape, with nulls in the same columns, follow each other like the elements of an array, so numpy
writes them at once
(https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


NULL_SIZE = -1


def write_copy_file(
    path: Path, table: sa.Table, blocks: Iterable[Sequence[NDArray[Any] | None]], nulls: Sequence[str] = ()
) -> None:
    """Write the rows in *blocks*, which are columns of *table* in its order, to a file at *path*.

    The columns *nulls* are ``None`` in each block.
    """
    names = list(table.columns.keys())
    row_type = _row_type(table, nulls)
    with path.open("wb") as file:
        file.write(HEADER)
        for columns in blocks:
            length = max(len(column) for column in columns if column is not None)
            rows = np.empty(length, row_type)
            rows["fields"] = len(names)
            for name, column in zip(names, columns, strict=True):
                if column is None:
                    rows[_size_of(name)] = NULL_SIZE
                    continue
                rows[name] = column
                rows[_size_of(name)] = row_type[name].itemsize
            file.write(rows.data)
        file.write(TRAILER)


def _row_type(table: sa.Table, nulls: Sequence[str]) -> np.dtype[Any]:
    fields = [("fields", ">i2")]
    for column in table.columns:
        fields.append((_size_of(column.name), ">i4"))
        if column.name not in nulls:
            fields.append((column.name, _form(column)))
    return np.dtype(fields)


def _form(column: sa.Column[Any]) -> str:
    match column.type:
        case sa.Boolean():
            return "?"
        case sa.Float():
            return ">f8"
        case _:
            return ">i8"


def _size_of(name: str) -> str:
    return f"bytes of {name}"
