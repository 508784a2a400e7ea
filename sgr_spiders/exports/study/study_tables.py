"""The tables of a study, in clear or with pseudonyms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from sgr_spiders.exports.columnar import build_schema, build_table, write_parts
from sgr_spiders.exports.resource import Field, Resource, describe_columns
from sgr_spiders.exports.study.coarsening import COARSENED, FEWEST, KINDS, choose_common
from sgr_spiders.exports.tables import RAW, list_tables, redact_secrets
from sgr_spiders.storage.figures.cells import HOLDERS, count_cells, read_removed
from sgr_spiders.storage.personal import Content, contents_of
from sgr_spiders.storage.rows import read_columns
from sgr_spiders.storage.schema import RECORD_OF_NODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sgr_spiders.exports.package import Package
    from sgr_spiders.exports.study.pseudonyms import Pseudonyms
    from sgr_spiders.storage.rows import WholeTable
    from sgr_spiders.storage.store import Connection

LEFT_OUT: Final = {
    # The ledger: `libraries` and the manifest say what was looked at.
    *("walks", "walk_requests", "walk_records", "walk_pages", "selections", "cuts", "rejects"),
    *("playlist_leftovers", "plans", "workers", "seeds", "notices", "lanes"),
    # In the manifest.
    *("runs", "run_seeds", "run_scope", "configurations", "source", "relationship_runs", "community_runs"),
    # Only for databases.
    *("raw_dictionaries", "pseudonym_key"),
    # Learned from the likes of people, and made again from the other tables.
    *("vector_runs", "track_vectors", "user_vectors", "artist_vectors"),
}
"""The tables that a study does not contain."""

ONLY_IN_CLEAR: Final = {"counter_history"}
"""The tables that a study with pseudonyms does not contain, either.

