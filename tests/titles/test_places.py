"""Spellings of countries and cities."""

# ruff: noqa: RUF001 - names in many scripts
from __future__ import annotations

import pytest

from sgr_spiders.titles.places import country_name, fold_city, read_country
from sgr_spiders.titles.spellings import read_rows

SPELLINGS = {
    "DE": [
        "Germany", "Deutschland", "deutschland", "Allemagne", "Alemania", "Германия", "ドイツ", "DE", "DEU",
    ],
    "US": [
        "United States", "USA", "usa", "U.S.A.", "U.S.", "us", "US", "United States of America",
        "Estados Unidos", "États-Unis", "the states", "США",
    ],
    "GB": [
        "United Kingdom", "UK", "uk", "U.K.", "England", "Scotland", "Wales", "Northern Ireland",
        "Great Britain", "Britain (UK)", "GB", "GBR", "Reino Unido",
    ],
    "NL": ["The Netherlands", "Netherlands", "Holland", "Nederland"],
    "KR": ["South Korea", "Korea, Republic of", "Korea (South)", "대한민국", "Korea"],
    "CI": ["Côte d'Ivoire", "Cote d’Ivoire", "Ivory Coast"],
    "TT": ["Trinidad & Tobago", "Trinidad and Tobago"],
    "RU": ["Russia", "Russian Federation", "Россия"],
    "BR": ["Brazil", "Brasil", " BRASIL "],
    "CZ": ["Czech Republic", "Czechia", "Česko"],
    "XK": ["Kosovo"],
    "JP": ["Japan", "日本", "Japon"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), [(text, code) for code in SPELLINGS for text in SPELLINGS[code]])
def test_spellings_of_one_country_have_one_code(text: str, code: str) -> None:
    assert read_country(text) == code


@pytest.mark.parametrize("text", [None, "", " ", "nowhere", "la", "no", "ZZ", "Berlin", "The"])
def test_other_words_are_no_countries(text: str | None) -> None:
    assert read_country(text) is None


def test_no_spelling_belongs_to_two_countries() -> None:
    rows = read_rows("countries.csv")
    assert len(rows) == 250  # ISO 3166-1, and Kosovo
    for code, three, name, spellings in rows:
        assert (read_country(code), read_country(three), country_name(code)) == (code, code, name)
        for spelling in (name, *filter(None, spellings.split(" | "))):
            assert read_country(spelling) == code


def test_cities_are_told_apart_by_more_than_case_and_accents() -> None:
    assert fold_city(" São  Paulo") == fold_city("sao paulo") == "sao paulo"
    assert fold_city("Paris, TX") != fold_city("Paris")
    assert fold_city(None) is fold_city("  ") is None
