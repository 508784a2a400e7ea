"""Text from outside, made safe for where it is shown: a log line, a terminal or a message.

No other module removes or escapes characters for these.
"""

from __future__ import annotations

import re

MAX_SHOWN = 80
"""Characters of a value, a name or a reason in a message or a log line."""

_LOOKED_AT = 1000
"""Characters of a text for the log that are looked at; a body may have megabytes."""

_KEY_LIKE = re.compile(r"(?i)\b(?:oauth|bearer|basic)\s+\S+|(?=\S*\d)\S{20,}|\S{40,}")

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls except tab and line feed, what ends a line, what reverses the text after it, and surrogates, which
no encoding carries."""


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


def cut_middle(text: str) -> str:
    """Return *text* cut to ``MAX_SHOWN`` characters: the end of a path says as much as its beginning."""
    half = (MAX_SHOWN - 3) // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}...{text[-half:]}"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
