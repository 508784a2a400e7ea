"""Train the zstd dictionary with which ``raw.pack`` compresses the fields of small records.

A record alone is too short to compress: it consists of names and values that other records have, too. A
dictionary contains these. It outlives the records that it was trained on, so it must contain nothing of a
single one: the samples are records in which every text and number that few records share is replaced by a
random one of the same shape.
"""

from __future__ import annotations

import hashlib
import random
import re
import string
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import zstandard

from sgr_spiders.soundcloud.raw import FIRST_ID, LAST_ID, dump_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sgr_spiders.soundcloud.raw import Document, Json

DICTIONARY_BYTES: Final = 8 * 1024
"""The maximum size of a dictionary. A larger one compresses no better, and takes longer to load."""
SAMPLES: Final = 2_000
"""The number of samples of each kind of record; of fewer records, each gives several samples."""
MIN_SHARED: Final = 20
"""The number of records of a kind that must share a value before it may be in the dictionary."""
SHARED_PART: Final = 0.02
"""The same as a share of these records."""

_TOKEN: Final = re.compile(r"[/:?&=._-]+|[^/:?&=._-]+")
_HEADER: Final = 8
"""Bytes of the magic number and the ID, at the beginning of a dictionary."""


def train(kinds: Sequence[Sequence[Document]]) -> bytes | None:
    """Return a dictionary for records like those of *kinds*, ``None`` if there are too few of them.

    The same records give the same dictionary.
    """
    source = random.Random(0)  # noqa: S311 - filler, not a secret
    samples: list[bytes | bytearray | memoryview[int]] = []
    for documents in kinds:
        if len(documents) >= MIN_SHARED:
            shape = _Shape(documents, source)
            samples += [
                dump_json(shape.blank(documents[number % len(documents)])) for number in range(SAMPLES)
            ]
    if not samples:
        return None
    try:
        trained = zstandard.train_dictionary(DICTIONARY_BYTES, samples, level=3).as_bytes()
    except zstandard.ZstdError:  # nothing repeats
        return None
    return _with_own_id(trained)


def _with_own_id(trained: bytes) -> bytes:
    """Return the dictionary with an ID that follows from its content."""
    digest = int.from_bytes(hashlib.sha256(trained[_HEADER:]).digest()[:8], "big")
    own_id = FIRST_ID + digest % (LAST_ID - FIRST_ID + 1)
    return trained[:4] + own_id.to_bytes(4, "little") + trained[_HEADER:]


class _Shape:
    """The parts that records of one kind share: names of fields, values, beginnings and ends of texts."""

    def __init__(self, documents: Sequence[Document], source: random.Random) -> None:
        self._random = source
        counts: Counter[tuple[str, str]] = Counter()
        for document in documents:
            counts.update(set(_parts_of(document, "")))
        least = max(MIN_SHARED, round(SHARED_PART * len(documents)))
        self._shared = {part for part, count in counts.items() if count >= least}

    def blank(self, value: Json, place: str = "") -> Json:
        """Return *value* with filler for everything that few records share at this *place*."""
        match value:
            case dict():
                return {
                    name: self.blank(item, f"{place}.{name}")
                    for name, item in value.items()
                    if (f"{place}.{name}", "") in self._shared
                }
            case list():
                return [self.blank(item, f"{place}[]") for item in value[:2]]
            case str():
                return self._blank_text(value, place)
            case None | bool():
                return value
        if (place, f"={value}") in self._shared:
            return value
        return int(self._fill(str(abs(int(value))))[:15])

    def _blank_text(self, text: str, place: str) -> str:
        tokens = _TOKEN.findall(text)
        begin = max((s for s in accumulate(tokens) if (place, f"^{s}") in self._shared), key=len, default="")
        rest = text[len(begin) :]
        end = tokens[-1] if len(tokens) > 1 and (place, f"${tokens[-1]}") in self._shared else ""
        if len(end) > len(rest):
            end = ""
        return begin + self._fill(rest[: len(rest) - len(end)]) + end

    def _fill(self, text: str) -> str:
        return "".join(map(self._fill_character, text))

    def _fill_character(self, character: str) -> str:
        if character.isdigit():
            return self._random.choice(string.digits)
        if character.isalpha():
            return self._random.choice(
                string.ascii_uppercase if character.isupper() else string.ascii_lowercase
            )
        return character if character.isascii() else "x"


def _parts_of(value: Json, place: str) -> Iterator[tuple[str, str]]:
    """Yield what other records may share of *value*: (place, part), with an empty part for the place."""
    yield place, ""
    match value:
        case dict():
            for name, item in value.items():
                yield from _parts_of(item, f"{place}.{name}")
        case list():
            for item in value[:2]:
                yield from _parts_of(item, f"{place}[]")
        case str():
            tokens = _TOKEN.findall(value)
            yield from ((place, f"^{beginning}") for beginning in accumulate(tokens))
            if len(tokens) > 1:
                yield place, f"${tokens[-1]}"
        case int() | float():
            yield place, f"={value}"
