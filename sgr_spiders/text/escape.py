"""Make text from outside safe for where it goes."""

from __future__ import annotations

import re
from typing import Final

_NONCHARACTERS: Final = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_REPLACED: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""No encoding can carry them."""
_REMOVED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but tab and line ends, and those that turn around the text after them."""
_LONE_RETURN: Final = re.compile("\r(?!\n)")
"""On a terminal it writes over its line. ``\\r\\n`` is harmless, and half of all descriptions have it."""
_UNWANTED: Final = re.compile(f"{_REPLACED.pattern}|{_REMOVED.pattern}|{_LONE_RETURN.pattern}")


def for_database(text: str) -> str:
    """Return *text* without controls and overrides: the same object if it has none.

    What no encoding carries becomes U+FFFD, a lone return ``\\n``.
    """
    # What is printable is clean; most of the rest is only several lines long.
    if text.isprintable() or _UNWANTED.search(text) is None:
        return text
    return _REMOVED.sub("", _REPLACED.sub("\ufffd", _LONE_RETURN.sub("\n", text)))
