"""The commands embed, similar, recommend and evaluate, and embedding on close."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sgr_spiders.cli import options
from sgr_spiders.commands.evaluate import RECOMMENDERS
from sgr_spiders.config import choices
from sgr_spiders.embeddings import recommend, recommenders, similar
from sgr_spiders.embeddings.terms import LINE
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import ROOT, CrawlResult, Harvester
from tests.databases import connect, copy_database, url_of
from tests.embeddings.communities import Tastes, tastes
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = ("title", "artist_id", "artist", "permalink_url")
"""The keys of a track in JSON, beside its ID."""


@pytest.fixture(scope="module")
def drawn() -> Tastes:
    return tastes(users=40, tracks=60, likes=800, communities=2)


@pytest.fixture(scope="module")
def database(drawn: Tastes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "harvest.db"
    with closing(Store.open(url_of(path))) as store:
        drawn.world().spill(store)
    return path


def test_evaluating_by_time(database: Path) -> None:
    """Likes of tracks with even IDs are from 2020, the others from 2022."""
    dated = database.with_name("dated.db")
    copy_database(database, dated)
    with closing(connect(dated)) as connection, connection:
        connection.execute(
            "UPDATE engagements SET not_before = y || '-02-01T00:00:00.000000Z', "
            "not_after = y || '-03-01T00:00:00.000000Z' "
            "FROM (SELECT DISTINCT track_id AS t, 2020 + 2 * (track_id % 2) AS y FROM engagements) AS years "
            "WHERE track_id = t"
        )
    evaluate = ["evaluate", "--method", "popularity", "--split", "cutoff"]
    table, figures, former, newest, refused, undated = scrapy_in_one(
        dated, [*evaluate, "--at", "2021-06-01"], [*evaluate, "--json"],
        ["evaluate", "--method", "popularity", "--split", "time", "--json"],
        ["evaluate", "--method", "popularity", "--split", "newest", "--json"],
        [*evaluate, "--at", "2021-13"], ["evaluate", "--at", "2021-06-01"],
    )  # fmt: skip
    assert table[0] == 0, table
    assert table[1].startswith("split at 2021-06-01T00:00:00Z\n")
    found = json.loads(figures[1])
    assert (found["split"], found["at"]) == ("cutoff", "2022-02-01T00:00:00Z")
    assert found["test"] > 0
    assert json.loads(former[1])["splits"] == found["splits"]
    # Likes of one year have no order.
    assert json.loads(newest[1])["undecided"] > 0
    assert len(json.loads(newest[1])["splits"]) == 1
    assert json.loads(newest[1])["test"] > 0
    assert "option `--at`: must be a date or time such as" in refused[2]
    assert "option `--at`: needs `--split cutoff`" in undated[2]


def test_embedding_and_recommending(database: Path, drawn: Tastes, tmp_path: Path) -> None:
    folder, plot = tmp_path / "out", tmp_path / "picture.svg"
    embed = ["embed", "--dimensions", "8"]
    answers = scrapy_in_one(
        database,
        [*embed, "--output", str(folder), "--plot", str(plot)],
        embed,
        ["similar", "track", "1001", "--limit", "3"],
        ["similar", "track", "soundcloud:tracks:1001", "--by", "vectors", "--limit", "3", "--json"],
        ["similar", "artist", "5001", "--by", "playlists"],
        ["similar", "artist", "1"],
        ["recommend", "user", "1", "--limit", "2"],
        ["recommend", "user", "1", "--by", "vectors", "--limit", "2", "--json"],
        ["recommend", "playlist", "9001", "--limit", "2", "--diversity", "0.4"],
        ["recommend", "playlist", "soundcloud:playlists:9001", "--by", "vectors", "--limit", "2", "--json"],
        ["evaluate", "--dimensions", "8", "--k", "10"],
        ["evaluate", "--method", "walk", "--json", "--random-seed", "2", "--diversity", "0.6"],
    )
    assert [code for code, _, _ in answers] == [0] * len(answers), answers
    first, again, near, by_vectors, artist, silent, recommended, as_json, *continued, table, figures = answers

    known = len(np.unique(drawn.train.indices))
    assert first[1].splitlines()[0].split() == ["track_vectors", str(known), "x", "8", "svd"]
    assert first[2] == f"{LINE}\n"
    assert again[2] == ""  # shown once per database
    assert np.load(folder / "svd_track_vectors.npy").shape == (known, 8)
    assert plot.read_text().startswith("<svg")

    head, columns, *rows = near[1].splitlines()
    assert head == "Most similar to track 1001 (track 1001 by user 5001) by npmi:"
    assert columns.split()[:5] == ["id", "rank", "score", "shared_fans", "shared_playlists"]
    assert [row.split()[1] for row in rows[:3]] == ["1", "2", "3"]
    assert re.search(
        r"^by npmi: no blend vectors in this database; run `.+ --method blend.*`$", near[1], re.MULTILINE
    )
    asked = json.loads(by_vectors[1])
    assert (asked["by_everyone"], asked["fallback"]) == (False, None)
    found = json.loads(by_vectors[1])["similar"]
    ranks = {"rank", "tied", "weak_evidence"}
    assert {"id", "score", "name", "shared_fans", "shared_playlists", *ranks, *LABEL} == set(found[0])
    assert found[0]["artist"] == f"user {found[0]['artist_id']}"
    assert artist[1] == "Nothing is similar to artist 5001 (user 5001) by playlists: it has no neighbours\n"
    assert silent[1].startswith("Nothing is similar to artist 1 (user 1) by walk: no fans are known\n")

    lines = recommended[1].splitlines()
    assert lines[0] == "Recommended to user 1 (user 1) by walk:"
    assert lines[1].split()[:3] == ["id", "rank", "score"]
    assert len([line for line in lines if line.startswith("    because of")]) == 2 * 3
    assert lines[3].startswith("    because of track ")
    assert "shared fan" in lines[3]
    because = json.loads(as_json[1])["recommended"][0]["because"]
    assert {"id", "shared_fans", "shared_playlists", *LABEL} == set(because[0])

    check_continued(continued[0][1], json.loads(continued[1][1]), drawn.world().playlists[9001])

    learned, held_out, columns, *methods = table[1].splitlines()
    assert learned.startswith("trained on: ")
    assert held_out.startswith("held out: ")
    assert columns.split()[:3] == ["method", "recall@10", "ndcg@10"]
    assert [row.split()[0] for row in methods[:5]] == ["popularity", "itemknn", "ease", "walk", "svd"]
    assert re.search(r"^svd +\.\d{3} \[\.\d{3}, \.\d{3}\] ", table[1], re.MULTILINE)
    measured = json.loads(figures[1])
    assert measured["k"] == 20
    methods = measured["methods"]
    assert [method["method"] for method in methods] == ["popularity", "walk", "walk reranked"]
    assert [method["reranking"]["diversity"] for method in methods] == [0, 0, 0.6]
    assert all(method["novelty"] > 1 for method in methods), "bits"
    assert methods[2]["list_similarity"] < methods[1]["list_similarity"]
    assert methods[2]["repeated_artists"] == 0.9  # of only two artists
    assert measured["methods"][1]["recall"] > measured["methods"][0]["recall"]


def check_continued(text: str, continuing: dict[str, Any], own: set[int]) -> None:
    """Check both forms of what continues playlist 9001."""
    lines = text.splitlines()
    assert lines[0] == "To continue playlist 9001 (no title known) by user 1 by sequence, diversity 0.4:"
    assert len([line for line in lines if line.startswith("    because of")]) == 2 * 3
    assert (continuing["playlist"], continuing["by"], continuing["missing"]) == (9001, "vectors", 0)
    assert continuing["reranking"] == {"diversity": 0, "novelty": 0}
    for track in continuing["recommended"]:
        assert track["id"] not in own
        assert {reason["id"] for reason in track["because"]} <= own


ERRORS = [
    (["embed", "now"], "unexpected argument: 'now'"),
    (["embed", "--method", "svf"], "`--method`: must be blend, svd, als, item2vec or lightgcn, not 'svf'"),
    (["embed", "--dimensions", "0"], "option `--dimensions`: must be an integer from 1 to 4096, not '0'"),
    (["embed", "--sources", "like,lke"], "`--sources`: must be like, repost, comment or playlist, not 'lke'"),
    (["embed", "--plot", "x.png"], "option `--plot`: must name an .svg file, not 'x.png'"),
    (["similar", "song", "1"], "name one of track, user, artist and its ID"),
    (["similar", "track", "soundcloud:users:1"], "'soundcloud:users:1' is a user, not a track"),
    (["similar", "track", "5"], "track 5 is not in this database"),
    (["similar", "track", "5", "--by", "wlak"], "vectors or playlists, not 'wlak' (did you mean `walk`?)"),
    (["similar", "track", "1001", "--method", "als"], "option `--method`: needs `--by vectors`"),
    (["recommend", "user", "1", "--by", "walk", "--method", "svd"], "`--method`: needs `--by vectors`"),
    (["similar", "track", "5", "--limit", "0"], "option `--limit`: must be an integer from 1 to"),
    (["recommend", "track", "5"], "scrapy recommend user 123`"),
    (["recommend", "5"], "scrapy recommend playlist 123`"),
    (["recommend", "playlist", "5"], "playlist 5 is not in this database"),
    (["recommend", "user", "1", "--by", "sequence"], "must be blend, walk, vectors or playlists, not"),
    (["recommend", "playlist", "1", "--by", "npmi"], "must be sequence, blend, walk, vectors or playlists"),
    (["recommend", "user", "1", "--diversity", "1.1"], "must be a number from 0 to 1, not '1.1'"),
    (["recommend", "user", "1", "--novelty", "nan"], "`--novelty`: must be a number from 0 to 1, not 'nan'"),
    (["evaluate", "--diversity", "half"], "`--diversity`: must be a number from 0 to 1, not 'half'"),
    (["recommend", "user", "5001"], "user 5001: no liked tracks in this database"),
    (["evaluate", "--method", "magic"], "`--method`: must be popularity, walk, itemknn, ease, blend, svd, "),
    (["evaluate", "--split", "last"], "option `--split`: must be random, newest or cutoff, not 'last'"),
    (["evaluate", "--split", "newest"], "the order in time of 555 pairs is not known"),
    (["evaluate", "--split", "cutoff", "--train", "x", "--test", "x"], "needs the database, not `--train`"),
    (["evaluate", "--sources", "like", "--train", "x", "--test", "x"], "option `--sources`: needs the data"),
    (["evaluate", "--include-unseen", "--train", "x", "--test", "x"], "`--include-unseen`: needs the data"),
    (["evaluate", "--include-removed", "--train", "x", "--test", "x"], "`--include-removed`: needs the da"),
    (["evaluate", "--split", "cutoff", "--at", "2021", "--share", "0.3"], "`--share`: not with `--at`"),
    (["evaluate", "--seeds", "0"], "option `--seeds`: must be an integer from 1 to 100, not '0'"),
    (["evaluate", "--output", "x.txt"], "`--output`: must name a .parquet or .csv file, not 'x.txt'"),
    (["evaluate", "--share", "1"], "option `--share`: must be a number between 0 and 1, not '1'"),
    (["evaluate", "--train", "x"], "options `--train` and `--test`: give both or neither"),
    (["evaluate", "--train", "", "--test", "x"], "option `--train`: is empty"),
    (["evaluate", "--train", "-x", "--test", "-x"], "file -x: No such file or directory"),
    (["evaluate", "--train", "tests", "--test", "tests"], "file tests: Is a directory"),
    (["evaluate", "--sources", "likes"], "`--sources`: must be like, repost, comment or playlist, not"),
    (["embed", "--output", "Makefile"], "`--output`: must name a directory, not a file: 'Makefile'"),
    (["evaluate", "--train", "none", "--test", "none"], "file none: No such file or directory"),
    (["evaluate", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: no such file"),
    (["embed", "-s", "HARVEST_DATABASE_URL=sqlite:///none.db"], "none.db: no such file"),
]  # fmt: skip


def test_errors_are_one_line(database: Path) -> None:
    answers = scrapy_in_one(database, *(arguments for arguments, _ in ERRORS))
    for (arguments, wanted), (code, output, errors) in zip(ERRORS, answers, strict=True):
        assert (code, output) == (2, ""), arguments
        assert wanted in errors, arguments
        assert errors.count("\n") == 1, arguments


def test_an_interrupted_command_changes_nothing(database: Path, tmp_path: Path) -> None:
    """Interrupt a method that reports its start and then learns forever."""
    code = (
        "import os, signal, sys\n"
        "from scrapy.cmdline import execute\n"
        "from sgr_spiders.embeddings.svd import Svd\n"
        "def endless(self, corpus):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    signal.pause()\n"
        "Svd.fit = endless\n"
        "execute(['scrapy', 'embed'])\n"
    )
    copy = copy_database(database, tmp_path / "harvest.db")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": url_of(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "Interrupted: only the vectors listed above have changed"
    assert "Traceback" not in done.stderr


def test_the_options_list_all_methods() -> None:
    """The options list the methods without importing them."""
    assert tuple(recommenders.METHODS) == choices.METHODS
    assert recommenders.NAMES == RECOMMENDERS
    assert set(similar.NEIGHBOUR_SOURCES) == set(options.NEIGHBOUR_SOURCES)
    sources = {"user": recommend.RECOMMENDATION_SOURCES, "playlist": recommend.CONTINUATION_SOURCES}
    assert sources.keys() == options.RECOMMENDATION_SOURCES.keys()
    for kind, named in options.RECOMMENDATION_SOURCES.items():
        assert set(named) == set(sources[kind])
        assert named[0] == sources[kind][0], "the default"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(
        "--users", "60", "--tracks", "300", "--playlists", "20", "--likes-per-user", "10"
    ) as sandbox:
        yield sandbox


def crawl(
    sandbox: SandboxProcess, folder: Path, embeddings: str, spider: str = "user_depth", **environment: str
) -> tuple[Harvester, CrawlResult]:
    config = folder / "my.yaml"
    config.write_text(f"deep_harvest: {{request_delay: 0}}\nembeddings: {embeddings}\n")
    harvester = Harvester(sandbox, folder / "harvest.db", config=str(config), environment=environment)
    return harvester, harvester.crawl(spider)


def test_a_crawl_embeds_on_close_if_configured(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester, ended = crawl(sandbox, tmp_path, "{on_close: true, dimensions: 8}")
    assert ended.code == 0, ended.log
    liked = harvester.value("SELECT count(DISTINCT track_id) FROM engagements WHERE kind = 'like'")
    assert harvester.value("SELECT count(*) FROM track_vectors") == liked
    assert harvester.value("SELECT min(length(vector)) FROM track_vectors") == 4 * 8
    assert harvester.value("SELECT run_id FROM vector_runs") == 1
    assert f"Vectors of {liked} tracks" in ended.log
    assert LINE in ended.log


def test_a_crawl_without_likes_is_complete_without_vectors(sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester, ended = crawl(sandbox, tmp_path, "{on_close: true}", "semantic_depth")
    assert ended.code == 0, ended.log
    assert "No vectors: no interactions to train on: no user likes a track" in ended.log
    assert harvester.value("SELECT count(*) FROM vector_runs") == 0


def test_vectors_that_cannot_be_built_cost_neither_data_nor_outcome(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    hidden = tmp_path / "implicit"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('hidden', name='implicit')\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    harvester, ended = crawl(sandbox, tmp_path, "{on_close: true, method: als}", PYTHONPATH=path)
    assert ended.code == 0, ended.log
    assert "Traceback" not in ended.log
    assert harvester.query("SELECT outcome, reason FROM runs") == [("complete", None)]
    assert (
        "WARNING: Vectors not built: method als: the package implicit is not installed; `make ml` installs "
        "the extra `ml`; run `"
    ) in ended.log
    assert harvester.value("SELECT count(*) FROM user_similarities") > 0
