"""With a real Scrapyd, harvests are deployed, scheduled, monitored, cancelled and resumed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.crawls import invariants
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import url_of
from tests.deploy.scrapyd_process import PASSWORD, ScrapydProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_process import SandboxProcess


EXAMPLE = ROOT / "docs" / "examples" / "soundgraph-scrapyd.service"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "harvest.db"


@pytest.fixture(scope="module")
def scrapyd(
    tmp_path_factory: pytest.TempPathFactory, small_sandbox: SandboxProcess, database: Path
) -> Iterator[ScrapydProcess]:
    folder = tmp_path_factory.mktemp("scrapyd")
    environment = {
        **small_sandbox.env(),
        "HARVEST_DATABASE_URL": url_of(database),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    with ScrapydProcess(folder, environment) as process:
        yield process


@pytest.mark.slow
@pytest.mark.sqlite("the lock of the file")
def test_from_deployment_to_the_finished_database(
    scrapyd: ScrapydProcess, sandbox: SandboxProcess, sources: Path, database: Path
) -> None:
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{scrapyd.url}daemonstatus.json")  # noqa: S310 - our own http address

    _deploy(sources, scrapyd)
    assert len(scrapyd.ask("listspiders", project="soundgraph")["spiders"]) == 8
    assert scrapyd.ask("listprojects")["projects"] == ["soundgraph"]

    arguments = {"track_id": str(sandbox.seed_track_id), "config": "sandbox"}
    first = scrapyd.schedule(**arguments, setting="DOWNLOAD_DELAY=3")
    scrapyd.wait_for(lambda: len(_fetched_pages(sandbox)) > 0, "a page")
    assert scrapyd.state(first) == "running"

    # A second harvest of the same database ends at once, with the reason in its own log.
    second = scrapyd.schedule(**arguments)
    scrapyd.wait_until(second, "finished")
    assert f"Not started: database {database} is locked by" in scrapyd.job_log(second)
    assert "exitstatus=5" in scrapyd.log.read_text()
    assert scrapyd.state(first) == "running"

    scrapyd.ask("cancel", project="soundgraph", job=first)
    scrapyd.wait_until(first, "finished")
    harvest = Harvester(sandbox, database)
    assert harvest.query("SELECT outcome, exit_code FROM runs") == [("interrupted", 130)]
    invariants.check_ended(database, 130)
    assert harvest.value("SELECT count(*) FROM walks WHERE status = 'planned'") > 0
    assert harvest.value("SELECT count(*) FROM walks WHERE status IN ('running', 'failed')") == 0
    before = _fetched_pages(sandbox)

    third = scrapyd.schedule(**arguments)
    scrapyd.wait_until(third, "finished")
    log = scrapyd.job_log(third)
    assert "Resuming: " in log
    assert "Harvest complete after " in log
    assert not {*before} & {*_fetched_pages(sandbox)[len(before) :]}, "a page was fetched twice"
    runs = harvest.query("SELECT outcome, arguments FROM runs")
    assert [outcome for outcome, _ in runs] == ["interrupted", "complete"]
    assert [json.loads(given)["_job"] for _, given in runs] == [first, third]
    for table in ("user_similarities", "track_relationships", "artist_relationships"):
        assert harvest.value(f"SELECT count(*) FROM {table}") > 0  # noqa: S608 - constants
    invariants.check_ended(database, 0)

    # The job of the example finds no due seed in this database.
    fourth = _schedule_example(scrapyd)
    scrapyd.wait_until(fourth, "finished")
    assert re.search(r"No seeds yet: .*scrapy seeds add", scrapyd.job_log(fourth))

    for text in (log, scrapyd.job_log(first), scrapyd.log.read_text()):
        assert "Traceback" not in text
        assert PASSWORD not in text


def _fetched_pages(sandbox: SandboxProcess) -> list[str]:
    """Return the requested pages with their queries."""
    return [f"{entry['path']}?{entry['query']}" for entry in sandbox.log() if entry["path"] != "/oauth/token"]


def _deploy(sources: Path, scrapyd: ScrapydProcess) -> None:
    config = sources / "scrapy.cfg"
    text = config.read_text()
    assert "http://localhost:6800/" in text
    try:
        config.write_text(text.replace("http://localhost:6800/", scrapyd.url))
        done = subprocess.run(
            [Path(sys.executable).with_name("scrapyd-deploy")],
            cwd=sources,
            env={**os.environ, "HOME": str(scrapyd.home)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        config.write_text(text)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["project"], answer["spiders"]) == ("ok", "soundgraph", 8), answer


def _schedule_example(scrapyd: ScrapydProcess) -> str:
    """Run the documented curl, or call the API without it; return the ID of the job."""
    (line,) = re.findall("^ExecStart=(.*)$", EXAMPLE.read_text(), flags=re.MULTILINE)
    curl, *words = [word.replace("http://localhost:6800/", scrapyd.url) for word in shlex.split(line)]
    if shutil.which(curl) is None:
        return scrapyd.schedule(due="1", max_minutes="50")
    done = subprocess.run(
        [curl, *words], env={"HOME": str(scrapyd.home)}, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["status"] == "ok", answer
    return str(answer["jobid"])
