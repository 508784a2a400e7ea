"""Dictionaries for ``raw``: smaller frames, the same fields, and nothing of a single record inside."""

from __future__ import annotations

import random
from typing import Any

import pytest
import zstandard

from sgr_spiders.soundcloud import raw, raw_dictionary
from sgr_spiders.soundcloud.raw import load_dictionary, pack, packing_with, unpack

SOURCE = random.Random(7)  # noqa: S311 - not a secret
NAMES = ["".join(SOURCE.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(300)]


def track(number: int) -> dict[str, Any]:
    name = NAMES[number]
    return {
        "commentable": True,
        "embeddable_by": "all",
        "last_modified": f"20{number % 10}4/0{number % 9 + 1}/12 10:11:12 +0000",
        "original_content_size": 7_000_000 + 7919 * number,
        "permalink": name,
        "publisher_metadata": {"artist": f"{name.title()} {name[::-1]}", "contains_music": True},
        "waveform_url": f"https://wave.example.com/{name}_m.json",
        name: 1,
    }


TRACKS = [track(number) for number in range(300)]


@pytest.fixture(scope="module")
def dictionary() -> bytes:
    trained = raw_dictionary.train([TRACKS, []])
    assert trained is not None
    return trained


def test_fields_survive_and_take_less_space(dictionary: bytes) -> None:
    alone = [pack(fields) or b"" for fields in TRACKS]
    with packing_with(load_dictionary(dictionary)):
        shared = [pack(fields) or b"" for fields in TRACKS]
    assert [unpack(packed) for packed in shared] == TRACKS
    assert sum(map(len, alone)) > 1.8 * sum(map(len, shared))
    assert pack(TRACKS[0]) == alone[0], "outside the context no dictionary is used"


def test_the_frame_names_its_dictionary_for_any_reader(dictionary: bytes) -> None:
    own_id = load_dictionary(dictionary)
    assert raw.FIRST_ID <= own_id <= raw.LAST_ID
    with packing_with(own_id):
        packed = pack(TRACKS[1]) or b""
    assert zstandard.get_frame_parameters(packed).dict_id == own_id
    reader = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(dictionary))
    assert reader.decompress(packed) == raw.dump_json(TRACKS[1])


def test_the_same_records_give_the_same_dictionary(dictionary: bytes) -> None:
    assert raw_dictionary.train([TRACKS, []]) == dictionary


def test_a_dictionary_contains_nothing_of_a_single_record(dictionary: bytes) -> None:
    assert b"waveform_url" in dictionary
    pieces = {name[start : start + 6] for name in NAMES for start in (0, 3, 6)}
    lower = dictionary.lower()
    # Filler is random as well: a few pieces of six letters may occur by chance, none as a whole.
    assert sum(piece.encode() in lower for piece in pieces) <= 2
    assert not any(name[:9].encode() in lower for name in NAMES)


def test_a_frame_whose_dictionary_is_unknown_is_refused_with_its_id() -> None:
    trained = raw_dictionary.train([[fields | {"other": True} for fields in TRACKS]]) or b""
    content = zstandard.ZstdCompressionDict(trained)
    packed = zstandard.ZstdCompressor(dict_data=content).compress(b'{"a":1}')
    with pytest.raises(ValueError, match=f"dictionary {content.dict_id()}, which is not loaded"):
        unpack(packed)


def test_crawls_of_two_databases_in_one_process_use_no_dictionary(dictionary: bytes) -> None:
    own_id = load_dictionary(dictionary)
    alone = pack(TRACKS[2])
    with packing_with(own_id):
        with packing_with(None):
            assert pack(TRACKS[2]) == alone
        assert pack(TRACKS[2]) != alone
        assert pack(TRACKS[2], alone=True) == alone


def test_too_few_records_give_no_dictionary() -> None:
    assert raw_dictionary.train([TRACKS[:5], []]) is None
