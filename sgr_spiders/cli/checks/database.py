"""Checks of the database: whether a crawl could open, read and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.cli.checks.check import Check
from sgr_spiders.cli.checks.files import can_create_files, check_space, find_directory, is_writable
from sgr_spiders.config.settings import DATABASE, find_problem
from sgr_spiders.model.exceptions import HarvestError, StorageError
from sgr_spiders.storage import lock, migrate, sqlite_file
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.server_facts import MIN_VERSION, read_facts
from sgr_spiders.storage.store import Store
from sgr_spiders.text.formatting import size
from sgr_spiders.text.invocation import SOUNDGRAPH, command, program_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.storage.server_facts import ServerFacts


def check_database(url: str, api_origin: str | None, world: str | None) -> Iterator[Check]:
    """Check the database at *url*; *world* is that of the sandbox at *api_origin*, if it was asked for."""
    if (problem := find_problem(DATABASE, url)) is not None:
        yield Check("database", "error", f"its URL {problem}")
        return
    try:
        store = Store(url)
        if store.file is None:
            yield from _check_server(store)
        else:
            yield from _check_file(store, store.file)
            yield from check_space(store.file.parent)
        yield from _check_source(store, api_origin, world)
    except HarvestError as error:
        yield Check("database", "error", str(error))


def _check_file(store: Store, file: Path) -> Iterator[Check]:
    directory = find_directory(file.absolute().parent)
    if directory is None or not can_create_files(directory):
        yield Check("database", "error", f"{file}: no file can be created beside it; choose another path")
        return
    if not sqlite_file.has_content(file):
        yield Check("database", "ok", f"{file}: does not exist yet; the first crawl creates it")
        return
    revision = store.revision()
    yield Check("database", "ok", f"{file}, {size(file.stat().st_size)}")
    if not is_writable(file):
        yield Check("database", "error", f"{file}: cannot be written; change its permissions")
    yield _check_schema(revision)
    yield _check_lock(file)


def _check_lock(file: Path) -> Check:
    try:
        is_taken = lock.is_taken(file)
    except StorageError as error:
        return Check("lock", "error", str(error))
    if is_taken:
        return Check("lock", "error", f"{file} is locked by {lock.holder(file)}; wait until that ends")
    return Check("lock", "ok", "free")


def _check_schema(revision: str) -> Check:
    if revision > migrate.HEAD:
        known = f"which this version (up to {migrate.HEAD}) does not know; use the version that created it"
        return Check("schema", "error", f"revision {revision}, {known}")
    if revision < migrate.HEAD:
        advice = f"the next crawl or `{command('upgrade')}` upgrades it to {migrate.HEAD}; copy it before"
        return Check("schema", "warning", f"revision {revision}: {advice}")
    return Check("schema", "ok", f"revision {revision}")


def _check_server(store: Store) -> Iterator[Check]:
    facts = read_facts(store)
    yield Check("database", "ok", f"{store.describe()}, PostgreSQL {facts.version_text}")
    yield from _check_facts(facts)
    if facts.revision is not None:
        yield _check_schema(facts.revision)
    elif facts.may_create:
        yield Check("schema", "ok", "none yet; the first crawl creates it")
    elif facts.schema is None:
        yield Check("schema", "error", "no schema of `search_path` exists; create one")
    else:
        grant = f"`GRANT CREATE ON SCHEMA {facts.schema} TO {facts.user}`"
        yield Check("schema", "error", f"none yet, and no permission to create tables: {grant}")


def _check_facts(facts: ServerFacts) -> Iterator[Check]:
    if facts.version < MIN_VERSION:
        yield Check("server", "error", f"older than PostgreSQL {MIN_VERSION // 10_000}; upgrade it")
    if facts.is_read_only:
        yield Check("server", "error", "read-only (a standby, or default_transaction_read_only); use another")
    if facts.encoding == "UTF8":
        yield Check("encoding", "ok", facts.encoding)
    else:
        create = "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
        lost = f"{facts.encoding} cannot store every title and name"
        yield Check("encoding", "error", f"{lost}; create another database: {create}")


def _check_source(store: Store, api_origin: str | None, world: str | None) -> Iterator[Check]:
    known = _read_source(store)
    if known is None or api_origin is None:
        return
    if known.covers(api_origin, world):
        yield Check("source", "ok", known.describe())
    elif known.is_sandbox and world is None and api_origin.startswith("http:"):
        advice = "add `--online` to check whether the same sandbox is at the new address"
        yield Check("source", "warning", f"{known.describe()}, then at {known.api_origin}; {advice}")
    else:
        option = "--accept-source" if program_name() == SOUNDGRAPH else "-a accept_source=1"
        advice = f"use another database or, if the API has only moved, add `{option}`"
        yield Check("source", "error", f"holds data of {known.describe()}, not of {api_origin}; {advice}")


def _read_source(store: Store) -> source.Source | None:
    """Return the source of a database that is filled and of this schema."""
    if store.file is not None and not sqlite_file.has_content(store.file):
        return None
    if store.file is not None and store.revision() != migrate.HEAD:
        return None
    try:
        with store.read() as connection:
            return source.read(connection) if source.is_filled(connection) else None
    except HarvestError:
        # Another check reports it.
        return None
