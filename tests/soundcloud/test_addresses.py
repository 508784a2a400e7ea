"""Addresses as users write them, and the records that seeds name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.items import URL
from sgr_spiders.soundcloud.addresses import is_address, mask_secret, parse_permalink, parse_reference
from sgr_spiders.soundcloud.embedded import seed_reference
from sgr_spiders.storage import redaction

if TYPE_CHECKING:
    from sgr_spiders.model.items import Reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("5", ("track", 5)),
        ("soundcloud:playlists:5", ("playlist", 5)),
        ("user:5", ("user", 5)),
        ("playlist:5#tracks", (URL, "https://soundcloud.com/playlist:5")),
        ("https://api.soundcloud.com/users/5", ("user", 5)),
        ("soundcloud.com/Ann/Song?si=1", (URL, "https://soundcloud.com/ann/song")),
        ("/ann/sets/mix", (URL, "https://soundcloud.com/ann/sets/mix")),
        ("https://m.soundcloud.com/ann#user#tracks", (URL, "https://soundcloud.com/ann")),
        ("https://example.com/ann", None),
    ],
)
def test_a_seed_names_a_record_or_page(text: str, reference: tuple[str, object] | None) -> None:
    assert seed_reference(text) == reference


def test_forms() -> None:
    assert all(map(is_address, ("m.soundcloud.com/a", "HTTP://x", "soundcloud.com")))
    assert not any(map(is_address, ("a/b", "soundcloud.community/a", "mysoundcloud.com/a")))
    assert parse_permalink("a/b c") is None
    assert parse_permalink("a/sets") is None
    assert parse_reference("track:x") is None
    assert parse_reference("https://soundcloud.com/tracks/5") is None
    assert (
        mask_secret("soundcloud.com/a/b/s-Hid?secret_token=Hid")
        == "soundcloud.com/a/b/s-...?secret_token=..."
    )


def test_every_spelling_of_a_forgotten_seed_is_redacted() -> None:
    forgotten: set[Reference] = {
        ("track", 5),
        ("user", 6),
        ("playlist", 7),
        (URL, "https://soundcloud.com/ann/song"),
    }
    text = (
        "5, 6 soundcloud:users:6 user:6 user:5 playlist:7,playlist:70 soundcloud:tracks:5 /ann/song "
        "m.soundcloud.com/Ann/Song?x=1 https://soundcloud.com/ann/song: ann/song, ann/songs"
    )
    gone = redaction.REDACTED
    assert redaction.redact_text(text, forgotten) == (
        f"{gone}, 6 {gone} {gone} user:5 {gone},playlist:70 {gone} {gone} {gone} {gone}: {gone}, ann/songs"
    )
