"""``SoundGraph``: tables and questions as DataFrames, on databases made without a crawl."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sgr_spiders import SoundGraph
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, HarvestError
from sgr_spiders.model.result import HarvestResult
from sgr_spiders.notebook import soundgraph
from sgr_spiders.notebook.progress_bar import ProgressBar
from sgr_spiders.storage.store import Store
from sgr_spiders.text import invocation
from tests.databases import connect, url_of
from tests.embeddings.communities import Tastes, tastes
from tests.scrapy_process import run_command

PAST, LATER = "2025-02-01T00:00:00.000000Z", "2025-03-01T00:00:00Z"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def drawn() -> Tastes:
    return tastes(users=30, tracks=40, likes=400, communities=2)


@pytest.fixture(scope="module")
def path(drawn: Tastes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("python") / "harvest.db"
    with closing(Store.open(url_of(path))) as store:
        drawn.world().spill(store)
    with closing(connect(path)) as connection, connection:
        connection.execute(
            "UPDATE tracks SET playback_count = 9007199254740993, created_at = ? WHERE track_id = 1001",
            (LATER,),
        )
        connection.execute("UPDATE tracks SET title = ? WHERE track_id = 1002", (HOSTILE,))
        connection.execute("UPDATE engagements SET removed_at = ? WHERE user_id = 2", (PAST,))
    return path


@pytest.fixture
def graph(path: Path) -> SoundGraph:
    return SoundGraph(url_of(path))


def test_integers_stay_integers_and_times_are_timestamps(graph: SoundGraph) -> None:
    tracks = graph.tracks().set_index("track_id")
    assert isinstance(tracks, pd.DataFrame)
    assert tracks["playback_count"].dtype == pd.Int64Dtype()
    assert tracks.loc[1001, "playback_count"] == 2**53 + 1  # a float would round it
    assert tracks.loc[1002, "playback_count"] is pd.NA
    assert tracks.loc[1001, "created_at"] == pd.Timestamp("2025-03-01", tz="UTC")
    assert tracks["is_stub"].dtype == pd.BooleanDtype()
    assert not [name for name, kind in tracks.dtypes.items() if name.endswith("_id") and kind != "Int64"]


def test_polars_and_arrow(graph: SoundGraph, path: Path) -> None:
    tracks = graph.tracks(as_="polars")
    assert isinstance(tracks, pl.DataFrame)
    assert tracks.schema["playback_count"] == pl.Int64
    assert tracks.schema["created_at"] == pl.Datetime("us", "UTC")
    arrow = SoundGraph(url_of(path), as_="arrow").tracks(columns=["title", "track_id"])
    assert isinstance(arrow, pa.Table)
    assert arrow.column_names == ["track_id", "title"]
    assert "raw" not in tracks.columns
    assert graph.table("tracks", raw=True)["raw"].dtype == "str"


def test_tables_read_what_is_present(graph: SoundGraph) -> None:
    assert 2 not in set(graph.engagements()["user_id"])
    assert 2 in set(graph.engagements(include_removed=True)["user_id"])
    assert len(graph.users()) == 32  # with the artists
    assert set(graph.engagements()["kind"]) == {"like"}
    assert graph.comments().empty
    assert "comment_id" in graph.comments().columns
    for name in graph.tables()["table"]:
        assert len(graph.table(name, as_="arrow").column_names) > 0


def test_questions_agree_with_the_commands(graph: SoundGraph, path: Path) -> None:
    near = graph.similar("track", 1001, limit=3)
    assert list(near.columns) == [
        "id", "rank", "tied", "score", "by", "weak_evidence", "shared_fans", "shared_playlists",
        "title", "artist_id", "artist", "permalink_url",
    ]  # fmt: skip
    printed = run_command("similar", "track", "1001", "--limit", "3", HARVEST_DATABASE_URL=url_of(path)).out
    assert [str(row) for row in near["id"]] == [line.split()[0] for line in printed.splitlines()[2:5]]
    assert near["artist"].iloc[0] == f"user {near['artist_id'].iloc[0]}"

    found = graph.recommend("user 1", limit=2)
    assert len(found) == 2
    assert list(found["by"]) == ["walk"] * 2, "no blend was learned"
    assert "shared fan" in found["because"].iloc[0]
    assert all(isinstance(liked, int) for liked in graph.recommend(1, as_="polars")["because_ids"][0])

    continued = graph.continue_playlist(9001, limit=2)
    assert len(continued) == 2
    assert list(graph.continue_playlist(9001, diversity=0.9)["rank"]) == list(range(1, 11))
    assert list(continued.columns) == list(found.columns)
    tracks = set(graph.playlist_tracks().query("playlist_id == 9001")["track_id"])
    assert not tracks & set(continued["id"])
    assert {track for row in continued["because_ids"] for track in row} <= tracks

    with pytest.raises(ArgumentError, match="has not been built"):
        graph.related("track", 1001)


def test_counters_over_time_are_a_table(graph: SoundGraph, path: Path) -> None:
    times = ["2025-01-01T00:00:00.000000Z", "2025-01-03T00:00:00.000000Z"]
    with closing(connect(path)) as connection, connection:
        known = "favoritings_count = 7, counted_at = ?"
        connection.execute(f"UPDATE tracks SET {known} WHERE track_id = 1001", times[:1])  # noqa: S608
        connection.executemany(
            "INSERT INTO counter_history VALUES ('track', 1001, 'playback_count', ?, ?, NULL)",
            [(times[0], 2**53 - 5), (times[1], 2**53 + 1)],
        )
    found = graph.growth("track", 1001)
    assert list(found.columns) == ["counter", "observed_at", "value", "change", "per_day", "run_id"]
    assert found["observed_at"].iloc[-1].isoformat() == "2025-01-03T00:00:00+00:00"
    plays = found[found["counter"] == "playback_count"]
    assert (plays["value"].tolist(), plays["change"].iloc[1]) == ([2**53 - 5, 2**53 + 1], 6)
    assert plays["per_day"].iloc[1] == 3
    assert found[found["counter"] == "favoritings_count"]["value"].tolist() == [7]
    later = graph.growth("track", 1001, since="2025-01-02", as_="arrow")
    assert (later.num_rows, later.column_names) == (1, list(found.columns))
    assert len(graph.table("counter_history")) == 2


def test_a_profile_is_a_table_for_each_section(graph: SoundGraph) -> None:
    """The database has no counts of likes, so that nothing can be compared."""
    found = graph.profile(1001, only=["cities", "tracks"])
    assert list(found) == ["tracks", "cities"]
    assert list(found["tracks"].columns) == [
        "id", "ratio", "listeners", "expected", "likes", "title", "artist_id", "artist", "permalink_url",
    ]  # fmt: skip
    tags = graph.profile(1001, as_="arrow")["tags"]
    assert tags.column_names == ["name", "ratio", "lowest", "highest", "score", "listeners", "share", "usual"]
    with pytest.raises(ArgumentError, match=r"argument `only`: must be one of tracks, .*did you mean `tags`"):
        graph.profile(1001, only=["tag"])


def test_an_empty_answer_has_the_same_columns(graph: SoundGraph) -> None:
    full, empty = graph.similar("artist", 5001), graph.similar("artist", 5001, by="playlists")
    assert empty.empty
    assert list(empty.dtypes) == list(full.dtypes)
    assert list(empty.columns) == [
        "id", "rank", "tied", "score", "by", "weak_evidence", "shared_fans", "shared_playlists",
        "name", "permalink_url",
    ]  # fmt: skip


def test_relating_and_embedding(drawn: Tastes, tmp_path: Path) -> None:
    url = url_of(tmp_path / "own.db")
    with closing(Store.open(url)) as store:
        drawn.world().spill(store)
    config = {"embeddings": {"dimensions": 4}, "relationships": {"user_similarity": {"min_common_tracks": 1}}}
    graph = SoundGraph(url, config=config)
    assert graph.relate()["user_similarities"] > 0
    related = graph.related("user", "user 1", limit=2)
    assert list(related.columns)[:2] == ["id", "jaccard"]
    assert related["common_tracks"].dtype == pd.Int64Dtype()
    assert related["cut"].dtype == pd.BooleanDtype()
    assert list(related.columns)[-2:] == ["name", "permalink_url"]

    assert graph.communities().empty
    counts = graph.find_communities(validated=None)
    communities = graph.communities()
    assert dict(communities.groupby("kind").size()) == counts
    assert list(communities.columns) == ["kind", "community", "size", "stability", "genres", "members"]
    assert communities["size"].sum() == len(graph.table("communities"))

    embedded = graph.embed(method="svd")
    assert re.fullmatch(r"Embedded\(.+ dimensions, method svd\)", repr(embedded))
    assert embedded.run.dimensions == 4
    assert len(graph.similar("track", 1001, by="vectors")) == 10
    data = graph.prepare_for_embeddings()
    parts = r"Interactions\(\d+ users, \d+ tracks, \d+ pairs\), Split\(.+\), Sequences\(2 playlists\)"
    assert re.fullmatch(rf"TrainingData\({parts}\)", repr(data))


def test_the_report_is_inline_and_a_file(graph: SoundGraph, tmp_path: Path) -> None:
    report = graph.report()
    shown: str = report._repr_html_()
    assert len(repr(report)) < 80
    assert shown.startswith('<iframe srcdoc="&lt;!')
    assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in shown
    assert "<script" not in shown
    file = report.save(tmp_path / "report.html")
    assert file.read_text() == report.page
    with pytest.raises(ArgumentError, match="track 1002 is not a seed"):
        graph.report(1002)


def test_status_and_other_commands(graph: SoundGraph) -> None:
    status = graph.status()
    assert status["database"]["where"] in repr(status)
    assert status._repr_html_().startswith("<pre>")
    printed = graph.command("similar", "track", 1001, "--limit", 1)
    assert repr(printed).startswith("Most similar to track 1001")
    with pytest.raises(ArgumentError, match=r"^track 7 is not in this database$"):
        graph.command("similar", "track", 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda graph: graph.table("trakcs"), "no table 'trakcs' in this database (did you mean `tracks`?)"),
        (lambda graph: graph.tracks(columns=["titel"]), "no column 'titel' (did you mean `title`?)"),
        (lambda graph: graph.tracks(as_="panda"), "argument `as_`: must be pandas, polars or arrow"),
        (lambda graph: graph.tracks(as_of="soon"), "argument `as_of`: must be a date or time such as"),
        (lambda graph: graph.similar("song", 1), "argument `kind`: must be one of track, user, artist"),
        (lambda graph: graph.similar("track", 1001, by="wlak"), "(did you mean `walk`?)"),
        (lambda graph: graph.recommend(1, method="als"), 'argument `method`: needs `by="vectors"`'),
        (lambda graph: graph.similar("track", 1001, limit=0), "argument `limit`: must be an integer from 1"),
        (lambda graph: graph.similar("track", "1001", limit="3"), "argument `limit`: must be an integer"),
        (lambda graph: graph.similar("track", "no such title"), "no track in this database is"),
        (lambda graph: graph.recommend(5001), "no liked tracks in this database"),
        (lambda graph: graph.recommend(1, by="sequence"), "must be one of blend, walk, playlists, vectors"),
        (lambda graph: graph.recommend(1, novelty=2), "`novelty`: must be a number from 0 to 1, not 2"),
        (
            lambda graph: graph.recommend(1, diversity=True),
            "`diversity`: must be a number from 0 to 1",
        ),
        (lambda graph: graph.recommend(1, limit=True), "argument `limit`: must be an integer from 1 to"),
        (lambda graph: graph.similar("user", 1, by="blend"), "blend finds similar tracks only, not users"),
        (lambda graph: graph.embed(metod="svd"), "unknown argument 'metod' (did you mean `method`?)"),
        (lambda graph: graph.embed(random_seed=-1), "argument `random_seed`: must be at least 0, not -1"),
        (lambda graph: graph.find_communities(algorithm=1), "unknown argument 'algorithm'"),
        (lambda graph: graph.command("evaluat"), "unknown command 'evaluat' (did you mean `evaluate`?)"),
        (lambda graph: graph.continue_playlist(1), "playlist 1 is not in this database"),
        (lambda graph: graph.growth("song", 1), "argument `kind`: must be one of track, user, artist"),
        (lambda graph: graph.growth("track", 1), "track 1 is not in this database"),
        (lambda graph: graph.growth("track", 1001, since="soon"), "argument `since`: must be a date or time"),
        (lambda graph: graph.harvest("a b"), "seed: "),
        (lambda graph: graph.harvest(1, track_id=2), "argument `track_id`: also given by position"),
        (lambda graph: graph.command("harvest"), "`harvest()` runs a crawl"),
    ],
)
def test_errors_are_one_line(graph: SoundGraph, call: Callable[[SoundGraph], object], message: str) -> None:
    with pytest.raises(HarvestError, match=re.escape(message)) as raised:
        call(graph)
    assert "\n" not in str(raised.value)


def test_a_string_is_one_name_not_its_characters(graph: SoundGraph, tmp_path: Path) -> None:
    assert list(graph.tracks(columns="title").columns) == ["title"]
    assert list(graph.profile(1001, only="tracks")) == ["tracks"]
    graph.study(tmp_path / "study", key=tmp_path / "key", authors="Ada Lovelace")
    assert "- name: Ada Lovelace\n" in (tmp_path / "study" / "CITATION.cff").read_text()


def test_numbers_of_numpy_are_numbers(graph: SoundGraph) -> None:
    user, limit, share = np.array([1]), np.array([2]), np.array([0.5], np.float32)
    assert len(graph.recommend(user[0], limit=limit[0], diversity=share[0])) == 2


def test_the_commands_in_messages_name_the_database(graph: SoundGraph, path: Path, tmp_path: Path) -> None:
    """A program that uses two databases gets the right one, and leaves no name behind."""
    named = f"-s HARVEST_DATABASE_URL={url_of(path)}`"
    with pytest.raises(ArgumentError, match=re.escape(named)):
        graph.recommend(1, by="vectors")
    with pytest.raises(ConfigError, match=re.escape(f"-s HARVEST_DATABASE_URL=sqlite:///{tmp_path}/x.db")):
        SoundGraph(tmp_path / "x.db").tracks()
    configured = SoundGraph(url_of(path), config="sandbox")
    with pytest.raises(ArgumentError, match="-s HARVEST_CONFIG=sandbox"):
        configured.related("track", 1001)
    assert invocation.command("relate") == "scrapy relate"


def test_a_missing_library_is_one_line(graph: SoundGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ArgumentError, match="pandas is not installed; run `pip install pandas`"):
        graph.tracks()
    assert graph.tracks(as_="arrow").num_rows


@pytest.mark.sqlite("paths of files")
def test_the_database_is_a_path_a_url_or_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert repr(SoundGraph("x.db")) == f"SoundGraph('{tmp_path}/x.db')"
    assert repr(SoundGraph(tmp_path / "x.db")) == repr(SoundGraph("sqlite:///x.db"))
    assert repr(SoundGraph()) == f"SoundGraph('{tmp_path}/share/soundgraph/soundgraph.db')"
    monkeypatch.setenv("HARVEST_DATABASE_URL", "sqlite:///other.db")
    assert repr(SoundGraph()) == f"SoundGraph('{tmp_path}/other.db')"
    assert "secret" not in repr(SoundGraph("postgresql://me:secret@host/db"))
    with pytest.raises(ConfigError, match=r"x\.db: no such file"):
        SoundGraph("x.db").tracks()
    with pytest.raises(ConfigError, match=r"x\.db: no such file"):
        SoundGraph("x.db").relate()
    with pytest.raises(
        ConfigError, match=r"argument `database`: must begin with sqlite:/// or postgresql://"
    ):
        SoundGraph("mysql://host/db")
    with pytest.raises(ConfigError, match="argument `database`: is a directory, not a file"):
        SoundGraph(tmp_path)
    with pytest.raises(ConfigError, match="unknown key `delay`"):
        SoundGraph("x.db", config={"deep_harvest": {"delay": 1}})
    assert not (tmp_path / "x.db").exists()


def test_harvest_passes_its_arguments_on(graph: SoundGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(soundgraph, "harvest", lambda **arguments: given.update(arguments))
    graph.harvest(7, "https://soundcloud.com/ann/song", layers=["user_depth"], refresh="delta", log=False)
    assert given["track_id"] == "7"
    assert given["track_url"] == "https://soundcloud.com/ann/song"
    assert given["database_url"] == graph._url
    assert (given["layers"], given["refresh"], given["log"]) == (["user_depth"], "delta", False)


def test_a_result_is_a_table() -> None:
    statistics = {"sgr/layer/user_depth/tracks": 1234, "tracks_collected": 5, "sgr/requests": 6}
    result = HarvestResult(1, "partial", 3, f"2 walks failed {HOSTILE}", statistics)
    shown = result._repr_html_()
    assert "<td>user_depth</td><td>1,234</td><td>-</td>" in shown
    assert "<b>partial</b>: 2 walks failed &lt;img" in shown
    assert "<img" not in shown


HEAD = "2026-11-28 04:00:00 [sgr_spiders.crawl.progress]"


def test_the_bar_follows_the_progress_lines(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    assert repr(bar) == "Harvesting"
    assert "max=" not in bar._repr_html_()
    for line in (
        f"{HEAD} INFO: progress elapsed=65 walks=3/12 tracks=1200 users=0 requests=7 hold=- eta=90\n",
        f"{HEAD} INFO: progress elapsed=65 eta_is=known_walks limited=no user_depth=3/12\n",
        f"{HEAD} WARNING: careful\n",
        "more of it\n",
        f"{HEAD} INFO: hidden\n",
        "and hidden\n",
    ):
        bar.read(line)
    assert capsys.readouterr().err == f"{HEAD} WARNING: careful\nmore of it\n"
    assert repr(bar) == (
        "Harvesting · 3 of 12 walks · 1,200 tracks · 7 requests · 1 min 05 s · "
        "about 1 min 30 s left for the known walks"
    )
    assert 'value="3" max="12"' in bar._repr_html_()
    bar.read(f"{HEAD} INFO: progress elapsed=66 walks=3/12 hold=2026-11-28T04:05:00+00:00\n")
    assert repr(bar).endswith("paused until 2026-11-28T04:05:00+00:00")
    bar.finish("Harvest complete")
    assert repr(bar) == "Harvest complete · 3 of 12 walks · 1,200 tracks · 7 requests · 1 min 06 s"


def test_importing_the_package_imports_no_dataframes(root: Path) -> None:
    code = (
        "import sys, sgr_spiders; assert not {'pyarrow', 'sqlalchemy'} & sys.modules.keys(); "
        "sgr_spiders.SoundGraph; print({'pandas', 'polars', 'IPython'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
