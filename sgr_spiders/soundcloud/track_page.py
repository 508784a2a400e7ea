"""The page of a track on soundcloud.com: its URL, and the comments on the rendered page.

A page contains the first batch of comments in one of two forms. The list that the page's scripts build
contains the author, the text, the time and the position in the track, and the comment's ID in its reply
link. The part for browsers without scripts (``noscript``) contains only author, text and time.
Everything on a page is external data; anything invalid is rejected or ends the walk.
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
"""The endpoint of walks over such a page; the target is its URL."""

SITE: Final = "https://soundcloud.com"

MAX_BYTES: Final = 4 * 1024 * 1024
"""Maximum size of a page; rendered pages have about 1 MB."""
MAX_COMMENTS: Final = 1000
"""Maximum number of comments read from a page; a first batch has a few dozen."""
MAX_PARTS: Final = 20
"""Maximum number of ``noscript`` parts, or of scripts with data, that are searched."""
MAX_NAME: Final = 200
MAX_MADE_UP_ID: Final = -(2**62)
"""Upper bound of made-up comment IDs, so that they and their absolute values differ from real IDs."""

_HOSTS: Final = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""The characters of a permalink."""
_SOUND: Final = re.compile(r"soundcloud://sounds:(\d{1,19})")
_REPLY: Final = re.compile(r"/comments/(\d{1,19})(?:[/?#]|\Z)")
_POSITION: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})")
_ITEMS: Final = "//li[contains(concat(' ', normalize-space(@class), ' '), ' commentsList__item ')]"
_SECTIONS: Final = "//section[contains(concat(' ', normalize-space(@class), ' '), ' comments ')]"
_MAX_ELEMENTS: Final = 5 * MAX_COMMENTS
"""Maximum number of headings, paragraphs and times read from a section; a comment has at least one each."""
_CHALLENGES: Final = ("captcha", "awswaf", "challenge-platform", "the request could not be satisfied")
"""Strings that identify the pages of firewalls, in lower case."""


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a comment on the page: the name in URLs and the display name."""

    permalink: str
    username: str | None


@dataclass(frozen=True, slots=True)
class _PageComment:
    """A comment as it appears on the page, before validation."""

    href: str
    name: str
    body: str
    time: str | None
    position: str = ""
    comment_id: int | None = None


def page_url(permalink_url: str | None) -> str | None:
    """Return the canonical URL of a track's page, or ``None`` if it is not that of a public track."""
    names = _path_on_site(permalink_url or "").split("/")[1:]
    if len(names) != 2 or not all(_NAME.fullmatch(name) for name in names):
        return None
    return f"{SITE}/{names[0]}/{names[1]}"


def profile_url(author: Author) -> str:
    """Return the URL of an author's page, which the API resolves to the account."""
    return f"{SITE}/{author.permalink}"


def author_of(comment: Comment) -> Author | None:
    """Return the author that the page named, or ``None`` if the comment came from the API."""
    user = unpack(comment.raw).get("user") if comment.raw else None
    if not isinstance(user, dict) or not isinstance(user.get("permalink"), str):
        return None
    return Author(user["permalink"], user.get("username"))


def page_from_rendering(walk: Walk, status: int, body: bytes) -> Page:
    """Build the page of *walk* from a response of Splash's ``render.html``."""
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
    fields = document if isinstance(document, dict) else {}
    info = fields.get("info")
    details = [info.get("description"), info.get("text")] if isinstance(info, dict) else []
    texts = [text for text in (fields.get("description"), *details) if isinstance(text, str) and text]
    return ": ".join([f"Splash: HTTP {status}", *map(for_log, texts)])


def _why_no_track(text: str) -> str:
    lowered = text.lower()
    if any(trace in lowered for trace in _CHALLENGES):
        return "blocked: the site answers with a bot challenge"
    return "the page shows no track"


def _track_id(root: Selector) -> int | None:
    """Return the ID of the page's track, from its head or from its data for scripts."""
    for content in root.css("meta[property]::attr(content)").getall():
        if match := _SOUND.fullmatch(content):
            return parse_key(match[1], "track")
    scripts = root.xpath("//script[contains(., '__sc_hydration')]")[:MAX_PARTS]
    return next(filter(None, map(_read_hydration_id, scripts)), None)


def _read_hydration_id(script: Selector) -> int | None:
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


