"""Two Scrapyds, as on two machines, work on one harvest in one PostgreSQL database."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests import databases
from tests.crawls import invariants
from tests.deploy.scrapyd_process import ScrapydProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.postgresql("a file has one worker")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    databases.create_empty(tmp_path / "harvest.db")
    return tmp_path / "harvest.db"


@pytest.fixture
def machines(
    tmp_path: Path, small_sandbox: SandboxProcess, database: Path
) -> Iterator[tuple[ScrapydProcess, ScrapydProcess]]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    environment = {**small_sandbox.env(), "HARVEST_DATABASE_URL": databases.url_of(database)}
    with (
        ScrapydProcess(tmp_path / "one", environment, has_project=True) as one,
        ScrapydProcess(tmp_path / "two", environment, has_project=True) as two,
    ):
        yield one, two


def test_the_same_job_on_two_machines_is_one_run(
    machines: tuple[ScrapydProcess, ScrapydProcess], sandbox: SandboxProcess, database: Path
) -> None:
    arguments = {"track_id": str(sandbox.seed_track_id), "config": "sandbox", "setting": "DOWNLOAD_DELAY=0.4"}
    jobs = [machine.schedule(**arguments) for machine in machines]
    for machine, job in zip(machines, jobs, strict=True):
        machine.wait_until(job, "finished")
    logs = [machine.job_log(job) for machine, job in zip(machines, jobs, strict=True)]
    assert sum("Joining run 1: 1 other worker at work" in log for log in logs) == 1, logs
    assert sum("user_similarities: " in log for log in logs) == 1, "the last worker builds them, once"
    assert not [log for log in logs if "Traceback" in log]

    with closing(databases.connect(database)) as connection:
        ((outcome, started_by),) = connection.execute("SELECT outcome, arguments FROM runs").fetchall()
        workers = connection.execute("SELECT run_id, ended_at, requests FROM workers").fetchall()
        pages = connection.execute("SELECT count(*) FROM walk_pages").fetchone()[0]
        walks = dict(connection.execute("SELECT status, count(*) FROM walks GROUP BY status").fetchall())
        pairs = connection.execute("SELECT count(*) FROM track_relationships").fetchone()[0]
    assert outcome == "complete"
    assert json.loads(started_by)["_job"] in jobs
    assert [run for run, _, _ in workers] == [1, 1]
    assert all(ended is not None and requests > 1 for _, ended, requests in workers)
    assert not {"planned", "running", "failed"} & walks.keys()
    assert pairs > 0
    # Nothing was fetched twice: a page for each response, except those with the tokens.
    fetched = [(entry["path"], entry["query"]) for entry in sandbox.log() if entry["path"] != "/oauth/token"]
    assert len(set(fetched)) == pages
    # Each may ask for a record known to be good, before it believes that another one is gone.
    assert len(fetched) - pages <= len(machines)
    invariants.check_ledger(database)
