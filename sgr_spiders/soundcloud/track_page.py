"""The page of a track on soundcloud.com: its address, and the comments that a rendered one shows.

A page shows a first batch of comments, in one of two forms. The list that the page's scripts fill in
names the author, the text, the time and the place in the track, and the comment's id in the link to
reply to it. The part for browsers without scripts (``noscript``) has author, text and time only.
Everything on a page is data from outside; whatever is odd about it is set aside or ends the walk.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from parsel import Selector

from sgr_spiders.model.items import Comment, Entry, Page, Reject
from sgr_spiders.soundcloud.answers import UnusableDocumentError, decode
from sgr_spiders.soundcloud.dates import to_iso
from sgr_spiders.soundcloud.raw import pack, unpack
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.text.escape import for_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.model.items import Walk

TRACK_PAGE: Final = "track_page"
"""The endpoint of walks over such a page; the target is its address."""

SITE: Final = "https://soundcloud.com"

MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest page that is read; rendered ones have about one megabyte."""
MAX_COMMENTS: Final = 1000
"""The most comments read from a page; a first batch has some dozens at most."""
MAX_PARTS: Final = 20
"""The most parts for browsers without scripts, or scripts with data, that are looked into."""
MAX_NAME: Final = 200
MAX_MADE_UP_ID: Final = -(2**62)
"""The ids made up for comments are at most this, so neither they nor their absolute values meet real ones."""

_HOSTS: Final = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What a permalink is made of."""
_SOUND: Final = re.compile(r"soundcloud://sounds:(\d{1,19})")
_REPLY: Final = re.compile(r"/comments/(\d{1,19})(?:[/?#]|\Z)")
_PLACE: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})")
_ITEMS: Final = "//li[contains(concat(' ', normalize-space(@class), ' '), ' commentsList__item ')]"
_SECTIONS: Final = "//section[contains(concat(' ', normalize-space(@class), ' '), ' comments ')]"
_MOST: Final = 5 * MAX_COMMENTS
"""The most headings, paragraphs and times read of a section: a comment has one of each, or some more."""
_CHALLENGES: Final = ("captcha", "awswaf", "challenge-platform", "the request could not be satisfied")
"""Traces of the pages that firewalls answer with, in lower case."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a comment, as the page says it: the name in URLs and the name shown."""

    permalink: str
    username: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """A comment as it stands on the page, before anything of it is judged."""

    href: str
    name: str
    body: str
    time: str | None
    place: str = ""
    comment_id: int | None = None


def address_of(permalink_url: str | None) -> str | None:
    """Give the address of a track's page in its one spelling; ``None`` if this is not a public track's."""
    names = _path_on_site(permalink_url or "").split("/")[1:]
    if len(names) != 2 or not all(_NAME.fullmatch(name) for name in names):
        return None
    return f"{SITE}/{names[0]}/{names[1]}"


def profile_of(author: Author) -> str:
    """Give the address of an author's page, which the API resolves to the account."""
    return f"{SITE}/{author.permalink}"


def author_of(comment: Comment) -> Author | None:
    """Tell whom the page named as the author; ``None`` if the comment came from the API."""
    user = unpack(comment.raw).get("user") if comment.raw else None
    if not isinstance(user, dict) or not isinstance(user.get("permalink"), str):
        return None
    return Author(user["permalink"], user.get("username"))


def page_from_rendering(walk: Walk, status: int, body: bytes) -> Page:
    """Build the page that an answer of Splash's ``render.html`` is to *walk*."""
    if status != 200:
        return Page(walk, status="failed", reason=_refusal(status, body))
    if len(body) > MAX_BYTES:
        return Page(walk, status="failed", reason=f"the page is larger than {MAX_BYTES} bytes")
    text = body.decode("utf-8", errors="replace")
    root = Selector(text=text, type="html")
    track_id = _track_id(root)
    if track_id is None:
        return Page(walk, status="failed", reason=_why_no_track(text))
    page = Page(walk)
    for found in _comments(root):
        page.received += 1
        _add(page, track_id, found)
    return page


def _refusal(status: int, body: bytes) -> str:
    if status == 504:
        return "Splash: HTTP 504: the page was not rendered in time"
    try:
        document = decode(body)
    except UnusableDocumentError:
        return f"Splash: HTTP {status}"
    said = document if isinstance(document, dict) else {}
    info = said.get("info")
    details = [info.get("description"), info.get("text")] if isinstance(info, dict) else []
    texts = [text for text in (said.get("description"), *details) if isinstance(text, str) and text]
    return ": ".join([f"Splash: HTTP {status}", *map(for_log, texts)])


def _why_no_track(text: str) -> str:
    lowered = text.lower()
    if any(trace in lowered for trace in _CHALLENGES):
        return "blocked: the site answers with a bot challenge"
    return "the page shows no track"


def _track_id(root: Selector) -> int | None:
    """Give the id of the track whose page it is: its own head says so, or its data for scripts."""
    for content in root.css("meta[property]::attr(content)").getall():
        if match := _SOUND.fullmatch(content):
            return parse_key(match[1], "track")
    scripts = root.xpath("//script[contains(., '__sc_hydration')]")[:MAX_PARTS]
    return next(filter(None, map(_hydrated_id, scripts)), None)


