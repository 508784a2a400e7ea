"""A snapshot with its files for Datasette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.exports import datasette, manifest
from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import export_log, private_files
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.snapshots.snapshot import write_snapshot
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.snapshots.snapshot import Snapshot
    from sgr_spiders.storage.store import Store

PURPOSE = "snapshot"
"""The word for a snapshot in the table ``exports``."""


def export_snapshot(store: Store, file: Path, *, with_raw: bool = False, force: bool = False) -> Snapshot:
    """Write a snapshot to *file*, and the files for Datasette beside it.

    Raises:
        ConfigError: There is no database, or a file exists and must not be replaced.
        StorageError: The database cannot be read, or a file cannot be written.
    """
    beside = datasette.files_beside(file)
    _refuse_existing(beside, force=force)
    pair_tables = [relationship.table for relationship in TYPES.values()]
    snapshot = write_snapshot(
        store,
        file,
        pair_tables,
        about=lambda connection: manifest.origin(connection, store.name),
        with_raw=with_raw,
        force=force,
    )
    # At once, because it names people: `scrapy forget` must know of it.
    export_log.note(store, file, PURPOSE)
    metadata = datasette.build_metadata(file.stem, snapshot.tables, _about(store))
    configuration = datasette.build_configuration(file.stem, snapshot.tables)
    for path, document in zip(beside, (metadata, configuration), strict=True):
        private_files.write(path, datasette.dump(document))
    return snapshot


def _refuse_existing(files: tuple[Path, ...], *, force: bool) -> None:
    for file in files:
        if file.exists() and not force:
            raise ConfigError(f"file {for_message(str(file))}: exists; replace it with `--force`")


def _about(store: Store) -> dict[str, str]:
    with store.read() as connection:
        origin = source.read(connection)
    title = {"title": "SoundGraph", "description": "A harvest around tracks on SoundCloud"}
    if origin is None:
        return title
    invented = ", the sandbox: all data is invented" if origin.is_sandbox else ""
    return {**title, "source": f"{origin.api_origin}{invented}", "source_url": origin.api_origin}
