"""``scrapy compare``: the earlier sampling profile beside the default, and a database before a refresh."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sgr_spiders.config.harvest import Relationships
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.comparison.agreement import rank_biased_overlap
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import connect, copy_database, is_on_server, url_of
from tests.relationships.worlds import LOOKS, Rows, expected
from tests.relationships.worlds import World as RelatedWorld
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import scrapy, scrapy_in_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = {
    "tracks": "SELECT count(*) FROM tracks WHERE removed_at IS NULL AND NOT is_stub",
    "users": "SELECT count(*) FROM users WHERE removed_at IS NULL AND NOT is_stub",
    "playlists": "SELECT count(*) FROM playlists WHERE removed_at IS NULL AND NOT is_stub",
    "likes": "SELECT count(*) FROM engagements WHERE removed_at IS NULL AND kind = 'like'",
    "reposts": "SELECT count(*) FROM engagements WHERE removed_at IS NULL AND kind = 'repost'",
    "comments": "SELECT count(*) FROM comments WHERE removed_at IS NULL",
    "playlist_tracks": "SELECT count(*) FROM playlist_tracks WHERE removed_at IS NULL",
}
NODES = {
    "track": "SELECT track_id FROM tracks WHERE removed_at IS NULL",
    "user": "SELECT user_id FROM users WHERE removed_at IS NULL",
    "artist": "SELECT DISTINCT artist_id FROM tracks WHERE removed_at IS NULL AND artist_id IS NOT NULL",
}
STORED = ("user_similarity", "track_cooccurrence", "artist_relation")
SCORES = {"user_similarity": 0, "track_cooccurrence": 1, "artist_relation": 1}
"""The place of the score among the measures of the brute force."""


@dataclass
class Harvests:
    """Harvests of one world: by the sampling profile, by the default, and that one before a refresh."""

    sampled: Harvester
    whole: Harvester
    refreshed: Harvester


@pytest.fixture(scope="module")
def harvests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harvests]:
    folder = tmp_path_factory.mktemp("compare")
    profile = yaml.safe_load((ROOT / "configs/multi_layer.yaml").read_text())
    profile["deep_harvest"]["request_delay"] = 0  # the only difference, so that the test takes seconds
    quick = folder / "multi_layer.yaml"
    quick.write_text(yaml.safe_dump(profile))
    with SandboxProcess() as sandbox:
        # Each asks for its own token, which counts as a request.
        sampled, whole, refreshed = (
            Harvester(
                sandbox, folder / f"{name}.db", environment={"XDG_CACHE_HOME": str(folder / f"{name}-cache")}
            )
            for name in ("sampled", "whole", "refreshed")
        )
        for harvester, config in ((sampled, str(quick)), (whole, "sandbox")):
            ended = harvester.crawl("deep_harvest", config=config)
            assert ended.code == 0, ended.log
        copy_database(whole.database, refreshed.database)
        sandbox.mutate(rounds=3)
        ended = refreshed.crawl("deep_harvest", config="sandbox", refresh=1, accept_gone=1)
        assert ended.code == 0, ended.log
        yield Harvests(sampled, whole, refreshed)


def compare(*arguments: str) -> dict[str, Any]:
    ended = scrapy("compare", *arguments, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def name_of(harvester: Harvester) -> str:
    """Return the path of a database; on a server its URL."""
    return url_of(harvester.database) if is_on_server() else str(harvester.database)


@pytest.fixture(scope="module")
def compared(harvests: Harvests) -> dict[str, Any]:
    return compare(name_of(harvests.sampled), name_of(harvests.whole))


def related(harvester: Harvester) -> dict[str, Rows]:
    """Return all pairs of a database by brute force, by relationship type."""
    playlists: dict[int, set[int]] = {}
    for playlist, track in harvester.query(
        "SELECT playlist_id, track_id FROM playlist_tracks WHERE removed_at IS NULL"
    ):
        playlists.setdefault(playlist, set()).add(track)
    world = RelatedWorld(
        engagements={
            (user, track, kind)
            for user, track, kind in harvester.query(
                "SELECT user_id, track_id, kind FROM engagements WHERE removed_at IS NULL"
            )
        },
        playlists=playlists,
        artists=dict(harvester.query("SELECT track_id, artist_id FROM tracks WHERE artist_id IS NOT NULL")),
        looks=dict(harvester.query(LOOKS)),
    )
    rows = expected(world, Relationships())
    return {name: rows[TYPES[name].table.name] for name in STORED}


def nearest(rows: Rows, score: int) -> dict[int, list[int]]:
    found: dict[int, list[tuple[float, int]]] = {}
    for (a, b), measures in rows.items():
        found.setdefault(a, []).append((-measures[score], b))
        found.setdefault(b, []).append((-measures[score], a))
    return {node: [other for _, other in sorted(near)[:10]] for node, near in found.items()}


def nodes(harvester: Harvester, kind: str) -> set[int]:
    return {node for (node,) in harvester.query(NODES[kind])}


def test_records_and_requests(harvests: Harvests, compared: dict[str, Any]) -> None:
    for side, harvester in (("a", harvests.sampled), ("b", harvests.whole)):
        found = compared[side]
        assert found["requests"] == harvester.value("SELECT sum(requests) FROM runs")
        assert found["records"] == {name: harvester.value(sql) for name, sql in RECORDS.items()}
        assert found["seeds"] == [harvester.sandbox.seed_track_id]
    assert compared["a"]["records"]["likes"] < compared["b"]["records"]["likes"]


@pytest.mark.parametrize("name", STORED)
def test_density_and_agreement(name: str, harvests: Harvests, compared: dict[str, Any]) -> None:
    found = compared["neighbours"][name]
    near = []
    for side, harvester in (("a", harvests.sampled), ("b", harvests.whole)):
        rows = related(harvester)[name]
        near.append(nearest(rows, SCORES[name]))
        present = nodes(harvester, found["nodes"])
        assert found[side] == {
            "nodes": len(present),
            "pairs": len(rows),
            "limited": False,
            "with_neighbours": len(near[-1].keys() & present),
            "pairs_per_node": len(rows) / len(present),
            "share_of_possible": len(rows) / (len(present) * (len(present) - 1) // 2),
            "share_with_neighbours": len(near[-1].keys() & present) / len(present),
        }
    shared = nodes(harvests.sampled, found["nodes"]) & nodes(harvests.whole, found["nodes"])
    in_a, in_b = (of.keys() & shared for of in near)
    lists = [(near[0][node], near[1][node]) for node in in_a & in_b]
    overlaps = [len({*a} & {*b}) / len({*a} | {*b}) for a, b in lists]
    agreed = found["agreement"]
    assert agreed["shared"] == len(shared)
    assert (agreed["both"], agreed["only_a"], agreed["only_b"]) == (
        len(in_a & in_b), len(in_a - in_b), len(in_b - in_a)
    )  # fmt: skip
    assert agreed["jaccard"] == pytest.approx(mean(overlaps))
    assert agreed["rank_biased_overlap"] == pytest.approx(mean(rank_biased_overlap(*pair) for pair in lists))


def test_planted_communities(harvests: Harvests, compared: dict[str, Any]) -> None:
    world = World.build(WorldOptions())
    home = dict(zip(world.people.ids.tolist(), world.people.taste.home.tolist(), strict=True))
    style = dict(zip(world.catalogue.ids.tolist(), world.catalogue.community.tolist(), strict=True))
    for name in STORED:
        found = compared["neighbours"][name]
        of = style if found["nodes"] == "track" else home
        either = nodes(harvests.sampled, found["nodes"]) | nodes(harvests.whole, found["nodes"])
        for side, harvester in (("a", harvests.sampled), ("b", harvests.whole)):
            near = nearest(related(harvester)[name], SCORES[name])
            shares = [mean(of[other] == of[node] for other in others) for node, others in near.items()]
            recovery = found["recovery"][side]
            assert recovery["nodes"] == len(near)
            assert recovery["purity"] == pytest.approx(mean(shares))
            assert recovery["placed"] == pytest.approx(sum(share > 0.5 for share in shares) / len(either))
            assert 0 < recovery["information"] <= 1
            assert recovery["purity"] > recovery["chance"]


def test_recall_of_held_out_likes(harvests: Harvests, compared: dict[str, Any]) -> None:
    held = compared["held_out"]
    assert held["reference"] == "B"  # it has more likes
    libraries: dict[str, dict[int, set[int]]] = {}
    for side, harvester in (("a", harvests.sampled), ("b", harvests.whole)):
        looked_at = {user for user, state in harvester.query(LOOKS) if state in {"whole", "newest"}}
        for user, track in harvester.query(
            "SELECT user_id, track_id FROM engagements WHERE kind = 'like' AND removed_at IS NULL"
        ):
            if user in looked_at:
                libraries.setdefault(side, {}).setdefault(user, set()).add(track)
    seed = harvests.whole.sandbox.seed_track_id
    sizes = {user: len(tracks - {seed}) for user, tracks in libraries["b"].items()}
    # A fifth of each library, rounded half up, but never a user's only like.
    counts = {
        user: min(int(size / 5 + 0.5), size, len(libraries["b"][user]) - 1) for user, size in sizes.items()
    }
    assert held["likes"] == sum(counts.values())
    assert held["users"] == sum(count > 0 for count in counts.values())
    assert held["a"]["known"] == sum(user in libraries["a"] for user, count in counts.items() if count)
    assert held["b"]["known"] == held["users"]
    assert held["b"]["held_out_known"] == held["likes"]
    assert held["a"]["recall"] == pytest.approx(
        held["a"]["recall_of_both"] * held["a"]["known"] / held["users"]
    )
    assert 0.1 < held["a"]["recall"] < held["b"]["recall"] < 1


def test_text_page_and_differences(harvests: Harvests, tmp_path: Path) -> None:
    a, b = name_of(harvests.sampled), name_of(harvests.whole)
    text, same, other = scrapy_in_one(
        harvests.whole.database,
        ["compare", a, b, "--html", str(tmp_path / "page.html")],
        ["compare", b, b, "--json"],
        ["compare", b, a, "--reference", a, "--json"],
    )
    assert text.code == 0, text.err
    lines = text.out.splitlines()
    assert lines[0].startswith(("A  ", "A  postgresql"))
    assert "Configurations differ: " in text.out
    assert "Layers only of B: commentary_layer, contextual_layer, label_layer, semantic_depth" in lines
    assert "Relationships: computed for this comparison" in lines[-2]
    assert lines[-1] == f"Page written to {tmp_path / 'page.html'}"
    page = (tmp_path / "page.html").read_text()
    assert "Content-Security-Policy" in page
    assert not re.search("https?:| src=", page)
    assert {line.split()[-1] for line in lines if line.startswith("  recall@")} <= set(re.split("[<>]", page))
    readme = re.search(r"\$ scrapy compare \S+ \S+\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert readme is not None
    shown = [line for line in readme[1].splitlines() if line.strip() not in {"", "…"}]
    assert [line for line in shown if line not in lines] == [], text.out
    assert len(shown) > 10
    itself = json.loads(same.out)
    assert itself["differences"] == []
    assert all(
        one["agreement"]["jaccard"] == pytest.approx(1) == one["agreement"]["rank_biased_overlap"]
        for one in itself["neighbours"].values()
    )
    assert json.loads(other.out)["held_out"]["reference"] in {a, json.loads(other.out)["b"]["database"]}


def test_the_state_before_a_refresh_is_that_of_a_copy(harvests: Harvests, compared: dict[str, Any]) -> None:
    refreshed = name_of(harvests.refreshed)
    before = compare(refreshed, "--before", "2")
    whole = compare(name_of(harvests.whole), refreshed)
    for key in ("records", "requests", "seeds", "layers", "runs"):
        assert before["a"][key] == compared["b"][key], key
        assert before["b"][key] == whole["b"][key], key
    for name, found in before["neighbours"].items():
        assert found["a"] == compared["neighbours"][name]["b"], name
        assert found == whole["neighbours"][name], name
    assert before["held_out"] == whole["held_out"]
    assert before["b"]["records"]["likes"] < before["a"]["records"]["likes"]


def test_the_later_state_can_be_named(harvests: Harvests) -> None:
    database = harvests.refreshed.database
    started = harvests.refreshed.value("SELECT started_at FROM runs WHERE run_id = 2")
    old = copy_database(harvests.whole.database, database.with_name("old.db"))
    with closing(connect(old)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0026'")
    by_run, by_time, wrong, reverse, unknown, one, missing, outdated = scrapy_in_one(
        database,
        ["compare", "--before", "1", "--as-of", "1", "--json"],
        ["compare", "--before", "2020-01-01", "--as-of", started, "--json"],
        ["compare", "--as-of", "1"],
        ["compare", "--before", "2", "--as-of", "1"],
        ["compare", "--before", "7"],
        ["compare", name_of(harvests.whole)],
        ["compare", "missing.db", name_of(harvests.whole)],
        ["compare", name_of(harvests.whole), url_of(old)],
    )
    empty = json.loads(by_run.out)
    assert set(empty["a"]["records"].values()) == {0}
    assert empty["a"]["runs"] == 0
    assert empty["b"]["records"] == json.loads(by_time.out)["b"]["records"]
    assert empty["held_out"]["a"]["known"] == 0
    assert "option `--as-of`: needs `--before`" in wrong.err
    assert "option `--as-of`: must be later than `--before`" in reverse.err
    assert "option `--before`: there is no run 7" in unknown.err
    assert "name two databases" in one.err
    assert "missing.db: no such file" in missing.err
    assert outdated.code != 0
    assert f"HARVEST_DATABASE_URL={url_of(old)}" in outdated.err
    assert {answer.code for answer in (wrong, reverse, unknown, one, missing)} == {2}
