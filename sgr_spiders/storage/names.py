"""Find the record that a user names by ID, URN, address, permalink, title or name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.addresses import (
    is_address,
    mask_secret,
    parse_address,
    parse_permalink,
    parse_reference,
)
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.storage import indexes
from sgr_spiders.storage.labels import KINDS, read_labels
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.name_columns import AnyCase, Beginning
from sgr_spiders.storage.schema import NAMES, PAGES, RECORD_TABLES, tracks, walk_records, walks
from sgr_spiders.text.escape import for_database, for_message
from sgr_spiders.text.folding import fold
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.soundcloud.addresses import PageAddress
    from sgr_spiders.storage.labels import Label
    from sgr_spiders.storage.store import Connection

FORMS: Final = "an ID, a URN, a URL, a permalink, or a title or name that is unique in this database"
"""The ways to name a record, for messages."""
PREFIXES: Final = ("title:", "name:")
"""Prefixes of a title or name that looks like an ID or an address."""
MAX_CANDIDATES: Final = 5
"""Candidates that a message names."""

_BLOCKS: Final = (
    range(1, 0x3400),
    range(0xA600, 0xAC00),
    range(0xF900, 0x12000),
    range(0x16A00, 0x17000),
    range(0x1BC00, 0x1BD00),
    range(0x1D000, 0x1D800),
    range(0x1E000, 0x1F300),
    range(0x1FB00, 0x1FC00),
    range(0x2F800, 0x2FB00),
)
"""The blocks of Unicode with characters that differ from their folded form."""


def resolve(connection: Connection, kind: str, text: str) -> int:
    """Return the ID of the track, user, artist or playlist that *text* names.

    An ID, also in a URN, need not be in the database.

    Raises:
        ArgumentError: Nothing has this address or name, or several records have it.
    """
    text = for_database(text).strip()
    record = KINDS[kind]
    record_id = parse_key(text, record)
    if record_id is not None:
        return record_id
    reference = parse_reference(text)
    if reference is not None:
        if reference[0] != record:
            raise ArgumentError(f"{quote_value(text)} is a {reference[0]}, not {_with_article(kind)}")
        return reference[1]
    return _choose(connection, kind, text, _find(connection, kind, text))


def _find(connection: Connection, kind: str, text: str) -> list[int]:
    record = KINDS[kind]
    for prefix in PREFIXES:
        if text.lower().startswith(prefix):
            return find_by_name(connection, record, text[len(prefix) :])
    if is_address(text):
        return find_by_page(connection, record, _read_address(kind, text))
    page = parse_permalink(text)
    if page is None or page.kind != record:
        return find_by_name(connection, record, text)
    found = find_by_page(connection, record, page)
    if "/" in text:
        return found or find_by_name(connection, record, text)
    # A word may be the permalink of one user and the name of another.
    return list(dict.fromkeys([*found, *find_by_name(connection, record, text)]))


def _read_address(kind: str, text: str) -> PageAddress:
    try:
        page = parse_address(text)
    except ValueError as error:
        raise ArgumentError(f"{error}: {quote_value(mask_secret(text))}") from error
    if page.kind not in {None, KINDS[kind]}:
        raise ArgumentError(
            f"the URL of a {page.kind}, not of {_with_article(kind)}: {quote_value(page.url)}"
        )
    return page


def find_by_page(connection: Connection, record: str, page: PageAddress) -> list[int]:
    """Return the IDs of the records of this kind whose page is *page*, or that it once led to."""
    key = RECORD_TABLES[record].c[f"{record}_id"]
    found: list[int] = []
    if page.kind is not None:
        address = page.url.lower()
        path = address.removeprefix("https://soundcloud.com")
        spelt = [f"{start}soundcloud.com{path}" for start in ("https://", "https://www.", "http://")]
        is_it = AnyCase(PAGES[record]).in_(spelt)
        found += connection.scalars(sa.select(key).where(is_it).order_by(key))
    return found or _find_resolved(connection, record, page)


def _find_resolved(connection: Connection, record: str, page: PageAddress) -> list[int]:
    """Return the record that the API has resolved the address of *page* to."""
    query = (
        sa.select(walk_records.c.record_id)
        .join(walks, walks.c.walk_id == walk_records.c.walk_id)
        .where(
            walks.c.walk_id == walk_id("resolve", page.url),
            walk_records.c.kind == record,
            walk_records.c.position == 0,
            walk_records.c.generation == walks.c.generation,
        )
    )
    key = RECORD_TABLES[record].c[f"{record}_id"]
    return list(connection.scalars(sa.select(key).where(key.in_(query))))


def find_by_name(connection: Connection, record: str, name: str) -> list[int]:
    """Return the IDs of the records of this kind with this title or name, whatever its case and accents."""
    folded = fold(name)
    if not folded:
        return []
    column = NAMES[record]
    key = RECORD_TABLES[record].c[f"{record}_id"]
    query = sa.select(key, column).where(column.is_not(None))
    queries = [query]
    if indexes.is_built(connection, column.table, f"ix_{column.table.name}_{column.name}"):
        beginning = Beginning(column)
        queries = [query.where(beginning >= low, beginning < high) for low, high in _spans(folded[0])]
    return sorted(row[0] for each in queries for row in connection.execute(each) if fold(row[1]) == folded)


def _spans(first: str) -> list[tuple[str, str]]:
    """Return the spans of first characters of the names whose folded form begins with *first*."""
    fitting = {code for block in _BLOCKS for code in block if fold(chr(code))[:1] in {"", first}}
    known = fitting | {ord(first)}
    codes = sorted(known)
    starts = [code for code in codes if code - 1 not in known]
    ends = [code + 1 for code in codes if code + 1 not in known]
    # No text contains surrogates.
    return [
        (chr(start), chr(0xE000 if end == 0xD800 else end)) for start, end in zip(starts, ends, strict=True)
    ]


def _choose(connection: Connection, kind: str, text: str, ids: Sequence[int]) -> int:
    labels = read_labels(connection, kind, ids)
    present = [label for label in labels.values() if not label.is_removed]
    candidates = present or list(labels.values())
    if kind == "artist" and len(candidates) > 1:
        candidates = _with_tracks(connection, candidates) or candidates
    if len(candidates) == 1:
        return candidates[0].id
    if not candidates:
        raise ArgumentError(f"no {kind} in this database is {quote_value(text)}; name {FORMS}")
    raise ArgumentError(_ambiguous(kind, text, sorted(candidates, key=lambda label: label.id)))


def _with_tracks(connection: Connection, candidates: Sequence[Label]) -> list[Label]:
    ids = [label.id for label in candidates]
    query = sa.select(tracks.c.artist_id).where(tracks.c.artist_id.in_(ids)).distinct()
    artists = set(connection.scalars(query))
    return [label for label in candidates if label.id in artists]


def _ambiguous(kind: str, text: str, candidates: Sequence[Label]) -> str:
    shown = "; ".join(map(_describe, candidates[:MAX_CANDIDATES]))
    more = len(candidates) - MAX_CANDIDATES
    rest = f"; and {more:,} more" if more > 0 else ""
    return f"{len(candidates):,} {kind}s are called {quote_value(text)}; name one by its ID: {shown}{rest}"


def _describe(label: Label) -> str:
    by = "" if label.owner is None else f" by {for_message(label.owner)}"
    page = "" if label.permalink_url is None else f" ({for_message(label.permalink_url)})"
    return f"{label.id} {for_message(label.name or '(no name known)')}{by}{page}"


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind == "artist" else f"a {kind}"