def _hydrated_id(script: Selector) -> int | None:
    """Read ``window.__sc_hydration = […];``, of which the sound is one part."""
    _, _, assigned = script.xpath("string()").get("").partition("__sc_hydration")
    try:
        document = decode(assigned.strip(" \n=;").encode("utf-8", errors="replace"))
    except UnusableDocumentError:
        return None
    for part in document:
        if (
            isinstance(part, dict)
            and part.get("hydratable") == "sound"
            and isinstance(part.get("data"), dict)
        ):
            return parse_key(part["data"].get("id"), "track")
    return None


def _comments(root: Selector) -> Iterator[_Found]:
    listed = root.xpath(f"({_ITEMS})[position() <= {MAX_COMMENTS}]")
    if listed:
        yield from map(_listed, listed)
        return
    for part in (root, *_without_scripts(root)):
        # The outermost one: sections within each other would be read over and over.
        for section in part.xpath(f"({_SECTIONS})[1]"):
            yield from _sectioned(section)


def _without_scripts(root: Selector) -> Iterator[Selector]:
    """Give the parts for browsers without scripts as documents of their own where they came as text.

    WebKit, which runs scripts, takes such a part for text and writes it with ``&lt;``.
    """
    for noscript in root.xpath("//noscript[not(*) and contains(., '<section')]")[:MAX_PARTS]:
        yield Selector(text=noscript.xpath("string()").get(""), type="html")


def _listed(item: Selector) -> _Found:
    link = item.css("a.commentItem__usernameLink")
    # This link is the site's own; those in the text are the author's, who may name any comment in them.
    reply = _REPLY.search(item.css("a.commentItem__replyButton::attr(href)").get(""))
    paragraphs = item.css(".commentItem__body p") or item.css(".commentItem__body")
    return _Found(
        href=link.attrib.get("href", ""),
        name=_text(link),
        body="\n".join(map(_text, paragraphs)),
        time=item.css("time::attr(datetime)").get(),
        place=_text(item.css(".commentItem__timestampLink")),
        comment_id=parse_key(reply[1], "comment") if reply else None,
    )


def _sectioned(section: Selector) -> Iterator[_Found]:
    """Read a heading with a link to the author, then text and time, over and over."""
    parts = section.xpath(f"(.//*[self::h2 or self::h3 or self::p or self::time])[position() <= {_MOST}]")
    begins = [place for place, part in enumerate(parts) if part.root.tag in {"h2", "h3"} and part.css("a")]
    for begin, end in pairwise([*begins, len(parts)]):
        link = parts[begin].css("a")
        rest = parts[begin + 1 : end]
        times = [part for part in rest if part.root.tag == "time"]
        yield _Found(
            href=link.attrib.get("href", ""),
            name=_text(link),
            body="\n".join(_text(part) for part in rest if part.root.tag == "p"),
            time=(times[0].attrib.get("datetime") or _text(times[0])) if times else None,
        )


def _text(part: Selector | list[Selector]) -> str:
    """The text of the first element, trimmed."""
    text: str = part.xpath("string()").get("")  # type: ignore[union-attr]
    return text.strip()


def _add(page: Page, track_id: int, found: _Found) -> None:
    permalink = _path_on_site(found.href).removeprefix("/")
    if not _NAME.fullmatch(permalink):
        page.rejects.append(_reject(found, "names no author"))
        return
    if not found.body:
        page.rejects.append(_reject(found, "has no text"))
        return
    # What is no date is judged by the validation, as it is where the API gives one.
    created_at = cast("str | None", to_iso(found.time))
    user = {"permalink": permalink.lower(), "username": _one_line(found.name)}
    comment = Comment(
        comment_id=found.comment_id or _made_up_id(track_id, permalink.lower(), created_at, found.body),
        track_id=track_id,
        body=found.body,
        timestamp_ms=_milliseconds(found.place),
        created_at=created_at,
        raw=pack({"user": user}),
    )
    page.entries.append(Entry(comment))


def _reject(found: _Found, reason: str) -> Reject:
    excerpt = {"href": found.href[:MAX_NAME], "name": found.name[:MAX_NAME], "body": found.body[:MAX_NAME]}
    return Reject("comment", found.comment_id, None, reason, pack({"item": excerpt}))


def _path_on_site(href: str) -> str:
    """Give the path of a link that stays on the site, else nothing."""
    try:
        url = urlsplit(href)
        host = url.hostname
    except ValueError:
        return ""
    if url.scheme not in {"", "http", "https"} or (host not in _HOSTS if url.netloc else url.scheme):
        return ""
    return url.path.removesuffix("/")


def _one_line(name: str) -> str | None:
    printable = "".join(character if character.isprintable() else " " for character in name[:MAX_NAME])
    return " ".join(printable.split()) or None


def _milliseconds(place: str) -> int | None:
    match = _PLACE.fullmatch(place)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _made_up_id(track_id: int, permalink: str, created_at: str | None, body: str) -> int:
    """Give an id to a comment that is shown without one: negative, and the same whenever it is seen.

    62 bits of a hash, taken off MAX_MADE_UP_ID.
    """
    text = f"{track_id}\n{permalink}\n{created_at}\n{body}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return MAX_MADE_UP_ID - (int.from_bytes(digest, "big") >> 2)
