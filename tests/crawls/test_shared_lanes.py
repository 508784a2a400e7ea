"""Workers on a server share the request rate and the pauses of an API key."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.crawls.crawling import Harvester
from tests.crawls.small import settings_of, start_sandbox, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.postgresql("a file has one worker")

DELAY = 0.2
PAUSE = 4


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as process:
        yield process


def test_two_workers_are_no_faster_than_one_and_pause_together(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "wide.yaml", settings_of(user_depth={"max_users_per_track": 14}))
    sandbox.set_faults([f"rate_limit_retry_after:seconds={PAUSE},after=12,times=1"])
    workers = [
        Harvester(
            sandbox,
            tmp_path / "harvest.db",
            settings={"DOWNLOAD_DELAY": DELAY},
            config=str(config),
            log_suffix=f".{number}.log",
            unchecked="another worker is at work",
        )
        for number in range(2)
    ]
    processes = [worker.start() for worker in workers]
    for worker, process in zip(workers, processes, strict=True):
        ended = worker.wait(process)
        assert ended.code == 0, ended.log
        assert "Traceback" not in ended.log
    sent = [entry for entry in sandbox.log() if not entry["path"].startswith("/oauth")]
    (refused,) = [entry["time"] for entry in sent if entry["status"] == 429]
    during = [entry for entry in sent if refused + 0.1 < entry["time"] < refused + PAUSE - 0.1]
    # At most what the other worker was just sending; alone, it would send one every DELAY.
    assert len(during) <= 4
    # Two workers with rates of their own would need half of this time.
    seconds = sent[-1]["time"] - sent[0]["time"] - PAUSE
    assert seconds >= 0.8 * DELAY * (len(sent) - 2)
    assert (
        sum(later["time"] - sooner["time"] < DELAY / 2 for sooner, later in pairwise(sent)) <= len(sent) / 5
    )
    ((name, state, held_by),) = workers[0].query("SELECT name, state, held_by FROM lanes")
    assert (name, state) == ("default", "ok")
    assert held_by.rpartition(" ")[2] in {str(process.pid) for process in processes}
