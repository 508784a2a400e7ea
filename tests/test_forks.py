"""A fork behaves like the program that it stands for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import forks
from tests.forks import ForkedProcess

if TYPE_CHECKING:
    from pathlib import Path

SCRAPY = [sys.executable, "-m", "scrapy"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("settings", "--get", "SOUNDCLOUD_API_URL"),
        ("status", "--database", "sqlite:///missing.db"),
        ("crawl", "user_depth", "-a", "track_id=x"),
    ],
)
def test_it_prints_and_returns_the_same(arguments: tuple[str, ...], root: Path) -> None:
    """The settings are those of its own environment, not of the environment of the tests."""
    command, env = [*SCRAPY, *arguments], {**os.environ, "SOUNDCLOUD_API_URL": "http://127.0.0.1:9"}
    fork = forks.run(command, cwd=root, env=env, timeout=60)
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert (fork.returncode, fork.stdout, fork.stderr) == (done.returncode, done.stdout, done.stderr)
    assert fork.stdout or fork.stderr


def test_signals_reach_it(root: Path) -> None:
    command = [sys.executable, "-m", "sgr_spiders.sandbox", "--port", "0"]
    output, to_print = os.pipe()
    with os.fdopen(output) as lines:
        for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0), (signal.SIGINT, 0)):
            process = ForkedProcess(command, cwd=root, env=os.environ, stdout=to_print, stderr=2)
            while not lines.readline().startswith("  seed track:"):
                assert process.poll() is None
            process.send_signal(number)
            assert process.wait(60) == code
    os.close(to_print)
