from __future__ import annotations

import pytest

from sgr_spiders.soundcloud.dates import is_iso, to_iso


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("2024/01/09 21:10:04 +0000", "2024-01-09T21:10:04Z"),
        ("2024/01/09 21:10:04 +0200", "2024-01-09T19:10:04Z"),
        ("2024-01-09T21:10:04Z", "2024-01-09T21:10:04Z"),
        ("2024-01-09T21:10:04.999Z", "2024-01-09T21:10:04Z"),
        ("2024-01-09T21:10:04+01:00", "2024-01-09T20:10:04Z"),
        ("2024-01-09 21:10:04", "2024-01-09T21:10:04Z"),
        ("2024-01-09", "2024-01-09T00:00:00Z"),
    ],
)
def test_dates_become_iso_text_in_utc(given: str, iso: str) -> None:
    assert to_iso(given) == iso
    assert is_iso(iso)


@pytest.mark.parametrize(
    "given",
    [
        "", "soon", "2024/13/09 21:10:04 +0000", "2023/02/29 21:10:04 +0000", "0000/00/00 00:00:00 +0000",
        "2024/01/09 24:61:04 +0000", "0001-01-01T00:00:00+05:00", 1704834604, None, True, [],
    ],
)  # fmt: skip
def test_what_is_no_date_stays_for_validation_to_name(given: object) -> None:
    assert to_iso(given) == given
    assert not is_iso(given)


@pytest.mark.parametrize(
    "given",
    [
        "2024-01-09T21:10:04",
        "2024-01-09 21:10:04Z",
        "2024-W02-2T21:10:04Z",
        "2024-01-09T21:10:04Z\n",
        "٢024-01-09T21:10:04Z",
    ],
)
def test_one_spelling_is_ours(given: str) -> None:
    assert not is_iso(given)
