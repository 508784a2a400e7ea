"""The report: what the page contains, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import closing
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.page.report import build_report
from sgr_spiders.storage import export_log, schema
from sgr_spiders.storage.pairs.related import nearest
from sgr_spiders.storage.store import Store
from tests.databases import copy_database, url_of
from tests.reports.page import worlds
from tests.reports.page.worlds import ARTIST, SEED
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from pathlib import Path


class Page(HTMLParser):
    """The parts of a page that tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.words.append(data)
        else:
            self.inside.setdefault(self.cdata_elem, []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for name, attributes in self.tags if name == "a"]

    @property
    def graphs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.inside["script"][0])
        return found


def page_of(path: Path, seeds: list[int] | None = None) -> Page:
    return Page(build_report(Store(url_of(path)), HarvestConfig(), seeds))


@pytest.fixture(scope="module")
def harvest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worlds.make_harvest(tmp_path_factory.mktemp("report") / "harvest.db")


@pytest.fixture(scope="module")
def page(harvest: Path) -> Page:
    return page_of(harvest)


@pytest.fixture
def changed(harvest: Path, tmp_path: Path) -> Path:
    """Return a copy of the harvest to change."""
    return copy_database(harvest, tmp_path / "copy.db")


def change(path: Path, *statements: sa.Executable) -> None:
    with closing(Store.open(url_of(path))) as store, store.write() as connection:
        for statement in statements:
            connection.execute(statement)


def test_two_builds_are_the_same(harvest: Path, page: Page) -> None:
    assert page_of(harvest).source == page.source


def test_it_loads_nothing_and_links_only_to_soundcloud(page: Page) -> None:
    links = [link for link in page.links if not link.startswith("#")]
    assert len(links) > 50
    assert all(link.startswith("https://soundcloud.com/") for link in links)
    assert not {"link", "img", "iframe", "object", "embed", "form", "base"} & {name for name, _ in page.tags}
    assert not [attributes for _, attributes in page.tags if {"src", "srcset", "style"} & attributes.keys()]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    without_links = re.sub(r'href="https://soundcloud\.com/', "", page.source)
    assert set(re.findall(r"\w+://[\w.]+", without_links)) <= {"https://soundcloud.com"}


def test_its_policy_allows_only_its_own_style_and_script(page: Page) -> None:
    (policy,) = [
        attributes["content"] or ""
        for name, attributes in page.tags
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    for kind, name in (("style-src", "style"), ("script-src", "script")):
        digest = hashlib.sha256(page.inside[name][-1].encode()).digest()
        assert allowed[kind] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert allowed.keys() == {"default-src", "style-src", "script-src", "base-uri", "form-action"}


def test_it_says_what_was_asked_and_what_to_believe(page: Page) -> None:
    for text in (
        "Track 101 by User 501",
        "Harvested 2026-03-01 12:00 to 2026-03-01 12:05 UTC",
        "user_depth.max_users_per_track = 20",
        "20 of 50",
        "100.0% (1 of 2 walks)",
        "1 library left out of relationships. Nobody looked at them, so user_similarities",
        "track_id=101",
    ):
        assert text in page.text, text
    assert "_job" not in page.text


@pytest.mark.sqlite("a server's database has another name")
def test_it_names_the_file_without_its_directory(harvest: Path, page: Page) -> None:
    assert "database harvest.db" in page.text
    assert str(harvest.parent) not in page.source


def test_requests_and_times_are_of_all_runs(changed: Path) -> None:
    with closing(Store.open(url_of(changed))) as store, store.write() as connection:
        for run_id in range(2, 13):
            worlds.add_run(connection, run_id, 200 + run_id)
    first = sa.update(schema.runs).where(schema.runs.c.run_id == 1)
    change(changed, first.values(started_at="2026-02-01T12:00:00.000Z"))
    many = page_of(changed)
    assert "204 requests" in many.text
    assert "Harvested 2026-02-01 12:00 to 2026-03-01 12:05 UTC" in many.text
    one = page_of(changed, [212])
    assert "204 requests" in one.text
    assert "Harvested 2026-03-01 12:00 to 2026-03-01 12:05 UTC" in one.text
    change(changed, first.values(requests=None))
    assert "- requests" in page_of(changed).text


def test_only_seeds_that_were_found_are_said_to_be_left_out(changed: Path) -> None:
    with closing(Store.open(url_of(changed))) as store, store.write() as connection:
        for run_id in range(2, 8):
            worlds.add_run(connection, run_id, 100 + run_id)
        worlds.add_run(connection, 8, 9999)
    page = page_of(changed)
    listed = [attributes for name, attributes in page.tags if name == "details"].count({})
    listed += [attributes for name, attributes in page.tags if name == "details"].count({"open": ""})
    assert f"{7 - listed} more not listed; scrapy report --seed ID shows them." in page.text


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"looked": "head"}, "1 list not looked at whole the last time. 1 at the head only"),
        (
            {"looked": "counter"},
            "1 list not looked at whole the last time. 0 at the head only, 1 only by the API's counter.",
        ),
        (
            {"status": "capped", "reason": "3 empty pages in a row"},
            "1 list cut at a fixed cap, or by the API. 3 empty pages in a row",
        ),
    ],
)
def test_a_list_that_was_not_read_to_its_end_is_named(
    tmp_path: Path, changes: dict[str, Any], doubt: str
) -> None:
    path = worlds.make_harvest(tmp_path / "harvest.db", worlds.build_world(20, 8))
    complete = sa.update(schema.walks).values(status="done", capped_at=None, expected=None, kept=1)
    of_seed = sa.update(schema.walks).where(schema.walks.c.walk_id == SEED + 10**6)
    change(path, complete)
    assert doubt not in page_of(path).text
    change(path, of_seed.values(changes))
    assert doubt in page_of(path).text


