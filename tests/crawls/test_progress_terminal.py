"""Progress of real crawls on a terminal."""

from __future__ import annotations

import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.layers import LAYERS
from tests.crawls import invariants
from tests.crawls.crawling import ROOT
from tests.databases import url_of
from tests.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

SLOW = {"DOWNLOAD_DELAY": 0.1, "BACKOFF_BASE": 0.01, "BACKOFF_MAX": 0.05}
LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[[\w.]+\] (INFO|WARNING|ERROR): ")
VERSIONS = re.compile(r"[ {]'\w+': ")


def harvest(
    sandbox: SandboxProcess,
    folder: Path,
    settings: Mapping[str, Any] = SLOW,
    *,
    spider: str = "deep_harvest",
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
) -> PseudoTerminal:
    command = [sys.executable, "-m", "scrapy", "crawl", spider]
    command += ["-a", f"track_id={sandbox.seed_track_id}", "-a", "config=sandbox"]
    for name, value in settings.items():
        command += ["-s", f"{name}={value}"]
    own = {"HARVEST_DATABASE_URL": url_of(folder / "harvest.db")}
    return PseudoTerminal(
        command, cwd=ROOT, columns=columns, environment={**sandbox.env(), **own, **(environment or {})}
    )


def has_bar(terminal: PseudoTerminal) -> bool:
    return any(row.startswith("time ") for row in terminal.rows)


def unexpected_rows(rows: list[str]) -> list[str]:
    """Return the rows that are not complete log lines."""
    return [row for row in rows if not LOGGED.match(row) and not VERSIONS.match(row)]


@pytest.mark.slow
def test_the_bar_is_below_the_log_and_disappears_at_the_end(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.set_faults(["text_503:every=7"])
    with harvest(sandbox, tmp_path, SLOW | {"DOWNLOAD_DELAY": 0.05}, columns=600) as terminal:
        terminal.wait_until(
            lambda terminal: terminal.screen_text().count("Retrying") >= 2 and has_bar(terminal)
        )
        rows = terminal.rows
        start = rows.index("")
        assert not unexpected_rows(rows[:start])
        labels = ["walks", *LAYERS, "total", "finished", "received", "requests", "rate", "time"]
        assert [row.split()[0] for row in rows[start + 1 :]] == labels
        assert re.search(r"total \(distinct\) +[━─]+ +\d+ of +\d+\+?$", terminal.screen_text(), re.MULTILINE)
        assert terminal.wait() == 0
        invariants.check_ended(tmp_path / "harvest.db", 0)
        assert terminal.screen_text().count("Retrying") >= 10
        (summary,) = [number for number, row in enumerate(terminal.rows) if "Harvest complete" in row]
        assert not unexpected_rows(terminal.rows[:summary])
        assert terminal.rows[-1].startswith("Next: ")
        assert terminal.restored


def test_urls_are_not_cut_in_a_narrow_terminal(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.set_faults(["text_503:every=7,times=3"])
    with harvest(sandbox, tmp_path, columns=60) as terminal:
        terminal.wait_until(lambda terminal: "Retrying" in terminal.text and has_bar(terminal))
        asked = {entry["path"] for entry in sandbox.log() if entry["status"] == 503}
        assert any(f"{sandbox.url}{path}" in terminal.text for path in asked)
        assert max(map(len, terminal.rows)) <= 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_is_restored_after_a_signal(
    sandbox: SandboxProcess, tmp_path: Path, number: signal.Signals
) -> None:
    # So that it does not end before its bar is seen, however loaded the machine is.
    sandbox.set_faults(["slow:seconds=1,after=40"])
    with harvest(sandbox, tmp_path) as terminal:
        terminal.wait_until(lambda terminal: re.search(r"\d done", terminal.text) is not None)
        terminal.process.send_signal(number)
        assert terminal.wait() == 130
        invariants.check_ended(tmp_path / "harvest.db", 130)
        assert not has_bar(terminal)
        assert "rerun to resume" in terminal.text
        assert terminal.restored


def test_the_bar_shows_pending_responses_and_a_second_signal_ends_the_crawl(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.set_faults(["hang:after=8"])
    with harvest(sandbox, tmp_path) as terminal:
        terminal.wait_until(lambda terminal: "2 in flight" in terminal.text)
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_until(lambda terminal: "finishing: 2 requests in flight" in terminal.text)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
        invariants.check_ledger(tmp_path / "harvest.db")
        assert not has_bar(terminal)
        assert terminal.restored


@pytest.mark.slow
def test_a_hold_is_shown_with_its_reason(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.set_faults(["rate_limit_retry_after:seconds=3600,after=5,times=1"])
    with harvest(sandbox, tmp_path, spider="user_depth") as terminal:
        shown = re.compile(r"paused +until \d\d:\d\d:\d\d · (1:00:0\d|0:59:\d\d) to go · HTTP 429")
        terminal.wait_until(lambda terminal: shown.search(terminal.text) is not None)
        assert re.search(r"about 1 h 0\d min (to go|for the known walks)", terminal.text)
        # A single layer has no total line.
        assert "total (distinct)" not in terminal.text
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 130


@pytest.mark.parametrize(
    ("settings", "environment", "drawn"),
    [
        ({"PROGRESS": "off"}, {}, False),
        pytest.param({"LOG_FILE": "harvest.log"}, {}, False, marks=pytest.mark.slow),
        ({"LOG_FILE": "harvest.log", "PROGRESS": "bar"}, {}, True),
        ({}, {"TERM": "dumb"}, False),
        pytest.param(
            {"LOG_ENABLED": "0"},
            {"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"},
            True,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_bar_is_drawn_only_on_a_capable_terminal(
    sandbox: SandboxProcess,
    tmp_path: Path,
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    drawn: bool,
) -> None:
    own = {name: str(tmp_path / value) if name == "LOG_FILE" else value for name, value in settings.items()}
    with harvest(sandbox, tmp_path, own, spider="artist_depth", environment=environment) as terminal:
        assert terminal.wait() == 0
        assert (b"of known" in terminal.written) == drawn
        assert not has_bar(terminal)
        assert terminal.restored
        if "NO_COLOR" in environment:
            assert not re.search(rb"\x1b\[[\d;]*3\d", terminal.written)
        if "PYTHONIOENCODING" in environment:
            assert terminal.written.isascii()


@pytest.mark.slow
@pytest.mark.sqlite("a file that vanishes")
def test_the_bar_disappears_with_the_database(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with harvest(sandbox, tmp_path, SLOW | {"DOWNLOAD_DELAY": 0.05}, columns=600) as terminal:
        terminal.wait_until(lambda terminal: re.search(r"\d done", terminal.text) is not None)
        for path in tmp_path.glob("harvest.db*"):
            path.unlink()
        assert terminal.wait() == 1
        assert not has_bar(terminal)
        assert [row for row in terminal.rows if "ERROR" in row or "WARNING" in row] == [
            row for row in terminal.rows if "was deleted, moved or replaced while it was in use" in row
        ]
        assert terminal.text.count("was deleted, moved or replaced") == 1
        assert terminal.restored
