"""Export one snapshot of the database into a directory of files with a manifest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports import datapackage, graphs, manifest, ml, tables
from sgr_spiders.exports.package import open_package
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.storage import export_log
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.extent import PRESENT, Extent
from sgr_spiders.storage.ledger.runs import first_start
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sgr_spiders.exports.package import Package, PackedFile
    from sgr_spiders.exports.resource import Format
    from sgr_spiders.storage.store import Connection, Store

FORMATS: Mapping[str, Mapping[str, Format]] = {
    "tables": tables.FORMATS,
    "ml": ml.FORMATS,
    "graphs": graphs.FORMATS,
}
"""The formats of each purpose."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of an export.

    ``choice`` applies to ``ml``, ``with_raw`` to ``tables``, and ``extent`` to tables and graphs.
    """

    purpose: str
    formats: tuple[str, ...]
    choice: Choice = field(default_factory=Choice)
    with_raw: bool = False
    extent: Extent = PRESENT

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that affect the files, as plain data."""
        if self.purpose == "ml":
            return self.choice.as_plain()
        shared = {"include_removed": self.extent.include_removed, "as_of": self.extent.as_of}
        return {"with_raw": self.with_raw, **shared} if self.purpose == "tables" else shared

    @property
    def rows(self) -> str:
        """The rows that the files contain, in words."""
        if self.extent.as_of is not None:
            return f"as of {self.extent.as_of}"
        removed = self.choice.include_removed if self.purpose == "ml" else self.extent.include_removed
        return "present and removed" if removed else "present"


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of an export: counts of its contents, its files, and those of an earlier export removed."""

    counts: dict[str, int]
    files: list[PackedFile]
    removed: list[Path]


def default_formats(purpose: str) -> tuple[str, ...]:
    """Return the formats of *purpose* that are written if none are given."""
    return tuple(name for name, chosen in FORMATS[purpose].items() if chosen.is_default)


def resolve_options(
    purpose: str | None,
    formats: Iterable[str],
    choice: Choice,
    *,
    with_raw: bool,
    include_removed: bool = False,
    as_of: str | None = None,
) -> ExportOptions:
    """Fill in defaults: the formats of the purpose, or the first purpose that has all formats.

    Raises:
        ArgumentError: the purpose or a format does not exist.
    """
    named = tuple(dict.fromkeys(formats))
    known = list(
        dict.fromkeys(name for formats_of_purpose in FORMATS.values() for name in formats_of_purpose)
    )
    if purpose is not None and purpose not in FORMATS:
        hint = did_you_mean(purpose, FORMATS)
        raise ArgumentError(f"option `--for`: must be {_or(FORMATS)}, not {quote_value(purpose)}{hint}")
    for name in named:
        if name not in (known if purpose is None else FORMATS[purpose]):
            valid = known if purpose is None else list(FORMATS[purpose])
            to = "" if purpose is None else f" for {purpose}"
            hint = did_you_mean(name, valid)
            raise ArgumentError(f"option `--format`: must be{to} {_or(valid)}, not {quote_value(name)}{hint}")
    matching = [name for name in FORMATS if purpose in {None, name} and set(named) <= set(FORMATS[name])]
    if not matching:
        raise ArgumentError(f"option `--format`: {', '.join(named)} cannot be combined in one export")
    if include_removed and as_of is not None:
        raise ArgumentError("option `--as-of`: cannot be combined with `--include-removed`")
    if matching[0] == "ml":
        if as_of is not None:
            raise ArgumentError("option `--as-of`: only with `--for tables` or `--for graphs`")
        choice = replace(choice, include_removed=include_removed)
    extent = Extent(include_removed, as_of)
    return ExportOptions(matching[0], named or default_formats(matching[0]), choice, with_raw, extent)


def export(store: Store, directory: Path, options: ExportOptions) -> Exported:
    """Write the files of an export and its manifest, replacing an earlier export in *directory*.

    All files show the same snapshot of the database.

    Raises:
        ArgumentError: the options are invalid.
        StorageError: *directory* cannot be written.
    """
    exported = _export_ml(store, directory, options) if options.purpose == "ml" else None
    if exported is None:
        # Use one snapshot for all files, because tables refer to each other.
        with store.read() as connection, store.watching_wal():
            origin = manifest.origin(connection, store.describe())
            check_time(connection, options.extent.as_of)
            if options.extent.as_of is not None:
                origin = manifest.limit_to(origin, options.extent.as_of)
            if options.purpose == "tables" and options.extent.as_of is not None:
                origin["left_out"] = tables.left_out(connection, options.extent)
            exported = _pack(directory, options, origin, lambda package: _write(connection, package, options))
    export_log.note(store, directory, options.purpose)
    return exported


def _export_ml(store: Store, directory: Path, options: ExportOptions) -> Exported:
    with store.read() as connection:
        origin = manifest.origin(connection, store.describe())
        data = ml.prepare_all(connection, options.choice, options.formats)
    # All data is in memory, so close the snapshot before the slow writing.
    return _pack(directory, options, origin, lambda package: ml.export_ml(data, package, options.formats))


def _write(connection: Connection, package: Package, options: ExportOptions) -> dict[str, int]:
    if options.purpose == "graphs":
        return graphs.export_graphs(connection, package, options.formats, options.extent)
    return tables.export_tables(
        connection, package, options.formats, options.extent, with_raw=options.with_raw
    )


def check_time(connection: Connection, as_of: str | None) -> None:
    """Raise ``ArgumentError`` if *as_of* is before the first run."""
    if as_of is None:
        return
    first = first_start(connection)
    if first is None or as_of < first:
        began = "this database has no runs" if first is None else f"the first run began at {first}"
        raise ArgumentError(f"option `--as-of`: {as_of} is too early: {began}")


def _pack(
    directory: Path,
    options: ExportOptions,
    origin: Mapping[str, Any],
    write: Callable[[Package], dict[str, int]],
) -> Exported:
    with open_package(directory, options.purpose) as package:
        counts = write(package)
        packed = package.list_files()
        created_at = timestamp()
        package.describe(
            datapackage.describe(options.purpose, options.rows, created_at, origin["source"], packed),
            {
                "created_at": created_at,
                **origin,
                "purpose": options.purpose,
                "formats": list(options.formats),
                "rows": options.rows,
                "parameters": options.parameters,
                "counts": counts,
                "files": manifest.files(packed),
            },
        )
    return Exported(counts, packed, package.removed)


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
