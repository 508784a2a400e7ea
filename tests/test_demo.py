"""``make demo`` harvests the sandbox, says what it found, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests


@pytest.fixture
def demo(root: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """The demo, just started in a folder of its own."""
    (tmp_path / "data").mkdir()
    harvest = {"PYTHONPATH": str(root), "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings"}
    with (tmp_path / "demo.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sgr_spiders.sandbox.demo"],
            cwd=tmp_path,
            env={**os.environ, **harvest, "HARVEST_DATABASE_URL": "sqlite:///elsewhere.db"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def is_reachable(address: str) -> bool:
    try:
        return requests.get(f"{address}/robots.txt", timeout=10).ok
    except requests.ConnectionError:
        return False


def address_in(output: str) -> str:
    found = re.search(r"SOUNDCLOUD_API_URL=(\S+)", output)
    assert found, output
    return found[1]


def test_it_harvests_and_shows_what_lies_in_the_database(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0
    assert not is_reachable(address_in(output))
    assert "scrapy crawl deep_harvest -a track_id=" in output
    counts = dict(re.findall(r"^  (\w+) +([\d,]+)$", output, flags=re.MULTILINE))
    assert all(counts[table] != "0" for table in ("tracks", "users", "engagements", "walks"))
    assert not (tmp_path / "elsewhere.db").exists()  # a user's own database is left alone


def test_the_readme_shows_what_it_prints(demo: subprocess.Popen[str], root: Path, tmp_path: Path) -> None:
    output, _ = demo.communicate(timeout=120)
    printed = _shape(output + (tmp_path / "demo.log").read_text())
    block = re.search(
        r"^\$ make demo\n(.*?)^\$ make test", (root / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert block
    shown = [line.removeprefix("… ") for line in block[1].splitlines() if line not in {"", "…"}]
    assert len(shown) > 15
    assert [line for line in shown if _shape(line) not in printed] == []


def _shape(text: str) -> str:
    """The text without what differs from run to run: numbers, and how much space they take."""
    return re.sub(r" +", " ", re.sub(r"[\d,.]*\d", "0", text))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_early_it_ends_the_sandbox(demo: subprocess.Popen[str], number: int) -> None:
    assert demo.stdout
    address = address_in(demo.stdout.readline())
    assert is_reachable(address)
    if number == signal.SIGINT:
        os.killpg(demo.pid, number)  # Ctrl-C reaches the demo and its crawl alike
    else:
        demo.send_signal(number)
    demo.communicate(timeout=120)
    assert not is_reachable(address)
