"""@mentions, as SoundCloud links them."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.names import bare_key, distinct

if TYPE_CHECKING:
    from collections.abc import Iterable

_MENTION: Final = re.compile(
    r"(?<![\w@＠./+-])[@＠]([A-Za-z0-9](?:[A-Za-z0-9_-]{1,62})[A-Za-z0-9])(?![\w@-]|\.\w)"
)
_CLOCK: Final = re.compile(r"\d{1,4}(?:am|pm|h|hz|bpm|kbps)", re.IGNORECASE)
_SITE: Final = (
    r"(?:bandcamp|bsky|bluesky|discord|facebook|fb|ig|insta|instagram|linktree|mastodon|onlyfans|patreon"
    r"|snapchat|spotify|telegram|threads|tik ?tok|twitch|twitter|vk|x\.com|youtube|yt)"
)
_BEFORE_HANDLE: Final = re.compile(
    rf"(?:\b{_SITE}\b|[📷📸🐦])(?:[：:][^\S\n]*\n|[^\S\n]|[：:=>|/→–,&+.-]"
    rf"|(?<=\W)(?:is|at|handle|me|page|and|or|{_SITE})\b"
    r"|[@＠][\w.-]{1,64}){0,12}\Z",
    re.IGNORECASE,
)
"""Another site before a handle: "my ig is @name", "Twitter & IG: @name"."""
_AFTER_HANDLE: Final = re.compile(
    rf"\s{{0,2}}(?:\(|[-–—|:]|(?:on|via|over on|at)\s)\s{{0,2}}(?:my\s|the\s)?{_SITE}\b"
    rf"(?!\.com|\s*[：:]\s*[@＠])",
    re.IGNORECASE,
)
"""Another site after a handle: "@name on instagram", but not "@name | instagram: @other"."""
_BEFORE_VENUE: Final = re.compile(
    r"\b(?:live|live ?set|(?:live|dj|closing|opening|warm-?up) (?:set|session|party)|recorded|residency)"
    r"\s{1,2}\Z",
    re.IGNORECASE,
)
"""Words before the "@" of a place: "Live @Somewhere"."""
_PERMALINK_WORD: Final = re.compile(r"[^_-]+")
_LOOK_AROUND: Final = 60
_MIN_NAME: Final = 3


def mentions(*texts: str | None) -> tuple[str, ...]:
    """Return the mentioned permalinks in lower case, without venues and handles of other sites."""
    return distinct(
        match[1].lower()
        for text in texts
        for match in _MENTION.finditer(text or "")
        if not _CLOCK.fullmatch(match[1]) and not _is_elsewhere(text or "", match)
    )


def is_mentioned(name: str, permalinks: Iterable[str]) -> bool:
    """Return whether one of the permalinks is a name, or begins with it ("Sabi", ``sabi-q``)."""
    start = "".join(filter(str.isalnum, bare_key(name)))
    return len(start) >= _MIN_NAME and any(
        start in accumulate(_PERMALINK_WORD.findall(permalink)) for permalink in permalinks
    )


def _is_elsewhere(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    before = text[max(0, start - _LOOK_AROUND) : start].rpartition("\n\n")[2]
    return bool(
        _BEFORE_HANDLE.search(before)
        or _BEFORE_VENUE.search(before)
        or _AFTER_HANDLE.match(text, end, end + _LOOK_AROUND)
    )
