"""References to records inside ``raw`` are found in every form that the API uses, and removed."""

from __future__ import annotations

from typing import Any

import pytest

from sgr_spiders.model.items import Reference
from sgr_spiders.soundcloud.embedded import page_reference, references_in, remove_references
from sgr_spiders.soundcloud.raw import pack, unpack

USER: Reference = ("user", 42)
PAGE: Reference = ("url", "https://soundcloud.com/ann")

FORMS = [
    {"kind": "user", "id": 42, "username": "Ann"},
    {"urn": "soundcloud:users:42", "username": "Ann"},
    {"uri": "https://api.soundcloud.com/users/42"},
    {"uri": "https://api.soundcloud.com/users/soundcloud%3Ausers%3A42"},
    "soundcloud:users:42",
    "https://api.soundcloud.com/users/42/tracks",
    "https://api.soundcloud.com/users/soundcloud:users:42",
]
OTHERS = [
    {"kind": "track", "id": 42},
    {"kind": "user", "id": 421},
    {"urn": "soundcloud:tracks:42"},
    "soundcloud:users:421",
    "https://api.soundcloud.com/users/4/42",
    42,
    "42",
    None,
]


def without(fields: dict[str, Any], *unwanted: Reference) -> dict[str, Any] | None:
    packed = pack(fields)
    assert packed is not None
    kept = remove_references(packed, set(unwanted))
    return None if kept is None else unpack(kept)


@pytest.mark.parametrize("value", FORMS)
def test_a_value_that_refers_to_a_record_is_removed_at_any_depth(value: object) -> None:
    assert USER in references_in(pack({"deep": [{"er": value}]}))
    assert without({"x": value, "y": 1}, USER) == {"y": 1}
    assert without({"list": [1, value, {"inner": value, "z": 2}]}, USER) == {"list": [1, {"z": 2}]}
    assert without({"x": value}, USER) is None


@pytest.mark.parametrize("value", OTHERS)
def test_other_values_stay(value: object) -> None:
    fields = {"x": value, "list": [value]}
    packed = pack(fields)
    assert packed is not None
    assert remove_references(packed, {USER}) is packed


def test_ids_in_named_fields() -> None:
    fields = {"label_id": 42, "user_ids": [41, 42, 43], "track_id": 42, "artist_id": "42", "plays": 42}
    assert without(fields, USER) == {"user_ids": [41, 43], "track_id": 42, "plays": 42}


def test_pages() -> None:
    fields = {"by": {"permalink_url": "http://www.soundcloud.com/Ann?utm_source=x", "name": "Ann"}, "on": 1}
    assert without(fields, PAGE) == {"on": 1}
    assert page_reference("https://soundcloud.com/Ann/") == PAGE
    assert page_reference("https://on.soundcloud.com/AbC") == ("url", "https://on.soundcloud.com/AbC")
    for other in (
        "https://soundcloud.com/",
        "https://example.com/ann",
        "ann",
        "https://[",
        "ftp://soundcloud.com/a",
    ):
        assert page_reference(other) is None


def test_nothing_to_read() -> None:
    assert references_in(None) == set()
