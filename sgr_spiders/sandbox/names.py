"""Names of people and labels, and the permalinks derived from them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from sgr_spiders.sandbox import vocabulary as words

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return the permalink form of a name; empty if no permitted character is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_SLUG.sub("-", plain.replace("'", "")).strip("-")


def label_names(count: int) -> list[str]:
    """Return distinct label names, the first ones without a numeral."""
    names = []
    for number in range(count):
        turn, word = divmod(number, len(words.LABEL_WORDS))
        suffix = words.LABEL_SUFFIXES[(turn + word) % len(words.LABEL_SUFFIXES)]
        stem = words.LABEL_WORDS[word] + (f" {turn + 1}" if turn else "")
        names.append(f"{stem} {suffix}")
    return names


def label_stem(name: str) -> str:
    """Return the name without its suffix, such as "Records" or "Music"."""
    return name.rsplit(" ", 1)[0]


def label_spellings(name: str) -> tuple[str, ...]:
    """Return the spellings of a label, the official one first."""
    stem = label_stem(name)
    return (name, stem, stem.lower(), name.lower(), f"{stem} Rec.", name.upper())


def _pattern_name(patterns: tuple[str, ...], throws: np.ndarray) -> str:
    which, first, last, word, other, city, number = (int(throw) for throw in throws)
    fields = {
        "first": words.FIRST_NAMES[first % len(words.FIRST_NAMES)],
        "last": words.LAST_NAMES[last % len(words.LAST_NAMES)],
        "word": words.ARTIST_WORDS[word % len(words.ARTIST_WORDS)],
        "other": words.ARTIST_WORDS[other % len(words.ARTIST_WORDS)],
        "city": words.CITIES[city % len(words.CITIES)][0],
        "number": str(number % 1000),
    }
    lower = {
        "first_lower": slug(fields["first"]),
        "last_lower": slug(fields["last"]),
        "lower": fields["word"].lower(),
        "other_lower": fields["other"].lower(),
    }
    return patterns[which % len(patterns)].format(**fields, **lower)


def usernames(rng: np.random.Generator, is_artist: Iterable[bool], labels: dict[int, str]) -> list[str]:
    """Return distinct usernames, one per person; ``labels`` contains those of label accounts."""
    flags = list(is_artist)
    throws = rng.integers(0, 1 << 20, size=(len(flags), 7))
    taken: dict[str, int] = {}
    names = []
    for index, artist in enumerate(flags):
        if index in labels:
            name = labels[index]
        elif throws[index, 6] % 25 == 0:
            name = words.ODD_NAMES[int(throws[index, 0]) % len(words.ODD_NAMES)]
        else:
            patterns = words.ARTIST_PATTERNS if artist else words.LISTENER_PATTERNS
            name = _pattern_name(patterns, throws[index])
        names.append(_make_unique(name, " ", taken))
    return names


def permalinks(names: Iterable[str], fallback: Iterable[str]) -> list[str]:
    """Return distinct permalinks for names; ``fallback`` replaces empty ones."""
    taken: dict[str, int] = {}
    return [
        _make_unique(slug(name) or other, "-", taken) for name, other in zip(names, fallback, strict=True)
    ]


def _make_unique(name: str, joint: str, taken: dict[str, int]) -> str:
    """Return the name, followed by the first free number if it is taken."""
    number = taken.get(name, 0)
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name}{joint}{number + 1}"
    taken[name] = number
    taken[candidate] = taken.get(candidate, 0)
    return candidate
