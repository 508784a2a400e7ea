"""The relationship benchmarks run on tiny worlds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_benchmarks_run(root: Path) -> None:
    code = "from tests.benchmarks.relationships import __main__ as it; it.ways(0.003); it.tables(0.003)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith("  ")]
    names = [row[0] for row in rows]
    assert names.count("scipy") == 3
    assert "NOT THE SAME" not in ended.stdout
    assert names[-4:] == ["user_similarity", "track_cooccurrence", "artist_relation", "total"]
    assert all(float(cell.replace(",", "")) >= 0 for cell in rows[-1][1:])
