"""Spellings of genres and tags."""

# ruff: noqa: RUF001 - names in many scripts
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.titles.genres import normalise_tag, read_genre, read_tags
from sgr_spiders.titles.spellings import read_rows

SPELLINGS = {
    "drum & bass": [
        "dnb", "DnB", "D'n'B", "d’n’b", "D&B", "D & B", "d.n.b.", "Drum & Bass", "Drum and Bass",
        "drum n bass", "Drum'n'Bass", "drum n' bass", "drum 'n bass", "drum+bass", "DRUM_AND_BASS",
        "drumnbass", "#dnb", "Drum & Bass Music", "ドラムンベース",
    ],
    "hip hop": [
        "hip hop", "Hip-Hop", "hiphop", "HIP HOP", "hip_hop",
        "Hip-hop & Rap", "Rap/Hip Hop", "хип-хоп",
    ],
    "lo-fi": ["lofi", "lo-fi", "Lo Fi", "lo.fi", "LoFi music", "ローファイ"],
    "lo-fi hip hop": ["lofi hip hop", "Lo-Fi Hip-Hop", "lofi hiphop", "lofihiphop"],
    "r&b": ["R&B", "rnb", "R'n'B", "r n b", "R and B", "R&B & Soul", "rhythm and blues"],
    "rock & roll": ["rock n roll", "Rock 'n' Roll", "rock’n’roll", "rock and roll"],
    "uk garage": ["UKG", "UK Garage", "U.K. Garage", "ukgarage"],
    "electronic": [
        "Electronica", "Música Electrónica", "musique électronique", "electronic music", "Электроника",
    ],
    "house": ["House", "house music", "HOUSE-MUSIC", "хаус"],
    "techno": ["Techno", "Техно", "テクノ"],
    "edm": ["EDM", "Dance & EDM", "electronic dance music"],
}  # fmt: skip


@pytest.mark.parametrize(("spelling", "name"), [(one, name) for name in SPELLINGS for one in SPELLINGS[name]])
def test_spellings_of_one_genre_have_one_name(spelling: str, name: str) -> None:
    assert normalise_tag(spelling) == name
    assert read_genre(spelling) == name


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("Field-Recording", "field recording"),
        ("80's", "80s"),
        ("Candy", "candy"),  # no "and" inside a word
        ("Rain & Thunder", "rain & thunder"),
        ("rain and thunder", "rain & thunder"),
        ("Sertão", "sertão"),
        ("ジャズ喫茶", "ジャズ喫茶"),  # no accent is lost that changes the letter
        ("music", "music"),
        ("house of glass", "house of glass"),
        ("!!!", ""),
        ("&", ""),
        ("a_n_b", "a & b"),
        ("a.n.d b & + c", "b & c"),
    ],
)
def test_other_tags_lose_case_and_punctuation_only(tag: str, name: str) -> None:
    assert normalise_tag(tag) == name


@pytest.mark.parametrize(
    ("tag_list", "tags"),
    [
        (None, ()),
        ("", ()),
        ('dnb "Drum & Bass" jungle', ("drum & bass", "jungle")),
        ('"dream pop" guitar "bedroom pop"', ("dream pop", "guitar", "bedroom pop")),
        ("soundcloud:source=iphone-record geo:lat=52.5 techno", ("techno",)),
        ('house,techno "lo fi, chill" #acid#rave', ("house", "techno", "lo-fi", "chill", "acid", "rave")),
        ('"open quote', ("open", "quote")),
        ('one"two three"four', ("one", "two three", "four")),
        ('"" "  " ! -', ()),
        ("12:30", ("12 30",)),
    ],
)
def test_tag_lists_are_split(tag_list: str | None, tags: tuple[str, ...]) -> None:
    assert read_tags(tag_list) == tags


@pytest.mark.parametrize(
    ("field", "genre"),
    [
        (None, None),
        ("", None),
        ("?!", None),
        ("Drum & Bass / Jungle", "drum & bass"),
        ("my own, House", "house"),
        ("Vaporcore; Slushgaze", "vaporcore"),
        ("Folk & Singer-Songwriter", "folk"),
    ],
)
def test_one_genre_is_read_from_a_field(field: str | None, genre: str | None) -> None:
    assert read_genre(field) == genre


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    name = normalise_tag(text)
    assert normalise_tag(name) == name
    for tag in read_tags(text):
        assert tag
        assert normalise_tag(tag) == tag


def test_no_spelling_belongs_to_two_genres_or_is_needless() -> None:
    rows = read_rows("genres.csv")
    names = [name for name, _ in rows]
    assert names == sorted(set(names))
    assert len(names) > 300
    for name, spellings in rows:
        assert normalise_tag(name) == name
        for spelling in filter(None, spellings.split(" | ")):
            assert normalise_tag(spelling) == name
