"""@mentions, as SoundCloud links them."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from typing import Final

from sgr_spiders.titles.names import distinct

_MENTION: Final = re.compile(
    r"(?<![\w@＠./+-])[@＠]([A-Za-z0-9](?:[A-Za-z0-9_-]{1,62})[A-Za-z0-9])(?![\w@-]|\.\w)"
)
_CLOCK: Final = re.compile(r"\d{1,4}(?:am|pm|h|hz|bpm|kbps)", re.IGNORECASE)
_OTHER_SITE: Final = re.compile(
    r"\b(?:bandcamp|discord|facebook|fb|ig|insta|instagram|snap|snapchat|telegram|threads|tiktok|twitch|twitter"
    r"|yt|youtube)\b[\s:=>|/→–-]{0,6}$",
    re.IGNORECASE,
)


def mentions(*texts: str | None) -> tuple[str, ...]:
    """Return the mentioned permalinks in lower case, without handles of other sites."""
    return distinct(
        match[1].lower()
        for text in texts
        for match in _MENTION.finditer(text or "")
        if not _CLOCK.fullmatch(match[1])
        and not _OTHER_SITE.search(text or "", max(0, match.start() - 24), match.start())
    )
