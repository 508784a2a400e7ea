"""The values of options and arguments that commands share."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from sgr_spiders.cli.options import (
    read_choice,
    read_integer,
    read_library_owner,
    read_limit,
    read_node,
    read_seeds,
    read_time,
    refuse_arguments,
)
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.model.items import Track
from sgr_spiders.storage import records
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.store import Store
from tests.databases import url_of

KINDS = ("track", "artist")


def test_integers_have_bounds() -> None:
    assert [read_integer("k", text, 1, 20) for text in ("1", "20")] == [1, 20]
    assert read_integer("k", "4294967295", 0, 2**32 - 1) == 4_294_967_295
    assert [read_limit(Namespace(limit=text)) for text in ("1", "1000000")] == [1, 1_000_000]


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.0", "", " 1", "1_0", "\u0661", "²", "9" * 5000])
def test_other_integers_are_refused_by_name_and_value(text: str) -> None:
    with pytest.raises(ArgumentError, match="option `--k`: must be an integer from 1 to 20, not "):
        read_integer("k", text, 1, 20)


def test_seeds_are_tracks() -> None:
    """Only names need the database."""
    nowhere = "sqlite:////nowhere/a.db"
    assert read_seeds(None, nowhere) is None
    assert read_seeds("7, soundcloud:tracks:8", nowhere) == (7, 8)
    with pytest.raises(ConfigError, match="no such file"):
        read_seeds("7,x", nowhere)


def test_seeds_are_found_by_name(tmp_path: Path) -> None:
    url = url_of(tmp_path / "a.db")
    with closing(Store.open(url)) as store, store.write() as connection:
        records.write_records(connection, [Track(8, "Some Song")], set(), "now")
    assert read_seeds("7, some song", url) == (7, 8)
    for text in ("", "7,", "7,x", "soundcloud:users:7", "0"):
        with pytest.raises(ArgumentError, match="option `--seed`: "):
            read_seeds(text, url)


def test_choices() -> None:
    assert read_choice("by", "walk", ("walk", "vectors")) == "walk"
    with pytest.raises(ArgumentError, match=r"walk or vectors, not 'walks' \(did you mean `walk`\?\)"):
        read_choice("by", "walks", ("walk", "vectors"))


def test_records_are_named_by_kind_and_name() -> None:
    assert read_node(["artist", "soundcloud:users:7"], KINDS, "related") == ("artist", "soundcloud:users:7")
    assert read_library_owner(["user", "7"], "recommend") == ("user", "7")
    assert read_library_owner(["playlist", "a mix"], "recommend") == ("playlist", "a mix")
    for given in ([], ["track"], ["user", "7"], ["track", "7", "8"]):
        with pytest.raises(ArgumentError, match="name one of track, artist and its ID, URL or name"):
            read_node(given, KINDS, "related")
    for given in ([], ["user"], ["7"], ["track", "7"], ["user", "7", "8"], ["playlist"]):
        with pytest.raises(ArgumentError, match="name a user or playlist by ID, URL or name"):
            read_library_owner(given, "recommend")


def test_no_argument_is_ignored() -> None:
    refuse_arguments([])
    with pytest.raises(ArgumentError, match="unexpected argument: 'x'"):
        refuse_arguments(["x"])


def test_times_are_read_in_utc_and_sort_as_text() -> None:
    texts = ["0001-01-01", "0999-12-31T23:00", "2026-03-01T01:00+02:00", "2026-03-01", "9999-12-31"]
    stamps = [timestamp(read_time("since", text)) for text in texts]
    assert stamps == sorted(stamps)
    assert stamps[1:3] == ["0999-12-31T23:00:00.000000Z", "2026-02-28T23:00:00.000000Z"]
    for text in ("", "soon", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:00-14:00"):
        with pytest.raises(ArgumentError, match="option `--since`: must be a date or time such as"):
            read_time("since", text)