When a counter changed, and by how much, tells which record of SoundCloud a pseudonym is.
"""

UNKNOWN_KIND: Final = "kind"
"""The column that says what kind of record a row names."""


@dataclass(frozen=True, slots=True)
class StudyColumn:
    """A column of a study: its ``field``, the column that it is ``read`` from, and how its values change."""

    field: Field
    read: str
    kind: str | None
    """The kind of record that it names; ``None``: no record, or that in the column ``kind``."""
    names_records: bool
    change: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A table of a study."""

    table: WholeTable
    columns: tuple[StudyColumn, ...]

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(column.field for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key's columns; none if one of them is left out."""
        names = {column.read: column.field.name for column in self.columns}
        return tuple(names[name] for name in self.table.key) if set(self.table.key) <= names.keys() else ()


class StudyTables:
    """The tables of one study; without *pseudonyms*, in clear."""

    def __init__(self, connection: Connection, pseudonyms: Pseudonyms | None) -> None:
        self._connection = connection
        self._pseudonyms = pseudonyms
        self._removed = read_removed(connection)
        self.left_out = LEFT_OUT if pseudonyms is None else LEFT_OUT | ONLY_IN_CLEAR

    def write(self, package: Package, suffix: str) -> dict[str, int]:
        """Write all tables as files with this *suffix*; return the numbers of rows."""
        chosen = [table for table in list_tables(self._connection) if table.name not in self.left_out]
        files = {table.name: f"{table.name}.{suffix}" for table in chosen}
        counts = {}
        for table in chosen:
            described = self._describe(table, files)
            schema = build_schema(described.fields)
            path = files[table.name]
            counts[table.name] = write_parts(package.path(path), schema, self._parts(described, schema))
            package.add(Resource(path, table.meaning, counts[table.name], described.fields, described.key))
        return counts

    # ---- columns

    def _describe(self, table: WholeTable, files: dict[str, str]) -> StudyTable:
        contents = contents_of(table)
        fields = describe_columns(
            table, [column.name for column in table.columns if column.name != RAW], files
        )
        columns = [
            column
            for field in fields
            if (column := self._column(table, field, contents[field.name])) is not None
        ]
        return StudyTable(table, tuple(columns))

    def _column(self, table: WholeTable, field: Field, content: Content | None) -> StudyColumn | None:
        if content is Content.PRESENCE:
            return None  # all rows are present
        kind, names_records = KINDS.get(content) if content else None, content in {*KINDS, Content.RECORD}
        if names_records and field.name not in table.key:
            field = replace(field, required=False)
        plain = StudyColumn(field, field.name, kind, names_records, None)
        if self._pseudonyms is None:
            return plain
        if names_records:
            meaning = f"{field.meaning}; a pseudonym"
            return replace(plain, field=replace(field, kind="text", meaning=meaning))
        if content is Content.VALUE:
            return self._common_values(table, plain)
        if content not in COARSENED:
            return None
        word, change, note = COARSENED[content]
        name = f"{field.name.removesuffix('_at')}_{word}" if word else field.name
        meaning = f"{field.meaning}; {note}" if note else field.meaning
        return replace(plain, field=replace(field, name=name, meaning=meaning), change=change)

    def _common_values(self, table: WholeTable, column: StudyColumn) -> StudyColumn | None:
        if table.name not in HOLDERS:
            return None
        common = choose_common(count_cells(self._connection, table.name, [column.read]))
        meaning = f"{column.field.meaning}; null if fewer than {FEWEST} accounts have it"
        return replace(
            column,
            field=replace(column.field, meaning=meaning),
            change=lambda value: value if (value,) in common else None,
        )

    # ---- rows

    def _parts(self, table: StudyTable, schema: pa.Schema) -> Iterator[pa.Table]:
        parts = (build_table(columns, schema) for columns in self._rows(table))
        if self._pseudonyms is None:
            yield from map(redact_secrets, parts)
            return
        # The order of rows would tell the order of IDs.
        whole = pa.concat_tables([schema.empty_table(), *parts])
        order = table.key or schema.names
        yield whole.sort_by([(name, "ascending") for name in order])

    def _rows(self, table: StudyTable) -> Iterator[list[Sequence[Any]]]:
        """Yield the columns of the rows that name no removed record, in batches."""
        names = [column.read for column in table.columns]
        extra = [UNKNOWN_KIND] if UNKNOWN_KIND not in names and self._has_kinds(table) else []
        for read in read_columns(self._connection, table.table, [*names, *extra]):
            by_name = dict(zip([*names, *extra], read, strict=True))
            kept = self._find_kept(table, by_name)
            by_name = {name: list(compress(values, kept)) for name, values in by_name.items()}
            changed = {column.read: self._change(table, column, by_name) for column in table.columns}
            yield list(_turn_pairs(changed).values() if self._pseudonyms else changed.values())

    def _has_kinds(self, table: StudyTable) -> bool:
        return any(column.names_records and column.kind is None for column in table.columns)

    def _find_kept(self, table: StudyTable, values: Mapping[str, Sequence[Any]]) -> list[bool]:
        """Return which rows remain: those whose key names no removed record."""
        kept = [True] * len(next(iter(values.values())))
        for column in table.columns:
            if column.names_records and column.read in table.table.key:
                kinds = _kinds(column, values)
                there = (
                    record not in self._removed.get(kind, ())
                    for kind, record in zip(kinds, values[column.read], strict=True)
                )
                kept = [known and is_there for known, is_there in zip(kept, there, strict=True)]
        return kept

    def _change(
        self, table: StudyTable, column: StudyColumn, values: Mapping[str, Sequence[Any]]
    ) -> Sequence[Any]:
        read = values[column.read]
        if column.names_records:
            kinds = _kinds(column, values)
            return [self._name(kind, record) for kind, record in zip(kinds, read, strict=True)]
        return read if column.change is None else list(map(column.change, read))

    def _name(self, kind: str, record: int | None) -> int | str | None:
        """Return how a record is named: not at all if it is removed."""
        if record is None or record in self._removed.get(kind, ()):
            return None
        return record if self._pseudonyms is None else self._pseudonyms.of(kind, record)


def _kinds(column: StudyColumn, values: Mapping[str, Sequence[Any]]) -> Sequence[str]:
    if column.kind is not None:
        return [column.kind] * len(values[column.read])
    return [RECORD_OF_NODE.get(kind, kind) for kind in values[UNKNOWN_KIND]]


def _turn_pairs(columns: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return the columns of pairs with the smaller pseudonym first: the order of IDs must not be told."""
    sides = [
        name.removesuffix("_a") for name in columns if name.endswith("_a") and f"{name[:-1]}b" in columns
    ]
    keys = [side for side in sides if side.endswith("_id")]
    if not keys:
        return columns
    first, second = columns[f"{keys[0]}_a"], columns[f"{keys[0]}_b"]
    is_turned = [one > other for one, other in zip(first, second, strict=True)]
    turned = dict(columns)
    for side in sides:
        pairs = list(zip(columns[f"{side}_a"], columns[f"{side}_b"], is_turned, strict=True))
        turned[f"{side}_a"] = [b if turn else a for a, b, turn in pairs]
        turned[f"{side}_b"] = [a if turn else b for a, b, turn in pairs]
    return turned
