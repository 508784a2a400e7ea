"""Text from outside, made safe for where it goes: a log line, a terminal, a message or the database.

No other module removes or escapes characters for these.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SHOWN = 80
"""Characters of a value, a name or a reason in a message or a log line."""

_LOOKED_AT = 1000
"""Characters of a text for the log that are looked at; a body may have megabytes."""

_KEY_LIKE = re.compile(r"(?i)\b(?:oauth|bearer|basic)\s+\S+|(?=\S*\d)\S{20,}|\S{40,}")

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls except tab and line feed, what ends a line, what reverses the text after it, and surrogates, which
no encoding carries."""

_NONCHARACTERS: Final = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_REPLACED: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""No encoding can carry them."""
_REMOVED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but tab and line ends, and those that turn around the text after them."""
_LONE_RETURN: Final = re.compile("\r(?!\n)")
"""On a terminal it writes over its line. ``\\r\\n`` is harmless, and half of all descriptions have it."""
_UNWANTED: Final = re.compile(f"{_REPLACED.pattern}|{_REMOVED.pattern}|{_LONE_RETURN.pattern}")


def for_log(text: str) -> str:
    """Return *text* on one short printable line, with anything that resembles a key left out."""
    printable = "".join(character if character.isprintable() else " " for character in text[:_LOOKED_AT])
    line = _KEY_LIKE.sub("[…]", " ".join(printable.split()))
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"


def for_terminal(text: str) -> str:
    """Return *text* with escapes for what could command a terminal; line feeds and tabs stay."""
    return _COMMANDS.sub(_escaped, text)


def for_cell(text: str) -> str:
    """Return *text* safe for a terminal and on one line, as a table needs it; of any length."""
    return for_terminal(text).replace("\n", "\\n").replace("\t", "\\t")


def for_message(text: str) -> str:
    """Return a name or sentence in printable characters on one line, cut in the middle to ``MAX_SHOWN``."""
    return cut_middle("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def for_database(text: str) -> str:
    """Return *text* without controls and overrides: the same object if it has none.

    What no encoding carries becomes U+FFFD, a lone return ``\\n``.
    """
    # What is printable is clean; most of the rest is only several lines long.
    if text.isprintable() or _UNWANTED.search(text) is None:
        return text
    return _REMOVED.sub("", _REPLACED.sub("\ufffd", _LONE_RETURN.sub("\n", text)))


def cut_middle(text: str) -> str:
    """Return *text* cut to ``MAX_SHOWN`` characters: the end of a path says as much as its beginning."""
    half = (MAX_SHOWN - 3) // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}...{text[-half:]}"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
