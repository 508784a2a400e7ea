"""HTML that escapes all text by itself."""

from __future__ import annotations

import html
import json
import re
from typing import Final
from urllib.parse import urlsplit

from sgr_spiders.text.escape import for_database

MAX_TEXT = 120
"""Characters of a title or name on the page."""
SITE: Final = "https://soundcloud.com/"
"""The only site that the page links to."""

_SPACES = re.compile(r"\s+")
_CLOSING: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *children: str | None, **attributes: str | float | None) -> Html:
    """Return an element. Children other than ``Html`` are escaped, as are the values of attributes.

    A trailing underscore of an attribute's name is dropped, others become dashes; ``None`` leaves it out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{join(*children)}</{name}>")


def join(*parts: str | None) -> Html:
    """Return the parts one after the other; those other than ``Html`` are escaped."""
    return Html(
        "".join(part if isinstance(part, Html) else html.escape(part) for part in parts if part is not None)
    )


def shown(text: str | None, unknown: str = "(no title known)") -> str:
    """Return a title or name from outside on one line, without control characters, cut to ``MAX_TEXT``."""
    line = _SPACES.sub(" ", for_database(text or "")).strip()
    if not line:
        return unknown
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def path_of(url: str | None) -> str | None:
    """Return the path of a page on ``SITE``; ``None`` if the address is not one of its pages."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    is_page = parts.scheme == "https" and parts.netloc == "soundcloud.com" and len(parts.path) > 1
    return parts.path[1:] if is_page and not parts.path.startswith("//") else None


def link(text: str, url: str | None) -> Html:
    """Return the text, with a link if its address is a page of SoundCloud; both are from outside."""
    path = path_of(url)
    # Names may be written from right to left, which must not turn what follows.
    named = tag("bdi", text)
    return (
        named
        if path is None
        else tag("a", named, href=f"{SITE}{path}", target="_blank", rel="noopener noreferrer")
    )


def data(identifier: str, value: object) -> Html:
    """Return an element with JSON for the page's script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escaped in _CLOSING.items():
        text = text.replace(character, escaped)
    return Html(f'<script type="application/json" id="{identifier}">{text}</script>')
