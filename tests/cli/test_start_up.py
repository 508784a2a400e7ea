"""Commands that only look at a database load no module that only crawls, builds or exports need.

A crawl loads none of the modules that are only for terminals, or for parts of Scrapy that are switched off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sgr_spiders.storage.store import Store
from tests.databases import url_of

SLOW = (
    "numpy", "scipy", "pyarrow", "numba", "alembic", "rapidfuzz", "spellchecker", "rich", "aiohttp",
    "twisted.internet.reactor", "sqlalchemy.dialects.postgresql",
)  # fmt: skip
"""Modules that none of these commands may load."""

SCRIPT = """
import json, sys
from scrapy.cmdline import execute
try:
    execute(["scrapy", *sys.argv[1:]])
except SystemExit as ended:
    print(json.dumps([ended.code or 0, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("start") / "harvest.db"
    with closing(Store.open(url_of(path))):
        return path


@pytest.mark.sqlite("modules that a file needs")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("version",), 0),
        (("status",), 0),
        (("harvests",), 0),
        (("changes",), 2),
        (("seeds", "list"), 0),
        (("seeds", "add", "7"), 0),
        (("related", "track", "1"), 2),
        (("follow", "--since", "x"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nothing_slow_is_loaded(command: tuple[str, ...], code: int, database: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command],
        cwd=root,
        env={**os.environ, "HARVEST_DATABASE_URL": url_of(database)},
        capture_output=True,
        text=True,
        check=True,
    )
    ended, modules = json.loads(done.stderr.splitlines()[-1])
    assert ended == code
    assert not sorted(set(SLOW) & set(modules))
    if command == ("version",):
        assert not sorted(name for name in modules if name.startswith(("sqlalchemy", "sgr_spiders.storage")))


def test_a_crawl_without_a_terminal_loads_nothing_for_one(database: Path, root: Path) -> None:
    arguments = ["user_depth", "-a", "track_id=7", "-s", "BACKOFF_BASE=0.001", "-s", "BACKOFF_MAX=0.001"]
    unreachable = {"SOUNDCLOUD_API_URL": "http://127.0.0.1:1", "SOUNDCLOUD_ACCESS_TOKEN": "token"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "crawl", *arguments],
        cwd=root,
        env={**os.environ, **unreachable, "HARVEST_DATABASE_URL": url_of(database)},
        capture_output=True,
        text=True,
        check=True,
    )
    ended, modules = json.loads(done.stderr.splitlines()[-1])
    assert ended == 3, done.stderr
    assert not {"aiohttp", "rich", "requests", "tldextract", "alembic"} & set(modules)


def test_soundgraph_loads_little_before_a_command(root: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "sgr_spiders", "--version"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sgr_spiders.cli.soundgraph" in loaded
    assert not {"scrapy", "sqlalchemy", "pydantic", "twisted", "platformdirs"} & loaded
