"""Benchmarks assert nothing, so they would break unnoticed: each runs here on a tiny world."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import heading, names

TINY_WORLD = ("--users", "60", "--tracks", "300", "--playlists", "20", "--likes-per-user", "5")
TINY = {
    "continuation": ("--playlists", "2"),
    "memory": ("--likers", "4", "--times", "1"),
    "neighbours": ("--users", "200"),
    "old_way": (*TINY_WORLD, "--seed-likers", "2", "--seed-reposters", "2", "--delays", "0"),
    "politeness": ("--requests", "5", "--delay", "0.1", "--shares", "1.5"),
    "requests": TINY_WORLD,
    "scaling": ("--users", "30,60,120"),
    "space": TINY_WORLD,
    "vectors": ("generated", "--scale", "0.01", "--methods", "popularity,walk,svd"),
}
"""Options that make a benchmark take seconds instead of a minute."""


def benchmark(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TINY))
def test_a_benchmark_still_measures(root: Path, name: str) -> None:
    ended = benchmark(root, f"tests.benchmarks.{name}", *TINY[name])
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "nothing measured" not in ended.stdout
    columns, *rows = [line.split() for line in ended.stdout.splitlines() if re.search(r"\s{2}", line)]
    assert len(columns) > 2
    assert rows
    # A benchmark may print a second table with its own heading.
    assert all(re.search(r"\d", row[-1]) for row in rows if row[-1] != "ratio"), ended.stdout


def test_every_benchmark_has_a_heading() -> None:
    assert set(TINY) < set(names())
    assert all(heading(name) for name in names())


def test_the_runner_prints_a_heading_and_a_time(root: Path) -> None:
    ended = benchmark(root, "tests.benchmarks", "similarity")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"\n== similarity: {heading('similarity')}\n")
    assert "-- similarity took " in ended.stdout


def test_an_unknown_benchmark_is_an_error(root: Path) -> None:
    ended = benchmark(root, "tests.benchmarks", "similarity", "x")
    assert ended.returncode == 2
    assert "no benchmark 'x': there are continuation, credits, " in ended.stderr
    assert not ended.stdout
