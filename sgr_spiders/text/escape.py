"""Foreign text made safe for its destination: the log, a terminal, a message or the database.

No other module removes or escapes characters for these.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SHOWN = 80
"""Characters of a value, a name or a reason in a message or a log line."""

_MAX_SCANNED = 1000
"""Characters of a text that ``for_log`` reads; a response body may have megabytes."""

_KEY_LIKE = re.compile(r"(?i)\b(?:oauth|bearer|basic)\s+\S+|(?=\S*\d)\S{20,}|\S{40,}")

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except tab and line feed, line separators, bidirectional overrides, and surrogates,
which no encoding can represent."""

_NONCHARACTERS: Final = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_REPLACED: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""Surrogates, which no encoding can represent, and noncharacters."""
_REMOVED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and line ends, and bidirectional overrides."""
_LONE_RETURN: Final = re.compile("\r(?!\n)")
"""A carriage return alone overwrites its line on a terminal; line ends of two characters are harmless."""
_UNWANTED: Final = re.compile(f"{_REPLACED.pattern}|{_REMOVED.pattern}|{_LONE_RETURN.pattern}")


def for_log(text: str) -> str:
    """Return *text* on one short printable line, with anything that resembles a key left out."""
    printable = "".join(character if character.isprintable() else " " for character in text[:_MAX_SCANNED])
    line = _KEY_LIKE.sub("[…]", " ".join(printable.split()))
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"


def for_terminal(text: str) -> str:
    """Return *text* with terminal control characters escaped, except line feeds and tabs."""
    return _COMMANDS.sub(_escape, text)


def for_cell(text: str) -> str:
    """Return *text* safe for a terminal and on one line, for a table cell; the length is not limited."""
    return for_terminal(text).replace("\n", "\\n").replace("\t", "\\t")


def for_message(text: str) -> str:
    """Return a name or sentence in printable characters on one line, cut in the middle to ``MAX_SHOWN``."""
    return cut_middle("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def for_database(text: str) -> str:
    r"""Return *text* without control characters and overrides; the same object if it has none.

    Surrogates and noncharacters become U+FFFD, and a lone carriage return becomes ``\n``.
    """
    # Printable text is clean. Most other texts only have several lines.
    if text.isprintable() or _UNWANTED.search(text) is None:
        return text
    return _REMOVED.sub("", _REPLACED.sub("\ufffd", _LONE_RETURN.sub("\n", text)))


def cut_middle(text: str) -> str:
    """Return *text* cut to ``MAX_SHOWN`` characters: the end of a path says as much as its beginning."""
    half = (MAX_SHOWN - 3) // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}...{text[-half:]}"


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