def test_a_configuration_is_named_without_its_directory_and_content(changed: Path) -> None:
    for config, shown in (("/home/me/own.yaml", "config=own.yaml"), ("{a: b/c}", "config=a mapping")):
        change(changed, sa.update(schema.runs).values(arguments=json.dumps({"config": config})))
        assert shown in page_of(changed).text


def test_it_lists_neighbours_with_evidence(harvest: Path, page: Page) -> None:
    rows = re.search(r"<caption>Nearest tracks</caption>.*?</table>", page.source, re.DOTALL)
    assert rows
    assert "Shared fans" in rows[0]
    assert 'href="https://soundcloud.com/track-102"' in rows[0]
    assert f'href="https://soundcloud.com/track-{SEED}"' not in rows[0]
    artists = re.search(r"<caption>Nearest artists</caption>.*?</table>", page.source, re.DOTALL)
    assert artists
    with Store(url_of(harvest)).read() as connection:
        near = nearest(connection, TYPES["artist_relation"].table, ARTIST, 50)
    assert near
    for row in near:
        lift, q = f"{row['lift']:.10g}", f"{row['q']:.10g}"
        cells = rf'user-{row["id"]}"(?:(?!</tr>).)*data-value="{lift}"(?:(?!</tr>).)*data-value="{q}"'
        assert re.search(cells, artists[0], re.DOTALL), row
    users = re.search(r"<caption>Nearest users</caption>.*?</table>", page.source, re.DOTALL)
    assert users
    assert "in part" in users[0]
    assert ">User 3<" not in users[0], "nobody looked at this library"
    assert f">User {ARTIST}<" not in users[0]


def test_it_draws_the_relationships(page: Page) -> None:
    tracks, artists, users = page.graphs
    assert (tracks["what"], artists["what"], users["what"]) == ("tracks", "artists", "users")
    assert [tracks["ids"][seed] for seed in tracks["seeds"]] == [str(SEED)]
    assert [artists["ids"][seed] for seed in artists["seeds"]] == [str(ARTIST)]
    assert tracks["genres"][0] in {"Ambient", "Deep House", "Techno"}
    assert tracks["layers"] == ["label_layer"]
    assert {len(tracks[name]) for name in ("names", "paths", "genre", "layer", "community", "x", "y")} == {
        len(tracks["ids"])
    }
    assert users["genres"] == []


def test_a_graph_without_the_seed_says_so(changed: Path) -> None:
    assert "the nearest to the seed and the strongest" in page_of(changed).text
    pairs = TYPES["track_cooccurrence"].table.as_table()
    change(changed, sa.delete(pairs).where((pairs.c.track_id_a == SEED) | (pairs.c.track_id_b == SEED)))
    text = page_of(changed, [SEED]).text
    assert "the strongest of the whole database, because none is of the seed" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    page = page_of(worlds.make_harvest(tmp_path / "hostile.db", hostile=True))
    assert len([name for name, _ in page.tags if name == "script"]) == 2
    assert not {"img", "b"} & {name for name, _ in page.tags}
    assert "<b>bold</b>" in page.text
    for character in ("\u202e", "\u2028", "\u2029", "\x07", "\ufffe"):
        assert character not in page.source
    assert all(link.startswith(("#", "https://soundcloud.com/")) for link in page.links)
    assert "</script><script>window" in page.graphs[0]["names"][0] + str(page.graphs[0]["names"])


