from __future__ import annotations

from contextlib import suppress
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.cli.runner import harvest
from sgr_spiders.config import arguments as spider_arguments
from sgr_spiders.config.arguments import KNOWN, Arguments, GivenSeed
from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.model.exceptions import ArgumentError

if TYPE_CHECKING:
    from sgr_spiders.soundcloud.addresses import PageKind

SEED = {"track_id": "1"}
LARGEST_ID = 9_223_372_036_854_775_807
parse = partial(spider_arguments.parse, layer_names=LAYER_NAMES)


def error_of(**arguments: object) -> str:
    with pytest.raises(ArgumentError) as caught:
        parse(arguments)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 300
    return message


def urls_of(text: str) -> list[str | None]:
    return [seed.url for seed in parse({"track_url": text}).seeds]


# ---- what is known


def test_a_seed_suffices() -> None:
    assert parse(SEED) == Arguments(seeds=(GivenSeed("1", track_id=1),))


def test_all_arguments(tmp_path: Path) -> None:
    (tmp_path / "seeds").write_text("3")
    arguments = parse(
        {
            "track_id": "1",
            "track_url": "https://soundcloud.com/a/b",
            "seeds": str(tmp_path / "seeds"),
            "layers": "label_layer, user_depth,user_depth",
            "config": "sandbox",
            "refresh": "1",
            "max_requests": "50",
            "max_minutes": "1.5",
            "_job": "",
            "_version": "1.0",
        }
    )
    assert [seed.text for seed in arguments.seeds] == ["1", "https://soundcloud.com/a/b", "3"]
    assert arguments.layers == ("user_depth", "label_layer")
    assert arguments.config == "sandbox"
    assert arguments.refresh
    assert (arguments.max_requests, arguments.max_minutes) == (50, 1.5)


def test_without_a_seed_the_error_names_the_arguments() -> None:
    message = error_of(layers="user_depth")
    assert all(f"-a {name}=" in message for name in ("track_id", "track_url", "seeds"))


def test_an_unknown_argument() -> None:
    assert error_of(trackid="1") == "spider argument `trackid`: unknown (did you mean `track_id`?)"
    assert error_of(**{"z\x1b": "1"}) == f"spider argument `z\\x1b`: unknown: known are {', '.join(KNOWN)}"
    assert "`start`: unknown" in error_of(start="1", **SEED)


@pytest.mark.parametrize("name", KNOWN)
def test_an_empty_argument(name: str) -> None:
    assert error_of(**SEED | {name: " "}) == f"spider argument `{name}`: is empty"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("refresh", "yes", "must be 0, 1 or delta, not 'yes'"),
        ("max_requests", "0", "must be an integer from 1 to 1000000000000, not '0'"),
        ("max_requests", "1_0", "must be an integer from 1 to 1000000000000, not '1_0'"),
        ("max_requests", "9" * 5000, "must be an integer from 1 to 1000000000000, not '999"),
        ("max_minutes", "0.0", "must be a number of minutes above 0, at most 1000000, not '0.0'"),
        ("max_minutes", "nan", "must be a number of minutes above 0, at most 1000000, not 'nan'"),
        ("max_minutes", "-1", "must be a number of minutes above 0, at most 1000000, not '-1'"),
        ("layers", ",", "contains no value: ','"),
        ("layers", "user_deep", "unknown layer 'user_deep' (did you mean `user_depth`?)"),
        ("layers", "x", "unknown layer 'x': layers are user_depth, playlist_depth, "),
    ],
)
def test_a_bad_value(name: str, value: str, problem: str) -> None:
    assert error_of(**SEED | {name: value}).startswith(f"spider argument `{name}`: {problem}")


def test_a_spider_of_one_layer_accepts_no_other() -> None:
    assert parse(SEED | {"layers": "user_depth"}, layer_names=("user_depth",)).layers == ("user_depth",)
    with pytest.raises(ArgumentError, match="unknown layer 'label_layer'"):
        parse(SEED | {"layers": "label_layer"}, layer_names=("user_depth",))


# ---- track_id


def test_track_ids_are_numbers_or_urns() -> None:
    seeds = parse({"track_id": f"7, soundcloud:tracks:8,7,soundcloud:tracks:7,{LARGEST_ID},"}).seeds
    assert seeds == (
        GivenSeed("7", track_id=7),
        GivenSeed("soundcloud:tracks:8", track_id=8),
        GivenSeed(str(LARGEST_ID), track_id=LARGEST_ID),
    )
    assert parse({"track_id": 7}).seeds == (GivenSeed("7", track_id=7),)


