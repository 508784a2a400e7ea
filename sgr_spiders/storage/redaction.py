"""Remove references to forgotten records from what stays: cursors, texts about runs, and ``raw``."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model import statistics
from sgr_spiders.model.items import URL
from sgr_spiders.soundcloud.embedded import remove_references, seed_reference
from sgr_spiders.storage import dictionaries, tombstones
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    rejects,
    relationship_runs,
    runs,
    vector_runs,
    walks,
)
from sgr_spiders.storage.server import on_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from sgr_spiders.model.items import Reference
    from sgr_spiders.storage.store import Connection

REDACTED = "(forgotten)"
"""Replaces a seed in the arguments, the command and the reason of a run."""

ROWS_AT_A_TIME = 2_000

_PADDED = re.compile(r"(?:(?<=[,-])|(?<=%2C))[0-9]{11,20}(?=[,&%-]|$)")
"""An ID inside a cursor: padded with zeros, so that it cannot be taken for a part of a time."""
_SEED_ARGUMENT = re.compile(r"(?<=\btrack_id=)\S+|(?<=\btrack_url=)\S+")
_ADDRESS = re.compile(r"(?:https?://)?[\w.-]*/[^\s'\",\\]*[^\s'\",\\:;)]")
"""A URL, perhaps without its scheme, or a permalink."""
_RECORD = re.compile(
    r"(?<![0-9A-Za-z_.])(?:soundcloud(?::|%3A)(track|user|playlist)s(?::|%3A)|(track|user|playlist):)?"
    r"([0-9]{1,20})(?![0-9A-Za-z_])"
)
"""A URN, a kind and an ID, or the ID of a track."""


def redact(connection: Connection, forgotten: AbstractSet[Reference]) -> Counter[str]:
    """Redact all that names *forgotten* records; return the number of changed rows, by table and column."""
    changed = Counter(
        {
            "walks.cursor": _redact_cursors(connection, forgotten),
            "runs": redact_runs(connection, forgotten),
            "relationship_runs.parameters": _redact_seeds(connection, relationship_runs, forgotten),
            "vector_runs.parameters": _redact_seeds(connection, vector_runs, forgotten),
        }
    )
    dictionaries.load(connection)
    for table in (*RECORD_TABLES.values(), rejects):
        changed[f"{table.name}.raw"] += _clean_raw(connection, table, forgotten)
    if not on_server(connection):
        _remove_samples(connection)
    return changed


def redact_runs(connection: Connection, forgotten: AbstractSet[Reference]) -> int:
    """Redact the *forgotten* seeds in the arguments, commands and reasons of all runs."""
    query = sa.select(runs.c.run_id, runs.c.arguments, runs.c.stats, runs.c.reason)
    changes = []
    for run_id, *texts in connection.execute(query):
        new = [
            texts[0] and redact_arguments(texts[0], forgotten),
            texts[1] and _redact_json(texts[1], {statistics.COMMAND}, forgotten, redact_command),
            texts[2] and redact_text(texts[2], forgotten),
        ]
        if new != texts:
            changes.append(dict(zip(("arguments", "stats", "reason"), new, strict=True)) | {"run": run_id})
    _update(connection, sa.update(runs).where(runs.c.run_id == sa.bindparam("run")), changes)
    return len(changes)


def redact_arguments(text: str, forgotten: AbstractSet[Reference]) -> str:
    """Return the spider arguments in *text*, a JSON object, without *forgotten* seeds."""
    return _redact_json(text, {"track_id", "track_url"}, forgotten, redact_text)


def redact_text(text: str, forgotten: AbstractSet[Reference]) -> str:
    """Return *text* without the IDs, URNs and pages of *forgotten* records that were seeds."""

    def of_address(match: re.Match[str]) -> str:
        return REDACTED if seed_reference(match[0]) in forgotten else match[0]

    def of_record(match: re.Match[str]) -> str:
        reference = match[1] or match[2] or "track", int(match[3])
        return REDACTED if reference in forgotten else match[0]

    return _RECORD.sub(of_record, _ADDRESS.sub(of_address, text))


def redact_command(line: str, forgotten: AbstractSet[Reference]) -> str:
    """Return the command *line* of a crawl without *forgotten* seeds."""
    return _SEED_ARGUMENT.sub(lambda match: redact_text(match[0], forgotten), line)


def _redact_json(
    text: str,
    names: AbstractSet[str],
    forgotten: AbstractSet[Reference],
    redact_value: Callable[[str, AbstractSet[Reference]], str],
) -> str:
    """Redact the values *names* of a JSON object; keep its text if nothing changes."""
    values = json.loads(text)
    new = {name: redact_value(values[name], forgotten) for name in names if isinstance(values.get(name), str)}
    changed = {name: value for name, value in new.items() if value != values[name]}
    return json.dumps(values | changed, sort_keys=True) if changed else text


def redact_new_cursors(connection: Connection) -> None:
    """Redact the forgotten records at the ends of pages that were fetched later."""
    known = tombstones.read(connection)
    if known is not None:
        cursors = connection.scalars(sa.select(walks.c.cursor).where(walks.c.cursor != ""))
        ids = {int(digits) for cursor in cursors for digits in _PADDED.findall(cursor)}
        _redact_cursors(connection, known.find({(kind, key) for kind in RECORD_TABLES for key in ids}))


def _redact_cursors(connection: Connection, forgotten: AbstractSet[Reference]) -> int:
    """Zero the IDs in cursors of walks at rest: the API finds the position by the time beside them."""
    ids = {key for kind, key in forgotten if kind != URL}

    def zero(match: re.Match[str]) -> str:
        return "0" * len(match[0]) if int(match[0]) in ids else match[0]

    at_rest = sa.and_(walks.c.cursor != "", walks.c.status != "running")
    query = sa.select(walks.c.walk_id, walks.c.cursor).where(at_rest)
    changes = [
        {"walk": walk, "cursor": new}
        for walk, cursor in connection.execute(query)
        if (new := _PADDED.sub(zero, cursor)) != cursor
    ]
    _update(connection, sa.update(walks).where(walks.c.walk_id == sa.bindparam("walk")), changes)
    return len(changes)


def _redact_seeds(connection: Connection, table: sa.Table, forgotten: AbstractSet[Reference]) -> int:
    """Remove *forgotten* tracks from the list of seeds in the parameters of builds."""
    (key,) = table.primary_key.columns
    changes = []
    for row_id, text in connection.execute(sa.select(key, table.c.parameters)):
        parameters: dict[str, Any] = json.loads(text)
        given = parameters.get("seeds") or []
        kept = [seed for seed in given if ("track", seed) not in forgotten]
        if kept != given:
            redacted = json.dumps(parameters | {"seeds": kept}, sort_keys=True)
            # The name of an algorithm lists the seeds.
            unnamed = {"algorithm": None} if "algorithm" in table.c else {}
            changes.append({"row": row_id, "parameters": redacted, **unnamed})
    _update(connection, sa.update(table).where(key == sa.bindparam("row")), changes)
    return len(changes)


def _clean_raw(connection: Connection, table: sa.Table, forgotten: AbstractSet[Reference]) -> int:
    key = list(table.primary_key.columns)
    query = sa.select(*key, table.c.raw).where(table.c.raw.is_not(None))
    changes = []
    for row in connection.execute(query, execution_options={"yield_per": ROWS_AT_A_TIME}):
        try:
            kept = remove_references(row.raw, forgotten)
        except ValueError:
            continue  # Unreadable; `scrapy upgrade --backfill` counts these.
        if kept != row.raw:
            changes.append({f"of_{column.name}": row[at] for at, column in enumerate(key)} | {"raw": kept})
    this = sa.and_(*(column == sa.bindparam(f"of_{column.name}") for column in key))
    _update(connection, sa.update(table).where(this), changes)
    return len(changes)


def _update(connection: Connection, statement: sa.Update, changes: list[dict[str, Any]]) -> None:
    if changes:
        connection.execute(statement, changes)


def _remove_samples(connection: Connection) -> None:
    """Remove the keys that SQLite's planner has sampled, if it was built to sample any."""
    if sa.inspect(connection).has_table("sqlite_stat4"):
        connection.exec_driver_sql("DELETE FROM sqlite_stat4")
