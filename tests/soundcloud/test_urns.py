from __future__ import annotations

import pytest

from sgr_spiders.soundcloud.urns import locate, parse_id, parse_key, parse_urn, urn


@pytest.mark.parametrize("kind", ["track", "user", "playlist", "comment"])
def test_a_urn_and_its_id_are_the_same(kind: str) -> None:
    assert urn(kind, 123) == f"soundcloud:{kind}s:123"
    assert parse_id(urn(kind, 123), kind) == 123


@pytest.mark.parametrize(
    "spelling",
    [
        "soundcloud:tracks:123",
        123,
        "123",
        "https://api.soundcloud.com/tracks/123",
        "https://api.soundcloud.com/tracks/soundcloud:tracks:123",
        "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A123",
        "https://api.soundcloud.com/tracks/soundcloud%3atracks%3a123?client_id=x",
        "http://api.soundcloud.com/tracks/123.json",
    ],
)
def test_every_spelling_of_an_id_is_read(spelling: object) -> None:
    assert parse_id(spelling, "track") == 123


def test_ids_have_64_bits() -> None:
    largest = 2**63 - 1
    assert parse_id(largest, "track") == largest
    assert parse_id(f"soundcloud:tracks:{largest}", "track") == largest
    assert parse_id(largest + 1, "track") is None
    assert parse_id(str(largest + 1), "track") is None


def test_cursors_pad_ids_to_20_digits() -> None:
    assert parse_key("00000000000000000123", "track") == 123
    assert parse_key("000000000000000000123", "track") is None


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 1.0, "", "0", "-1", "+1", "1_0", " 1", "١٢", "²", "9" * 5000, "abc", [], {},
        "soundcloud:users:123", "soundcloud:tracks:", "soundcloud:tracks:abc", "souncloud:tracks:123",
        "soundcloud:tracks:soundcloud:tracks:1", "https://api.soundcloud.com/users/123",
        "https://api.soundcloud.com/tracks/123/comments", "https://[", "tracks/123",
    ],
)  # fmt: skip
def test_anything_else_is_no_track_id(value: object) -> None:
    assert parse_id(value, "track") is None


def test_a_path_segment_is_no_url() -> None:
    assert parse_key("https://api.soundcloud.com/tracks/123", "track") is None


def test_a_urn_names_its_kind() -> None:
    assert parse_urn("soundcloud:users:42") == ("user", 42)
    assert parse_urn("soundcloud:system-playlists:42") is None
    assert parse_urn("42") is None
    assert parse_urn(42) is None


def test_a_url_names_kind_and_id() -> None:
    assert locate("https://api.soundcloud.com/playlists/soundcloud%3Aplaylists%3A7?secret_token=s") == (
        "playlist",
        7,
    )
    assert locate("https://api.soundcloud.com/tracks/soundcloud:users:7") is None
    assert locate("https://soundcloud.com/someone/something") is None
