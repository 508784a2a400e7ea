"""``scrapy status --watch`` shows the status again and again, until Ctrl-C or the end of its reader."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.pseudo_terminal import PseudoTerminal
from tests.relationships.worlds import World
from tests.scrapy_process import ROOT, run_command

if TYPE_CHECKING:
    from pathlib import Path

WATCH = [sys.executable, "-m", "scrapy", "status", "--watch", "0.1"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "harvest.db"
    fill(path, 2)
    return path


def fill(path: Path, users: int) -> None:
    with closing(Store.open(url_of(path))) as store:
        World({(user, 1, "like") for user in range(1, users + 1)}).spill(store)


def start(database: Path, *options: str, **streams: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "HARVEST_DATABASE_URL": url_of(database)}
    return subprocess.Popen([*WATCH, *options], cwd=ROOT, env=environment, text=True, **streams)


@pytest.mark.slow
@pytest.mark.sqlite("a file that is moved away")
def test_a_terminal_shows_only_the_newest_status(database: Path) -> None:
    environment = {"HARVEST_DATABASE_URL": url_of(database)}
    with PseudoTerminal(WATCH, cwd=ROOT, columns=120, environment=environment) as terminal:
        terminal.wait_until(lambda it: re.search(r"engagements +2 ", it.text) is not None)
        fill(database, 4_321)
        terminal.wait_until(lambda it: "4,321" in it.text)
        assert sum("Ctrl-C ends" in row for row in terminal.rows) == 1
        database.rename(database.with_suffix(".moved"))
        terminal.wait_until(lambda it: "no such file" in it.text)
        assert "4,321" not in terminal.text
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 0
        assert "Traceback" not in terminal.text
        assert terminal.restored


def test_a_small_terminal_shows_the_first_lines(database: Path) -> None:
    environment = {"HARVEST_DATABASE_URL": url_of(database)}
    with PseudoTerminal(WATCH, cwd=ROOT, columns=30, lines=6, environment=environment) as terminal:
        terminal.wait_until(lambda it: "more lines" in it.text)
        rows = terminal.rows
    assert "UTC" in rows[0]
    assert rows[-1].startswith("… ")
    assert len(rows) <= 5


def test_a_pipe_gets_a_line_of_json_each_time(database: Path) -> None:
    with start(database, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        first = json.loads(watch.stdout.readline())
        fill(database, 3)
        while json.loads(watch.stdout.readline())["tables"]["engagements"]["rows"] == 2:
            pass
        watch.stdout.close()
        assert watch.wait(60) == 0
        assert watch.stderr.read() == ""
    assert first["tables"]["engagements"]["rows"] == 2


@pytest.mark.slow
def test_a_pipe_gets_one_text_after_the_other(database: Path) -> None:
    with start(database, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        heads = 0
        while heads < 2:
            line = watch.stdout.readline()
            assert "\x1b" not in line
            heads += "Ctrl-C ends" in line
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=60)
    assert (watch.returncode, errors) == (0, "")


@pytest.mark.parametrize("seconds", ["0", "0.01", "x", "", "-1", "1e3", "nan", "86401", "1" * 5000])
def test_other_intervals_are_refused(seconds: str, tmp_path: Path) -> None:
    done = run_command("status", f"--watch={seconds}", HARVEST_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert done.code == 2
    assert done.err.startswith("option `--watch`: must be a number of seconds from 0.1 to 86400, not ")


def test_a_database_must_be_there_at_the_start(tmp_path: Path) -> None:
    done = run_command("status", "--watch", HARVEST_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")
    assert done.code == 2
    assert "no such file" in done.err
