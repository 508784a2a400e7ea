"""Mentions of accounts: "@name", as SoundCloud links it, and links to profiles."""

# This file searches for characters of other scripts that look like ASCII.
# Word lists read better as text.
# ruff: noqa: RUF001, SIM905

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.names import bare_key, distinct
from sgr_spiders.titles.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MENTION: Final = re.compile(
    r"(?<![\w@＠./+-])[@＠]([A-Za-z0-9](?:[A-Za-z0-9_-]{1,62})[A-Za-z0-9])(?![\w@-]|\.\w)"
)
_CLOCK: Final = re.compile(r"\d{1,4}(?:am|pm|h|hz|bpm|kbps)", re.IGNORECASE)
_LINK: Final = re.compile(
    r"(?<![\w@.-])(?:www\.|m\.)?soundcloud\.com/([a-z0-9][a-z0-9_-]{1,62}[a-z0-9])(?![\w@-])", re.IGNORECASE
)
_NO_ACCOUNTS: Final = frozenset(
    "charts discover download feed go groups jobs likes messages notifications oauth oembed pages people "
    "player popular premium search settings signin stations stream tags terms-of-use topic tracks upload "
    "you".split()
)
"""Paths of the site that are not accounts."""
_SITE: Final = (
    r"(?:audius|bandcamp|bandlab|bereal|bsky|bluesky|dms?|discord|facebook|fb|ig|insta?|instagram|kik"
    r"|linktr\.?ee|mastodon|mixcloud|onlyfans|patreon|snapchat|socials?"
    r"|(?:all )?(?:social media|platforms)|spotify|telegram|threads|tik ?tok|tumblr|tw|twitch|twitter"
    r"|venmo|vimeo|vsco|cash ?app|paypal|vk|wechat|weibo|whatsapp|x\.com|youtube|yt"
    r"|(?:kick|snap|tt)(?=\s?[:：])"
    r"|инст\w{0,6}|вк|тг|телеграм\w{0,2}"
    r"|인스타(?:그램)?|트위터|インスタ(?:グラム)?|ツイッター)"
)
_NO_COLLABORATORS: Final = frozenset("".join(name.split()) for name in SERVICES) | {
    "all",
    "everyone",
    "facebook",
    "instagram",
    "splice",
}
"""Handles of everybody, shops and services, which name no collaborator."""
_BEFORE_HANDLE: Final = re.compile(
    rf"(?:\b{_SITE}\b|(?:instagram|facebook|fb|twitter|tiktok|youtube|vk)\.com/[\w./-]{{1,40}}\n?|[📷📸🐦])"
    r"(?:[：:][^\S\n]*\n|[^\S\n]|[：:=>|/→➜➔►▶▸»~–,&+.-]"
    rf"|(?<=\W)(?:is|at|as|como|handle|me|page|and|or|{_SITE})\b"
    rf"|[@＠][\w.-]{{1,64}}){{0,12}}\Z|(?:\A|\n)\W{{0,3}}{_SITE}\s?\n\Z",
    re.IGNORECASE,
)
"""Another site before a handle: "my ig is @name", "Twitter & IG: @name"."""
_AFTER_HANDLE: Final = re.compile(
    rf"\s{{0,2}}(?:[(\[（]|[-–—|:]|(?:on|via|over on|at|en|auf|sur|в|no)\s)\s{{0,2}}"
    rf"(?:my\s|the\s|all\s)?{_SITE}\b"
    rf"(?!\.com|\s*[：:]\s*[@＠])",
    re.IGNORECASE,
)
"""Another site after a handle: "@name on instagram", but not "@name | instagram: @other"."""
_BEFORE_VENUE: Final = re.compile(
    r"\b(?:live|live ?set|(?:live|dj|closing|opening|warm-?up) (?:set|session|party)|recorded|residency"
    r"|played|playing|catch (?:me|us)|see you|(?:en|ao|dal) vivo|en (?:concert|directo)|na żywo)"
    r"(?: (?:from|at|in))?\s{1,2}\Z",
    re.IGNORECASE,
)
"""Words before the "@" of a place: "Live @Somewhere"."""
_PERMALINK_WORD: Final = re.compile(r"[^_-]+")
_LOOK_AROUND: Final = 60
_MIN_NAME: Final = 3


def mentions(*texts: str | None) -> tuple[str, ...]:
    """Return the mentioned permalinks in lower case, without venues and handles of other sites."""
    return distinct(permalink for text in texts if text for permalink in _permalinks(text))


def _permalinks(text: str) -> Iterator[str]:
    """Yield the permalinks in a text, those after "@" first."""
    for match in _MENTION.finditer(text):
        handle = match[1].lower()
        if (
            handle not in _NO_COLLABORATORS
            and not _CLOCK.fullmatch(handle)
            and not _is_elsewhere(text, match)
        ):
            yield handle
    for link in _LINK.findall(text) if "soundcloud.com/" in text.lower() else ():
        if link.lower() not in _NO_ACCOUNTS:
            yield link.lower()


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