def test_an_empty_database_says_how_to_begin(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    Store.open(url_of(path)).close()
    page = page_of(path)
    assert "Nothing harvested yet" in page.text
    assert "scrapy crawl deep_harvest -a track_id=ID" in page.text
    assert page.graphs == []
    assert "canvas" not in {name for name, _ in page.tags}


def test_without_relationships_it_says_what_builds_them(tmp_path: Path) -> None:
    page = page_of(worlds.make_harvest(tmp_path / "bare.db", related=False))
    assert "No relationships have been built yet. Build them: scrapy relate" in page.text
    assert "Relationships have not been built: user_similarities, track_relationships, " in page.text
    assert "Nearest tracks" in page.text


def test_an_unfinished_harvest_says_so(changed: Path) -> None:
    ended = sa.update(schema.runs).values(outcome="interrupted", finished_at=None)
    pending = sa.update(schema.walks).where(schema.walks.c.walk_id == SEED).values(status="planned")
    change(changed, ended, pending)
    page = page_of(changed)
    assert "The harvest is not complete. 2 walks of 31 not finished." in page.text
    assert f"scrapy crawl deep_harvest -a track_id={SEED}" in page.text


def test_a_sandbox_is_marked(changed: Path, page: Page) -> None:
    assert "invented" not in page.text
    row = {"api_origin": "http://127.0.0.1:1", "is_sandbox": True, "world": "x", "first_used_at": "x"}
    change(changed, sa.insert(schema.source).values(row))
    assert "Sandbox All data is invented" in page_of(changed).text
    change(
        changed, sa.update(schema.source).values(is_sandbox=False, api_origin="https://api.soundcloud.com")
    )
    assert "Live data from api.soundcloud.com" in page_of(changed).text


def test_removed_records_are_not_shown(changed: Path) -> None:
    gone = {"removed_at": "2026-03-02T00:00:00Z", "removed_reason": "gone"}
    before = page_of(changed)
    assert "/track-104" in before.source
    assert "104" in before.graphs[0]["ids"]
    change(
        changed,
        sa.update(schema.tracks).where(schema.tracks.c.track_id == 104).values(gone),
        sa.update(schema.users).where(schema.users.c.user_id == 5).values(gone),
    )
    after = page_of(changed)
    assert "Track 104" not in after.source
    assert "User 5<" not in after.source
    assert "104" not in after.graphs[0]["ids"]
    assert "2 rows removed since" in after.text


def test_seeds_can_be_chosen(changed: Path) -> None:
    with closing(Store.open(url_of(changed))) as store, store.write() as connection:
        worlds.add_run(connection, 2, 102)
    both = page_of(changed)
    assert "Track 102 by User 505 , Track 101 by User 501" in both.text
    assert [attributes.get("class") for name, attributes in both.tags if name == "details"].count(None) == 2
    one = page_of(changed, [102])
    assert all(attributes.get("class") for name, attributes in one.tags if name == "details")
    assert "track_id=102" in one.text
    assert "track_id=101" not in one.text


def test_the_command_writes_a_private_file(harvest: Path, tmp_path: Path) -> None:
    copy = copy_database(harvest, tmp_path / "harvest.db")
    file = tmp_path / "new" / "page.html"
    done = run_command("report", "-o", str(file), HARVEST_DATABASE_URL=url_of(copy))
    assert done.code == 0
    assert done.out.startswith(f"Report written to {file} (")
    assert file.read_text() == page_of(copy).source
    assert file.stat().st_mode & 0o777 == 0o600
    with Store(url_of(copy)).read() as connection:
        assert [(made.directory, made.purpose) for made in export_log.read(connection)] == [
            (str(file), "report")
        ]


def test_the_command_names_what_is_wrong(harvest: Path, tmp_path: Path) -> None:
    settings = {"HARVEST_DATABASE_URL": url_of(harvest)}
    unknown = run_command("report", "--seed", "5", "-o", str(tmp_path / "x.html"), **settings)
    assert (unknown.code, unknown.err) == (
        2,
        "option `--seed`: track 5 is not a seed of this database; its seeds: 101\n",
    )
    (tmp_path / "file").touch()
    blocked = run_command("report", "-o", str(tmp_path / "file" / "x.html"), **settings)
    assert blocked.code == 1
    assert "Not a directory" in blocked.err or "File exists" in blocked.err
    assert not (tmp_path / "x.html").exists()
