"""The throughput benchmark runs and measures every stage of a harvest."""

from __future__ import annotations

import pytest

from tests.benchmarks.throughput.__main__ import main
from tests.benchmarks.throughput.stages import REST, STAGES


@pytest.mark.slow
def test_a_small_world_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    world = ("--users", "60", "--tracks", "300", "--likes-per-user", "20", "--seed-likers", "8")
    assert main(["--rounds", "1", *world]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    figures = {row[0]: row[1:] for row in rows if row}
    assert float(figures["harvest"][0]) > 0
    assert float(figures["bare"][0]) > 0
    for stage in (REST, *STAGES):
        assert float(figures[stage][0]) >= 0
