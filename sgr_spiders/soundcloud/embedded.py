"""References to records inside ``raw``: find them, and remove the values that contain them.

The API embeds records, or names them by URN, URL or ID. A value refers to a record if it is

- an object with the URN, the API's URL, the page or (with its ``kind``) the ID of the record,
- a text that contains its URN or its URL, or
- the ID in a field such as ``label_id`` or ``track_ids``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from sgr_spiders.model.items import URL
from sgr_spiders.soundcloud.addresses import is_address, parse_reference
from sgr_spiders.soundcloud.raw import pack_again, unpack
from sgr_spiders.soundcloud.urns import PLURALS, parse_key

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sgr_spiders.model.items import Reference

_SITE_HOSTS: Final = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
_SHARE_HOST: Final = "on.soundcloud.com"
"""The host of share links, whose paths are codes in upper and lower case."""
_KINDS: Final = {plural: kind for kind, plural in PLURALS.items()}
_IN_TEXT: Final = re.compile(
    r"(?:soundcloud:|/)(tracks|users|playlists|comments)[:/](?:soundcloud:\1:)?([0-9]{1,20})(?![0-9])"
)
_WORDS: Final = {
    **{kind: kind for kind in PLURALS},
    "artist": "user",
    "author": "user",
    "creator": "user",
    "label": "user",
    "owner": "user",
    "reposter": "user",
    "uploader": "user",
    "set": "playlist",
}
"""The API's words for records in the names of fields such as ``label_id``, and the records' kinds."""


def page_reference(address: str) -> Reference | None:
    """Return the reference to the page at *address* on the site, ``None`` if it is another URL."""
    try:
        url = urlsplit(address)
    except ValueError:
        return None
    host, path = url.netloc.lower(), unquote(url.path).strip("/")
    if url.scheme not in {"http", "https"} or not path:
        return None
    if host == _SHARE_HOST:
        return URL, f"https://{host}/{path}"
    return (URL, f"https://soundcloud.com/{path.lower()}") if host in _SITE_HOSTS else None


def seed_reference(text: str) -> Reference | None:
    """Return the reference to the record or page that the seed *text* names, ``None`` if there is none."""
    track_id = parse_key(text, "track")
    found = parse_reference(text) if track_id is None else ("track", track_id)
    if found is not None:
        return found
    text = text.partition("#")[0]
    if "://" not in text:
        text = f"https://{text}" if is_address(text) else f"https://soundcloud.com/{text}"
    return page_reference(text)


def references_in(packed: bytes | None) -> set[Reference]:
    """Return what the fields of a ``raw`` refer to."""
    return set() if packed is None else set(_references(unpack(packed)))


def remove_references(packed: bytes, unwanted: Container[Reference]) -> bytes | None:
    """Return a ``raw`` without the values that refer to an *unwanted* record; ``None`` if nothing is left."""
    fields = unpack(packed)
    kept = _without(fields, unwanted)
    return packed if kept == fields else pack_again(kept)


def _references(value: Any, name: str = "") -> Iterator[Reference]:  # noqa: ANN401 - JSON
    yield from _own_references(value, name)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, name.removesuffix("s"))


def _own_references(value: Any, name: str) -> Iterator[Reference]:  # noqa: ANN401 - JSON
    """Yield what *value*, in the field *name*, refers to itself, without the values inside it."""
    if isinstance(value, str):
        yield from _references_in_text(value)
    elif isinstance(value, dict):
        yield from _identities(value)
    if name.endswith("_id"):
        yield from _by_id(_WORDS.get(name.removesuffix("_id")), value)


def _references_in_text(text: str) -> Iterator[Reference]:
    if "s:" in text or "s/" in text or "s%3A" in text:  # of "users:" and the like; a quick check
        for plural, digits in _IN_TEXT.findall(text.replace("%3A", ":")):
            yield from _by_id(_KINDS[plural], digits)
    if text.startswith("http") and (page := page_reference(text)) is not None:
        yield page


def _identities(embedded: dict[str, Any]) -> Iterator[Reference]:
    kind = embedded.get("kind")
    yield from _by_id(kind if isinstance(kind, str) else None, embedded.get("id"))
    for name in ("urn", "uri", "permalink_url"):
        if isinstance(embedded.get(name), str):
            yield from _references_in_text(embedded[name])


def _by_id(kind: str | None, value: object) -> Iterator[Reference]:
    if kind is None or kind not in PLURALS:
        return
    record_id = parse_key(value, kind)
    if record_id is not None:
        yield kind, record_id


def _without(value: Any, unwanted: Container[Reference], name: str = "") -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            key: _without(item, unwanted, key)
            for key, item in value.items()
            if not _is_unwanted(item, unwanted, key)
        }
    if isinstance(value, list):
        item_name = name.removesuffix("s")
        return [
            _without(item, unwanted, item_name)
            for item in value
            if not _is_unwanted(item, unwanted, item_name)
        ]
    return value


def _is_unwanted(value: Any, unwanted: Container[Reference], name: str) -> bool:  # noqa: ANN401 - JSON
    return any(reference in unwanted for reference in _own_references(value, name))
