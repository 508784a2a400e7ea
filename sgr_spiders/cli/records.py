"""Records named on the command line or in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sgr_spiders.config.arguments import read_lines
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.embedded import page_reference
from sgr_spiders.soundcloud.urns import PLURALS, locate, parse_key, parse_urn
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.model.items import Reference

FORMS = "a URN, KIND:ID (`track:123`) or the URL of a page"


def read_records(args: Sequence[str], path: str | None) -> list[Reference]:
    """Return the records in *args* and in the lines of the file *path*; pages are still to be looked up.

    Raises:
        ArgumentError: One of them is invalid, or there are none.
    """
    try:
        found = list(map(_parse, _join_kinds(args)))
        if path is not None:
            for where, line in read_lines(path):
                found += _parse_line(where, line)
    except ValueError as error:
        raise ArgumentError(str(error)) from error
    if not found:
        raise ArgumentError(f"name at least one record: {FORMS}")
    return list(dict.fromkeys(found))


def _parse_line(where: str, line: str) -> list[Reference]:
    try:
        return list(map(_parse, _join_kinds(line.split())))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _join_kinds(words: Sequence[str]) -> list[str]:
    """Return the words, with each pair of kind and ID joined by a colon."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in PLURALS:
            joined[-1] += f":{word}"
        else:
            joined.append(word)
    return joined


def _parse(text: str) -> Reference:
    found = parse_urn(text) or _parse_pair(text) or locate(text) or page_reference(text)
    if found is None:
        raise ValueError(f"not a record: {quote_value(text)}; name {FORMS}")
    return found


def _parse_pair(text: str) -> Reference | None:
    kind, _, digits = text.partition(":")
    if kind not in PLURALS:
        return None
    if kind == "comment" and re.fullmatch("-[1-9][0-9]{0,18}", digits):
        # Generated for a comment that the track's page shows without an ID.
        return kind, int(digits)
    record_id = parse_key(digits, kind)
    return None if record_id is None else (kind, record_id)
