# ruff: noqa: RUF001 - full-width punctuation
"""Mentions of permalinks, and handles that are none."""

from __future__ import annotations

import time

import pytest

from sgr_spiders.titles.mentions import is_mentioned, mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks @ona and @lu-lu", ("ona", "lu-lu")),
        ("my ig is @ona", ()),
        ("follow @ona on instagram, music by @lu-lu", ("lu-lu",)),
        ("Twitter & IG: @ona @kit", ()),
        ("Instagram:\n@ona\n\nProd. @kit", ("kit",)),
        ("Instagram: @ona\nProd. @kit", ("kit",)),
        ("@ona (ig)", ()),
        ("support @ona on soundcloud", ("ona",)),
        ("Jun Live @Harbour", ()),
        ("Jun Live Set @Harbour Club", ()),
        ("w/ ona @ona-reyes", ("ona-reyes",)),
        ("Jun DJ Set @Harbour", ()),
        ("Great show @ona", ("ona",)),
        ("thanks for the party @ona", ("ona",)),
        ("big kick @ona, snap @kit", ("ona", "kit")),
        ("my ig\n@ona", ("ona",)),
        ("@ona | instagram: @ona_ig", ("ona",)),
        ("@ona - youtube.com/ona", ("ona",)),
        ("인스타: @ona", ()),
        ("Instagram ➜ @ona", ()),
        ("Instagram\n@ona\nProd. @kit", ("kit",)),
        ("@ona [instagram]", ()),
        ("twitter.com/ona / @ona", ()),
        ("played @harbour at sunrise", ()),
        *(
            (f"{words} @harbour", ())
            for words in (
                "Live from",
                "Live at",
                "Recorded at",
                "en vivo",
                "ao vivo",
                "en concert",
                "dal vivo",
            )
        ),
        ("catch me @harbour tonight", ()),
        *(
            (f"{site} @ona\n\nProd. @kit", ("kit",))
            for site in ("Mixcloud", "Vimeo:", "Snap:", "linktr.ee", "Tumblr", "TT:")
        ),
        ("イラスト：@ona（Twitter）", ()),
        ("thanks @all, @everyone and @kit", ("kit",)),
        ("listen on @spotify and @applemusic, prod @kit", ("kit",)),
        ("support soundcloud.com/ona and https://m.soundcloud.com/Lu-Lu/sets/b?si=1", ("ona", "lu-lu")),
        (
            "@kit https://soundcloud.com/discover https://soundcloud.com/oembed https://on.soundcloud.com/Ab3xY",
            ("kit",),
        ),
    ],
)
def test_mentions(text: str, expected: tuple[str, ...]) -> None:
    assert mentions(text) == expected


def test_a_name_and_its_permalink() -> None:
    assert is_mentioned("Sabi", ["kit", "sabi-q"])
    assert not is_mentioned("Sabina", ["sabi-q"])
    assert not is_mentioned("S", ["sabi-q"])
    assert not is_mentioned("Max", ["maxwell-hall"])
    assert is_mentioned("Ona Reyes", ["ona-reyes_music"])
    assert is_mentioned("Ona Reyes", ["onareyes"])


@pytest.mark.parametrize("piece", ["ig @.-", "@ab ", "ig: @a.b.c ", "live @ab ", "ig and ", "\n\n@ab"])
def test_a_huge_text_costs_little(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    start = time.process_time()
    mentions(text)
    assert time.process_time() - start < 3