def test_playlists_and_users_are_seeds() -> None:
    seeds = parse({"track_id": "playlist:7,soundcloud:users:8,soundcloud:playlists:7,track:9"}).seeds
    assert seeds == (
        GivenSeed("playlist:7", listed_by=("playlist", 7), kind="playlist"),
        GivenSeed("soundcloud:users:8", listed_by=("user", 8), kind="user"),
        GivenSeed("track:9", track_id=9),
    )
    assert parse(SEED).max_seeds == 20
    assert parse(SEED | {"max_seeds": "10000"}).max_seeds == 10_000
    for text in ("0", "10001", "1.5", "all"):
        message = f"spider argument `max_seeds`: must be an integer from 1 to 10000, not '{text}'"
        assert error_of(**SEED | {"max_seeds": text}) == message


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "0",
        "-1",
        "+1",
        "1.0",
        "1 2",
        "1e3",
        "٣",
        "soundcloud:comments:1",
        str(LARGEST_ID + 1),
        "user:x",
    ],
)
def test_invalid_track_ids(text: str) -> None:
    message = f"spider argument `track_id`: not an ID, URN, URL or permalink: '{text}'"
    assert error_of(track_id=f"5,{text}") == message


def test_a_shown_value_is_short_and_harmless() -> None:
    assert error_of(track_id="\x1b[2J\n\u202e").endswith(r"'\x1b[2J\n\u202e'")
    assert len(error_of(track_id="x" * 100_000)) < 150


# ---- track_url


@pytest.mark.parametrize(
    ("text", "url", "kind"),
    [
        (
            "https://soundcloud.com/an-artist/some_track",
            "https://soundcloud.com/an-artist/some_track",
            "track",
        ),
        ("https://m.soundcloud.com/a/b", "https://soundcloud.com/a/b", "track"),
        ("http://soundcloud.com/a/b", "https://soundcloud.com/a/b", "track"),
        ("soundcloud.com/a/b/", "https://soundcloud.com/a/b", "track"),
        ("www.SoundCloud.com/a/b?si=1", "https://soundcloud.com/a/b", "track"),
        ("a/b", "https://soundcloud.com/a/b", "track"),
        ("/a/b/", "https://soundcloud.com/a/b", "track"),
        ("HTTPS://WWW.SoundCloud.com/a/B/", "https://soundcloud.com/a/B", "track"),
        (
            "https://soundcloud.com/a/b?si=1,2&utm_source=x&in=c/sets/d#t=1:20",
            "https://soundcloud.com/a/b",
            "track",
        ),
        ("https://on.soundcloud.com/AbC1?x=1", "https://on.soundcloud.com/AbC1", None),
        ("https://soundcloud.com/a/s-100", "https://soundcloud.com/a/s-100", "track"),
        ("https://soundcloud.com/a/sets/s-100?si=1", "https://soundcloud.com/a/sets/s-100", "playlist"),
        ("/a/sets/b", "https://soundcloud.com/a/sets/b", "playlist"),
        ("https://soundcloud.com/a/", "https://soundcloud.com/a", "user"),
        ("/a", "https://soundcloud.com/a", "user"),
    ],
)
def test_a_url_loses_its_query_and_fragment(text: str, url: str, kind: PageKind | None) -> None:
    assert parse({"track_url": text}).seeds == (GivenSeed(text, url=url, kind=kind),)


def test_a_url_of_the_api_is_an_id() -> None:
    for name in ("tracks/7", "tracks/soundcloud:tracks:7", "tracks/soundcloud%3Atracks%3A7?x=1"):
        text = f"https://api.soundcloud.com/{name}"
        assert parse({"track_url": text}).seeds == (GivenSeed(text, track_id=7),)


def test_several_urls() -> None:
    a, b = "https://soundcloud.com/a/b", "https://on.soundcloud.com/c"
    for text in (
        f"{a},{b}",
        f"{a} {b}",
        f"{a},\n {b},",
        f"{a}?si=1,2,{b} {a}/",
        f"a/b,{b[8:]}",
        f"{a}?si=1,{b[8:]}",
    ):
        assert urls_of(text) == [a, b]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ftp://soundcloud.com/a/b", "must begin with https://"),
        ("https://example.com/a/b", "not a URL on soundcloud.com"),
        ("https://soundcloud.com.example.com/a/b", "not a URL on soundcloud.com"),
        ("https://soundcloud.com@example.com/a/b", "not a URL on soundcloud.com"),
        ("https://soundcloud.com:444/a/b", "not a URL on soundcloud.com"),
        ("https://[soundcloud.com/a/b", "not a URL"),
        ("https://soundcloud.com\\a/b/c", "not a URL"),
        ("https://soundcloud.com/a/ß", "not a URL"),
        ("https://soundcloud.com/a/likes", "a page of the site, not of a track, playlist or user"),
        ("https://soundcloud.com/discover/b", "a page of the site, not of a track, playlist or user"),
        ("https://soundcloud.com/a/b/c", "not the URL of a track, playlist or user"),
        ("https://soundcloud.com/a/b%2Fs-abc", "not the URL of a track, playlist or user"),
        ("https://soundcloud.com/a/sets", "a page of the site, not of a track, playlist or user"),
        ("https://soundcloud.com/", "not the URL of a track, playlist or user"),
        ("a", "not an ID, URN, URL or permalink"),
        ("https://on.soundcloud.com/", "not the URL of a track, playlist or user"),
    ],
)
def test_invalid_urls_of_tracks(text: str, problem: str) -> None:
    assert error_of(track_url=text) == f"spider argument `track_url`: {problem}: {text!r}"


