"""Rows on their way from one database into another: checked, cleaned and summed up."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage.rows import kind_of
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sgr_spiders.storage.rows import Kind

    Rows = Sequence[tuple[Any, ...]]
    Values = Sequence[Any]

ROWS_AT_A_TIME = 5_000
"""Rows in memory at once."""

NULL = type(None)

KINDS: dict[Kind, tuple[set[type], str]] = {
    "integer": ({int, NULL}, "an integer"),
    "number": ({float, NULL}, "a number"),
    "boolean": ({bool, int, NULL}, "0 or 1"),
    "text": ({str, NULL}, "text"),
    "bytes": ({bytes, NULL}, "bytes"),
}
"""The types of the drivers' values by kind of column, and their names in messages."""

REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]+")
_SURROGATES_AND_NUL = re.compile("[\ud800-\udfff]+|\0")


@dataclass(slots=True)
class Checksum:
    """The number of rows, and the sum of their hashes: the same in any order and in any database."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Rows) -> None:
        """Add *rows* as a ``Transfer`` yields them."""
        self.rows += len(rows)
        digests = (hashlib.blake2b(repr(row).encode(), digest_size=8).digest() for row in rows)
        self.total = (self.total + sum(map(int.from_bytes, digests))) % 2**64

    def __str__(self) -> str:
        return f"{self.total:016x}"


@dataclass(slots=True)
class Transfer:
    """The rows of *table* from the database *source*, as the target is to contain them.

    SQLite stores any value in any column, and text that is not Unicode. A value of another type is an error;
    characters that the target cannot store become U+FFFD.
    """

    table: sa.Table
    source: str
    to_server: bool
    """True for PostgreSQL, which stores no NUL characters, and integers of limited size."""
    replaced: Counter[str] = field(default_factory=Counter)
    """The values in which characters were replaced, by column."""

    def apply(self, batches: Iterable[Rows]) -> Iterator[Rows]:
        """Yield the rows, checked and cleaned."""
        for rows in batches:
            columns = zip(self.table.columns, zip(*rows, strict=True), strict=True)
            yield list(zip(*(self._convert(column, values, rows) for column, values in columns), strict=True))

    def _convert(self, column: sa.Column[Any], values: Values, rows: Rows) -> Values:
        kind = kind_of(column)
        fits = self._check_of(column, kind)
        if not fits(values):
            place = next(place for place, value in enumerate(values) if not fits([value]))
            raise StorageError(self._complain(column, kind, values[place], rows[place]))
        match kind:
            case "boolean":  # SQLite has 0 and 1
                return [None if value is None else bool(value) for value in values]
            case "number":  # SQLite has no -0.0
                return [None if value is None else value + 0.0 for value in values]
            case "text":
                return self._clean(column, values)
            case _:
                return values

    def _check_of(self, column: sa.Column[Any], kind: Kind) -> Callable[[Values], bool]:
        """Return the check that all values suit *column*."""
        types, _ = KINDS[kind]
        limit = 2 ** (_bits_of(column.type) - 1)

        def fits(values: Values) -> bool:
            if not types.issuperset(map(type, values)):
                return False
            known = [value for value in values if value is not None]
            match kind:
                case "integer" if self.to_server and known:
                    return bool(-limit <= min(known) and max(known) < limit)
                case "boolean":
                    return {0, 1}.issuperset(known)
                case "number":  # SQLite would store NaN as null
                    return all(value == value for value in known)  # noqa: PLR0124 - NaN differs from itself
                case _:
                    return True

        return fits

    def _complain(self, column: sa.Column[Any], kind: Kind, value: object, row: tuple[Any, ...]) -> str:
        key = ", ".join(
            f"{known.name} {quote_value(part)}"
            for known, part in zip(self.table.columns, row, strict=True)
            if known.primary_key
        )
        demand = KINDS[kind][1]
        if kind == "integer" and isinstance(value, int):
            demand = f"{demand} of {_bits_of(column.type)} bits"
        return (
            f"database {self.source}: {self.table.name}.{column.name} is not {demand} where {key}: "
            f"{quote_value(value)}; correct it by hand"
        )

    def _clean(self, column: sa.Column[Any], values: Values) -> Values:
        text = "".join(value for value in values if value is not None)
        unwanted = _SURROGATES_AND_NUL if self.to_server else _SURROGATES
        if text.isprintable() or unwanted.search(text) is None:
            return values
        cleaned = [None if value is None else unwanted.sub(REPLACEMENT, value) for value in values]
        changed = sum(old != new for old, new in zip(values, cleaned, strict=True))
        self.replaced[f"{self.table.name}.{column.name}"] += changed
        return cleaned


def _bits_of(kind: sa.types.TypeEngine[Any]) -> int:
    """Return the size of PostgreSQL's integers of this type."""
    if isinstance(kind, sa.SmallInteger):
        return 16
    return 32 if isinstance(kind, sa.Integer) and not isinstance(kind, sa.BigInteger) else 64
