"""Export: one look at the database, and a folder of files with a manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports import datapackage, graphs, manifest, ml, tables
from sgr_spiders.exports.package import packing
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sgr_spiders.exports.package import Package, Packed
    from sgr_spiders.storage.store import Connection, Store

FORMATS: Mapping[str, Mapping[str, str]] = {
    "tables": tables.FORMATS,
    "ml": ml.FORMATS,
    "graphs": graphs.FORMATS,
}
"""What may be exported, in which formats, and what these are."""
USUAL = {
    "tables": ("parquet",),
    "ml": ("npz", "edge_index", "recbole", "sequences", "parquet"),
    "graphs": ("gexf", "gephi"),
}
"""The formats unless others are named."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to export. ``choice`` is for ``ml``, ``with_raw`` for ``tables``."""

    purpose: str
    formats: tuple[str, ...]
    choice: Choice = field(default_factory=Choice)
    with_raw: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """What shapes the files, as plain data."""
        if self.purpose == "ml":
            return self.choice.as_plain()
        return {"with_raw": self.with_raw} if self.purpose == "tables" else {}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export says of its contents beside the rows of its files, and the files."""

    counts: dict[str, int]
    files: list[Packed]


def order(purpose: str | None, formats: Iterable[str], choice: Choice, *, with_raw: bool) -> Order:
    """Fill in what is not said: the usual formats of the purpose, or the first purpose that has all formats.

    Raises ``ArgumentError`` where there is no such purpose or format.
    """
    named = tuple(dict.fromkeys(formats))
    known = list(dict.fromkeys(name for of_purpose in FORMATS.values() for name in of_purpose))
    if purpose is not None and purpose not in FORMATS:
        hint = did_you_mean(purpose, FORMATS)
        raise ArgumentError(f"option `--for`: must be {_or(FORMATS)}, not {quote_value(purpose)}{hint}")
    for name in named:
        if name not in (known if purpose is None else FORMATS[purpose]):
            there = known if purpose is None else list(FORMATS[purpose])
            to = "" if purpose is None else f" for {purpose}"
            hint = did_you_mean(name, there)
            raise ArgumentError(f"option `--format`: must be{to} {_or(there)}, not {quote_value(name)}{hint}")
    fitting = [one for one in FORMATS if purpose in {None, one} and set(named) <= set(FORMATS[one])]
    if not fitting:
        raise ArgumentError(f"option `--format`: {', '.join(named)} do not go into one export")
    return Order(fitting[0], named or USUAL[fitting[0]], choice, with_raw)


def export(store: Store, folder: Path, wanted: Order) -> Exported:
    """Write the files of an export and what tells of them, in place of those of an earlier one in *folder*.

    All files show the database as it was at one moment. Raises ``ArgumentError`` where the order makes no
    sense, and ``StorageError`` where *folder* cannot be written.
    """
    if wanted.purpose == "ml":
        with store.read() as connection:
            origin = manifest.origin(connection, store.describe())
            prepared = ml.prepare_all(connection, wanted.choice)
        # All is read: the snapshot need not stay open while the files are written, which takes longer.
        return _pack(folder, wanted, origin, lambda package: ml.export_ml(prepared, package, wanted.formats))
    # One snapshot for all files: rows of one table refer to those of another.
    with store.read() as connection, store.watching_wal():
        origin = manifest.origin(connection, store.describe())
        return _pack(folder, wanted, origin, lambda package: _write(connection, package, wanted))


def _write(connection: Connection, package: Package, wanted: Order) -> dict[str, int]:
    if wanted.purpose == "graphs":
        return graphs.export_graphs(connection, package, wanted.formats)
    return tables.export_tables(connection, package, wanted.formats, with_raw=wanted.with_raw)


def _pack(
    folder: Path, wanted: Order, origin: Mapping[str, Any], write: Callable[[Package], dict[str, int]]
) -> Exported:
    with packing(folder, wanted.purpose) as package:
        counts = write(package)
        packed = package.packed()
        created_at = timestamp()
        package.describe(
            datapackage.describe(wanted.purpose, created_at, packed),
            {
                "created_at": created_at,
                **origin,
                "purpose": wanted.purpose,
                "formats": list(wanted.formats),
                "parameters": wanted.parameters,
                "counts": counts,
                "files": manifest.files(packed),
            },
        )
    return Exported(counts, packed)


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
