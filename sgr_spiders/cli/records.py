"""Records named on the command line or in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sgr_spiders.config.arguments import read_lines
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.embedded import seed_reference
from sgr_spiders.soundcloud.urns import PLURALS, locate, parse_key, parse_urn
from sgr_spiders.storage.labels import KINDS
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.model.items import Reference

FORMS = "a URN, KIND:ID (`track:123`), KIND:NAME (`track:Title`), a URL or a permalink"

Find = Callable[[str, str], int]
"""A function that returns the ID of the record of a kind with a name."""


def read_records(args: Sequence[str], path: str | None, find: Find) -> list[Reference]:
    """Return the records in *args* and in the lines of the file *path*; pages are still to be looked up.

    *find* looks up those that are named.

    Raises:
        ArgumentError: One of them is invalid, or there are none.
    """
    try:
        found = [_parse(word, find) for word in _join_kinds(args)]
        if path is not None:
            for where, line in read_lines(path):
                found += _parse_line(where, line, find)
    except ValueError as error:
        raise ArgumentError(str(error)) from error
    if not found:
        raise ArgumentError(f"name at least one record: {FORMS}")
    return list(dict.fromkeys(found))


def _parse_line(where: str, line: str, find: Find) -> list[Reference]:
    try:
        return [_parse(word, find) for word in _join_kinds(line.split())]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _join_kinds(words: Sequence[str]) -> list[str]:
    """Return the words, with each pair of kind and ID joined by a colon."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in {*PLURALS, "artist"}:
            joined[-1] += f":{word}"
        else:
            joined.append(word)
    return joined


def _parse(text: str, find: Find) -> Reference:
    kind, colon, name = text.partition(":")
    if kind == "comment" and re.fullmatch("-[1-9][0-9]{0,18}", name):
        # Generated for a comment that the track's page shows without an ID.
        return kind, int(name)
    found = parse_urn(text) or _parse_pair(text) or locate(text)
    if found is None and "/" in text and (kind not in KINDS or not colon):
        found = seed_reference(text)
    if found is None and colon and kind in KINDS and name:
        found = KINDS[kind], find(kind, name)
    if found is None:
        raise ValueError(f"not a record: {quote_value(text)}; name {FORMS}")
    return found


def _parse_pair(text: str) -> Reference | None:
    kind, _, digits = text.partition(":")
    record = KINDS.get(kind, kind)
    record_id = parse_key(digits, record) if record in PLURALS else None
    return None if record_id is None else (record, record_id)
