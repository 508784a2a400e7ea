"""Upgrade a database to this version's schema with Alembic, also from inside a zip file."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import revisions, server_schema
from sgr_spiders.storage.server import on_server
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

logger = logging.getLogger(__name__)

HEAD = revisions.HEAD
"""The newest revision. Comparing it takes one query and no Alembic import."""


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the schema; ``None`` for an empty database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    # Alembic's own query, without importing Alembic.
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def require_head(connection: sa.Connection, where: str) -> None:
    """Raise ``StorageError`` unless the database is at the newest revision; *where* names it."""
    revision = revision_of(connection)
    if revision is None:
        raise StorageError(f"database {where}: not a SoundGraph database")
    if revision < HEAD:
        raise StorageError(
            f"database {where}: its schema is of revision {revision}, older than this version's {HEAD}; "
            f"run `{command('upgrade')}`"
        )
    if revision > HEAD:
        raise StorageError(
            f"database {where}: its schema is of revision {revision}, which this version (up to {HEAD}) does "
            "not know; use the version that created it"
        )


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that *connection*'s database lacks, in its transaction.

    Raises ``StorageError`` if the database was made by a newer version.
    """
    current = revision_of(connection)
    if current == HEAD:
        return
    if current is not None:
        logger.info("Upgrading the schema from revision %s to %s", current, HEAD)
    # Lazy import: commands on an up-to-date database need no Alembic, which is slow to import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="soundgraph-migrations-") as directory:
        # Alembic needs its scripts in a real directory, which an egg does not have.
        _copy(revisions.MIGRATIONS, Path(directory))
        config = Config()
        config.set_main_option("script_location", directory)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise StorageError(
                f"database {connection.engine.url.render_as_string(hide_password=True)}: its schema is of "
                f"revision {current!r}, which this version does not know ({error}); use the version "
                "that created it"
            ) from None
    if on_server(connection):
        server_schema.complete(connection)


def _copy(source: Traversable, target: Path) -> None:
    for entry in source.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                target.joinpath(entry.name).mkdir()
                _copy(entry, target / entry.name)
        elif entry.name.endswith(".py"):
            target.joinpath(entry.name).write_bytes(entry.read_bytes())
