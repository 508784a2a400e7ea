"""The labels that a track names in its fields and its description.

`label_fields` reads the fields, and `label_descriptions` the description.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.label_descriptions import parse_description
from sgr_spiders.titles.label_fields import parse_field
from sgr_spiders.titles.label_keys import MAX_NAME, label_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

LABEL_FIELD: Final = "label_field"
DESCRIPTION_PARSING: Final = "description_parsing"
PUBLISHER_METADATA: Final = "publisher_metadata"
METHODS: Final = (LABEL_FIELD, DESCRIPTION_PARSING, PUBLISHER_METADATA)
"""Sources of labels, the most reliable first."""

MAX_TEXT: Final = 20_000
"""Number of characters of a description to search; SoundCloud allows about 4,000."""
_MAX_FIELD: Final = 4 * MAX_NAME


@dataclass(frozen=True)
class DetectedLabel:
    """A label as the track spells it, and the method that found it."""

    name: str
    method: str


def labels(
    label_name: str | None,
    description: str | None,
    publisher: Mapping[str, object] | None,
    methods: Collection[str],
) -> tuple[DetectedLabel, ...]:
    """Return the distinct labels of a track (see `label_key`), found by the given methods.

    Those of ``label_name`` come first, then those of the description in order, then those of the
    publisher's metadata. The uploader's own name counts like any other.
    """
    found: dict[str, DetectedLabel] = {}
    for method in METHODS:
        if method not in methods:
            continue
        if method == LABEL_FIELD:
            names = _parse_field(label_name or "")
        elif method == DESCRIPTION_PARSING:
            names = parse_description(_clean((description or "")[:MAX_TEXT]))
        else:
            names = _parse_publisher(publisher)
        for name in names:
            found.setdefault(label_key(name), DetectedLabel(name, method))
    return tuple(found.values())


def is_of_label(
    track_label_name: str | None,
    track_description: str | None,
    track_publisher: Mapping[str, object] | None,
    label: str,
) -> bool:
    """Return whether any of a track's own fields names the label in one of its spellings."""
    key = label_key(label)
    detected = labels(track_label_name, track_description, track_publisher, METHODS)
    return bool(key) and any(label_key(found.name) == key for found in detected)


_PUBLISHER_FIELDS: Final = (
    "label", "label_name", "record_label",
    "p_line", "p_line_for_display", "c_line", "c_line_for_display", "publisher",
)  # fmt: skip
_NAME_FIELDS: Final = ("name", "username")
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_BREAKS: Final = re.compile(r"\r\n?|[\u2028\u2029\x85]")


def _parse_publisher(publisher: Mapping[str, object] | None) -> Iterator[str]:
    for key in _PUBLISHER_FIELDS if publisher else ():
        value = publisher.get(key) if publisher else None
        for text in _texts(value):
            yield from _parse_field(text)


def _parse_field(text: str) -> Iterator[str]:
    return parse_field(_clean(text[:_MAX_FIELD]))


def _texts(value: object) -> Iterator[str]:
    """Yield a field's text, or the name of an account, which old responses contain under ``label``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (name for key in _NAME_FIELDS if isinstance(name := value.get(key), str))


def _clean(text: str) -> str:
    r"""Remove controls, formatting, terminal escapes and lone surrogates; convert line breaks to "\n"."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return _SPACES.sub(" ", text)
    visible = (
        " " if char == "\t" else char
        for char in _BREAKS.sub("\n", _ESCAPES.sub("", text))
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return _SPACES.sub(" ", unicodedata.normalize("NFC", "".join(visible)))