@pytest.mark.parametrize(
    "text",
    [
        "https://soundcloud.com/a/b/s-Hidden1",
        "https://m.soundcloud.com/a/sets/b/s-Hidden1?si=2",
        "https://soundcloud.com/a/b?secret_token=s-Hidden1",
        "https://soundcloud.com/a/b?secret_token=Hidden1",
        "a/b/s-Hidden1",
        "https://api.soundcloud.com/playlists/7?secret_token=s-Hidden1",
    ],
)
def test_a_secret_link_is_refused_and_its_secret_kept_out_of_logs(text: str) -> None:
    message = error_of(track_url=text)
    assert "a secret link; private records are never harvested" in message
    assert "Hidden1" not in message


# ---- seeds


def test_a_file_of_seeds(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_bytes(
        "\ufeff# favourites\r\n1\r\n\r\n  soundcloud:tracks:2  # twice\r\n"
        "https://soundcloud.com/a/b#t=1\r\n2\r\n".encode()
    )
    assert parse({"track_id": "2", "seeds": str(path)}).seeds == (
        GivenSeed("2", track_id=2),
        GivenSeed("1", track_id=1),
        GivenSeed("https://soundcloud.com/a/b#t=1", url="https://soundcloud.com/a/b"),
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"1\n\nabc\n", "line 3: not an ID, URN, URL or permalink: 'abc'"),
        (b"1,2\n", "line 1: not an ID, URN, URL or permalink: '1,2'"),
        (
            b"1\nhttps://example.com/a/b\n",
            "line 2: not a URL on soundcloud.com: 'https://example.com/a/b'",
        ),
        (b"1\n2\n\xff", "line 3: not UTF-8"),
        ("1\n".encode("utf-16"), "line 1: not UTF-8"),
        (b"# nothing\n \n", "contains no seeds"),
        (b"", "contains no seeds"),
    ],
)
def test_a_bad_file_of_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seeds.txt").write_bytes(content)
    message = error_of(seeds="seeds.txt")
    assert message.startswith("spider argument `seeds`: seeds.txt")
    assert message.endswith(problem)


def test_a_file_of_seeds_that_cannot_be_read(tmp_path: Path) -> None:
    assert "' cannot be read: No such file or directory" in error_of(seeds=str(tmp_path / "none"))
    assert "' cannot be read: Is a directory" in error_of(seeds=str(tmp_path))
    assert "' cannot be read: embedded null byte" in error_of(seeds="a\0")


def test_a_file_of_seeds_has_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgr_spiders.config.arguments.MAX_SEEDS_BYTES", 10)
    path = tmp_path / "seeds.txt"
    path.write_text("1\n" * 5)
    assert parse({"seeds": str(path)}).seeds
    path.write_text("1\n" * 6)
    assert "larger than 10 bytes" in error_of(seeds=str(path))


# ---- anything


@given(
    st.dictionaries(st.sampled_from(sorted({*KNOWN, "_job"} - {"seeds"})) | st.text(max_size=9), st.text())
)
def test_every_invalid_text_raises_an_argument_error(arguments: dict[str, str]) -> None:
    with suppress(ArgumentError):
        parse(arguments)


@given(st.lists(st.integers(1, LARGEST_ID), min_size=1))
def test_seeds_keep_their_order_without_repetition(ids: list[int]) -> None:
    seeds = parse({"track_id": ",".join(map(str, ids))}).seeds
    assert [seed.track_id for seed in seeds] == list(dict.fromkeys(ids))


def test_python_accepts_every_argument() -> None:
    assert KNOWN.keys() <= signature(harvest).parameters.keys()


# ---- seeds that are due


def test_due_takes_its_seeds_from_the_database() -> None:
    assert parse({"due": "1", "max_requests": "5"}) == Arguments(
        seeds=(), due=True, by_delta=True, max_requests=5
    )
    assert parse({"due": "0", **SEED}) == parse(SEED)
    assert error_of(due="yes") == "spider argument `due`: must be 0 or 1, not 'yes'"


@pytest.mark.parametrize("name", ["track_id", "track_url", "seeds"])
def test_due_and_a_seed_contradict_each_other(name: str) -> None:
    message = error_of(due="1", **{name: "1"})
    assert message == (
        f"spider argument `due`: takes its seeds from the database (`scrapy seeds`); leave out `{name}`"
    )


def test_a_refresh_by_delta_is_a_refresh() -> None:
    found = parse({"track_id": "1", "refresh": "delta"})
    assert (found.refresh, found.by_delta) == (True, True)
    assert not parse({"track_id": "1", "refresh": "1"}).by_delta


def test_due_and_refresh_contradict_each_other() -> None:
    assert error_of(due="1", refresh="1").startswith("spider argument `due`: refetches what is due")