def _comments(root: Selector) -> Iterator[_PageComment]:
    listed = root.xpath(f"({_ITEMS})[position() <= {MAX_COMMENTS}]")
    if listed:
        yield from map(_read_list_item, listed)
        return
    for part in (root, *_without_scripts(root)):
        # Only the outermost one: nested sections would be read repeatedly.
        for section in part.xpath(f"({_SECTIONS})[1]"):
            yield from _read_section(section)


def _without_scripts(root: Selector) -> Iterator[Selector]:
    """Yield the ``noscript`` parts that are escaped text as documents.

    WebKit runs scripts, so it treats such a part as text and escapes it with ``&lt;``.
    """
    for noscript in root.xpath("//noscript[not(*) and contains(., '<section')]")[:MAX_PARTS]:
        yield Selector(text=noscript.xpath("string()").get(""), type="html")


def _read_list_item(item: Selector) -> _PageComment:
    link = item.css("a.commentItem__usernameLink")
    # The site writes this link; links in the text are the author's and may name any comment.
    reply = _REPLY.search(item.css("a.commentItem__replyButton::attr(href)").get(""))
    paragraphs = item.css(".commentItem__body p") or item.css(".commentItem__body")
    return _PageComment(
        href=link.attrib.get("href", ""),
        name=_text(link),
        body="\n".join(map(_text, paragraphs)),
        time=item.css("time::attr(datetime)").get(),
        position=_text(item.css(".commentItem__timestampLink")),
        comment_id=parse_key(reply[1], "comment") if reply else None,
    )


def _read_section(section: Selector) -> Iterator[_PageComment]:
    """Yield the comments of a section: a heading with a link to the author, then text and time."""
    parts = section.xpath(
        f"(.//*[self::h2 or self::h3 or self::p or self::time])[position() <= {_MAX_ELEMENTS}]"
    )
    begins = [index for index, part in enumerate(parts) if part.root.tag in {"h2", "h3"} and part.css("a")]
    for begin, end in pairwise([*begins, len(parts)]):
        link = parts[begin].css("a")
        rest = parts[begin + 1 : end]
        times = [part for part in rest if part.root.tag == "time"]
        yield _PageComment(
            href=link.attrib.get("href", ""),
            name=_text(link),
            body="\n".join(_text(part) for part in rest if part.root.tag == "p"),
            time=(times[0].attrib.get("datetime") or _text(times[0])) if times else None,
        )


def _text(part: Selector | list[Selector]) -> str:
    """Return the stripped text of the first element."""
    text: str = part.xpath("string()").get("")  # type: ignore[union-attr]
    return text.strip()


def _add(page: Page, track_id: int, found: _PageComment) -> None:
    permalink = _path_on_site(found.href).removeprefix("/")
    if not _NAME.fullmatch(permalink):
        page.rejects.append(_reject(found, "names no author"))
        return
    if not found.body:
        page.rejects.append(_reject(found, "has no text"))
        return
    # The pipeline validates the date, as it does for those of the API.
    created_at = cast("str | None", to_iso(found.time))
    user = {"permalink": permalink.lower(), "username": _one_line(found.name)}
    comment = Comment(
        comment_id=found.comment_id or _make_up_id(track_id, permalink.lower(), created_at, found.body),
        track_id=track_id,
        body=found.body,
        timestamp_ms=_milliseconds(found.position),
        created_at=created_at,
        raw=pack({"user": user}),
    )
    page.entries.append(Entry(comment))


def _reject(found: _PageComment, reason: str) -> Reject:
    excerpt = {"href": found.href[:MAX_NAME], "name": found.name[:MAX_NAME], "body": found.body[:MAX_NAME]}
    return Reject("comment", found.comment_id, None, reason, pack({"item": excerpt}, alone=True))


def _path_on_site(href: str) -> str:
    """Return the path of a link within the site, else an empty string."""
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


def _milliseconds(position: str) -> int | None:
    match = _POSITION.fullmatch(position)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _make_up_id(track_id: int, permalink: str, created_at: str | None, body: str) -> int:
    """Make up an ID for a comment without one: negative, and the same each time.

    The ID is ``MAX_MADE_UP_ID`` minus 62 bits of a hash.
    """
    text = f"{track_id}\n{permalink}\n{created_at}\n{body}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return MAX_MADE_UP_ID - (int.from_bytes(digest, "big") >> 2)
