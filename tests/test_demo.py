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
    return subprocess.Popen(
        [sys.executable, "-m", "sgr_spiders.sandbox.demo"],
        cwd=tmp_path,
        env={**os.environ, **harvest, "HARVEST_DATABASE_URL": "sqlite:///elsewhere.db"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
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
