"""Commands print into any encoding, and write to a path whatever it is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import World
from tests.scrapy_process import ROOT, run_command

TITLE = "日本 Ünïcode пример 🎵"
LOCALES = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"},
]
COMMANDS = [
    ["similar", "track", "2"],
    ["similar", "track", "2", "--json"],
    ["recommend", "user", "1", "--json"],
    ["recommend", "playlist", "5"],
    ["related", "track", "2", "--json"],
    ["status"],
    ["status", "--json"],
    ["seeds", "list"],
    ["harvests", "--json"],
]
EVERY_HELP = [
    [name, "--help"]
    for name in sorted(path.stem for path in (ROOT / "sgr_spiders" / "commands").glob("[a-z]*.py"))
]
IN_ONE_PROCESS = """
import json, sys
from scrapy.cmdline import execute
for arguments in json.loads(sys.argv[1]):
    print("$", flush=True)
    try:
        execute(["scrapy", *arguments])
    except SystemExit as ended:
        assert not ended.code, (arguments, ended.code)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("output") / "x.db"
    world = World({(user, track, "like") for user in range(1, 9) for track in range(1, 9 if user > 1 else 5)})
    world.playlists = {5: {1, 2, 3}, 6: {1, 2, 3}}
    with closing(Store.open(url_of(path))) as store:
        world.spill(store)
        with store.write() as connection:
            connection.execute(sa.update(schema.tracks).values(title=TITLE))
            connection.execute(sa.update(schema.users).values(username=TITLE))
    assert run_command("relate", HARVEST_DATABASE_URL=url_of(path)).code == 0
    return path


@pytest.mark.parametrize(
    "locale",
    [pytest.param(locale, marks=() if locale is LOCALES[-1] else pytest.mark.slow) for locale in LOCALES],
    ids=["ascii", "cp1252", "C"],
)
def test_no_encoding_breaks_a_command(database: Path, locale: dict[str, str]) -> None:
    commands = [*COMMANDS, *EVERY_HELP]
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS, json.dumps(commands)],
        cwd=ROOT,
        env={**os.environ, **locale, "HARVEST_DATABASE_URL": url_of(database)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    outputs = done.stdout.decode(locale.get("PYTHONIOENCODING", "ascii")).split("$\n")[1:]
    assert len(outputs) == len(commands)
    for command, output in zip(commands, outputs, strict=True):
        if "--json" in command:
            answer = json.loads(output)
            if command[0] in {"similar", "recommend", "related"}:
                assert TITLE in json.dumps(answer, ensure_ascii=False), command
    assert "?? " in outputs[0], "characters are not replaced"


@pytest.mark.parametrize(
    "name", ["-foo", "--foo", "a b", "x.parquet", "x.csv/", "日本", "-", "%s{}", "new/-x/y"]
)
def test_an_output_is_a_path_whatever_it_is_called(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    url = url_of(database)
    for option in (["--output", name], [f"--output={name}"]):
        done = run_command("export", "--for", "graphs", *option, HARVEST_DATABASE_URL=url)
        assert done.code == 0, done.err
    assert (tmp_path / name / "manifest.json").is_file()


def test_the_reader_of_the_output_may_end_early(database: Path) -> None:
    """As ``head`` does: no traceback, and the exit code of a program that SIGPIPE ends."""
    end, pipe = os.pipe()
    os.close(end)
    assert run_into(pipe, database, unbuffered="1") == (141, "")
    os.close(pipe)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(database: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        code, errors = run_into(full.fileno(), database, unbuffered="")
    assert (code, errors) == (1, "could not write the output: No space left on device\n")


def run_into(output: int, database: Path, unbuffered: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "similar", "track", "2"],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": url_of(database), "PYTHONUNBUFFERED": unbuffered},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_recommendations_fit_a_narrow_terminal(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    done = run_command("recommend", "user", "1", "--limit", "2", HARVEST_DATABASE_URL=url_of(database))
    assert done.code == 0, done.err
    titles, reasons = (
        [at for at, line in enumerate(done.out.splitlines()) if line.startswith(start)]
        for start in (f"    {TITLE[:10]}", "    because of")
    )
    assert len(titles) == 2
    assert titles[0] < reasons[0] < titles[1] < reasons[-1]


def test_files_of_pairs_are_one_split(database: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    pairs.write_text("1 1\n1 2\n2 1\n")
    tested = tmp_path / "tested"
    tested.write_text("2 2\n")
    files = ["--train", str(pairs), "--test", str(tested), "--method", "popularity"]
    done = run_command("evaluate", *files, HARVEST_DATABASE_URL=url_of(database))
    assert done.out.startswith("trained on: 3 pairs of 2 users and 2 tracks\nheld out: 1 pair of 1 user; 0 ")


def test_a_track_that_everyone_likes_says_so(database: Path) -> None:
    def similar(*words: str) -> str:
        return run_command("similar", "track", *words, HARVEST_DATABASE_URL=url_of(database)).out

    line = "it has 8 fans, all that were looked at, so sharing them says nothing"
    assert f"\nby walk: {line}\n" in similar("2")
    assert f"by npmi: {line}; try `--by walk`\n" in similar("2", "--by", "npmi")
    assert line not in similar("6")


def test_a_recommendation_says_why_it_is_by_walk_or_empty(database: Path) -> None:
    def recommend(*words: str) -> str:
        return run_command("recommend", *words, HARVEST_DATABASE_URL=url_of(database)).out

    fallback = json.loads(recommend("user", "1", "--json"))["fallback"]
    assert fallback.startswith("no blend vectors in this database; run `")
    assert recommend("user", "1").endswith(f"\nby walk: {fallback}\n")
    nothing = "by playlists: no further track is connected to "
    assert f"{nothing}what the user likes\n" in recommend("user", "8", "--by", "playlists")
    assert f"{nothing}its tracks\n" in recommend("playlist", "5", "--by", "playlists")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["--output", ""], "option `--output`: is empty"),
        (["--output", "a\0b"], "option `--output`: must be a path, not 'a\\x00b'"),
    ],
)
def test_what_is_no_path(database: Path, given: list[str], problem: str) -> None:
    done = run_command("export", *given, HARVEST_DATABASE_URL=url_of(database))
    assert (done.code, done.err) == (2, f"{problem}\n")
