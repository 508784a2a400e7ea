"""The relationship benchmarks run on tiny worlds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_benchmarks_run(root: Path) -> None:
    parts = "it.ways(0.003); it.tables(0.003); it.significance(0.003)"
    code = f"from tests.benchmarks.relationships import __main__ as it; {parts}"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith("  ")]
    names = [row[0] for row in rows]
    assert names.count("scipy") == 3
    assert "NOT THE SAME" not in ended.stdout
    total = names.index("total")
    assert names[total - 3 : total] == ["user_similarity", "track_cooccurrence", "artist_relation"]
    assert all(float(cell.replace(",", "")) >= 0 for cell in rows[total][1:])
    assert names[total + 1 : -1] == ["significance", "none", "bicm", "none", "bicm"]
    assert float(names[-1]) > 0
