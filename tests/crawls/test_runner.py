"""``sgr_spiders.harvest``: a crawl as a function call."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from sgr_spiders import harvest, settings
from sgr_spiders.cli import runner
from sgr_spiders.model import exceptions
from tests.crawls import invariants
from tests.databases import connect, exists

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.sqlite("the default database, a file in the current directory")

NO_PAUSE = {"deep_harvest": {"request_delay": 0}}
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def _point_at_the_sandbox(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the credentials in the environment, and a working directory outside the checkout."""
    for name, value in sandbox.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def script(root: Path, body: str) -> str:
    """Return a program that finds the checkout only through ``sys.path``."""
    return f"import sys\nsys.path.append({str(root)!r})\nfrom sgr_spiders import harvest\n{body}\n"


def runs(database: Path) -> list[tuple[Any, ...]]:
    """Check the invariants of *database*; return its runs with their outcomes and exit codes."""
    if not exists(database):
        return []
    with closing(connect(database)) as connection:
        found = connection.execute("SELECT run_id, outcome, exit_code FROM runs ORDER BY run_id").fetchall()
    *_, (_, _, code) = found
    if code is None:
        invariants.check_ledger(database)
    else:
        invariants.check_ended(database, code)
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)  # noqa: TID251 - not in a crawl


def test_the_first_call_returns_statistics_and_the_second_sends_no_request(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"layers": ["user_depth"], "config": NO_PAUSE, "log": False}
    first = harvest(track_id=sandbox.seed_track_id, **arguments)
    assert (first.outcome, first.exit_code, first.reason) == ("complete", 0, None)
    assert first["downloader/request_count"] > 50
    database = tmp_path / "data" / "sandbox.db"  # the default, from the working directory
    with closing(connect(database)) as connection:
        (tracks,) = connection.execute("SELECT count(*) FROM tracks WHERE NOT is_stub").fetchone()
    assert first["tracks_collected"] == tracks > 500

    sandbox.clear_log()
    second = harvest(track_id=[str(sandbox.seed_track_id)], **arguments)
    assert not sandbox.log()
    assert (second.run_id, second.outcome, second["tracks_collected"]) == (
        first.run_id + 1,
        "complete",
        tracks,
    )
    assert runs(database) == [(1, "complete", 0), (2, "complete", 0)]


@pytest.mark.slow
def test_a_program_on_stdin_in_a_directory_with_the_same_package_names(
    sandbox: SandboxProcess, root: Path, tmp_path: Path
) -> None:
    for name in ("configs", "pipelines"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not the project')")
    (tmp_path / "seeds.txt").write_text(f"{sandbox.seed_track_id}\n")
    body = (
        "result = harvest(\n"
        "    seeds='seeds.txt', config='sandbox', max_requests=3, max_minutes=2.5, refresh=True\n"
        ")\n"
        "print(result.outcome, result.exit_code, result.reason)"
    )
    ended = subprocess.run(
        [sys.executable, "-"], input=script(root, body), capture_output=True, text=True, check=False
    )
    assert ended.stdout == "unfinished 3 the budget of 3 requests is spent\n", ended.stderr
    assert "Harvest unfinished" in ended.stderr, "the log is not passed on"


@pytest.mark.slow
def test_the_log_goes_to_the_current_sys_stderr(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = io.StringIO()
    monkeypatch.setattr(sys, "stderr", notebook)
    harvest(track_id=sandbox.seed_track_id, config="sandbox", max_requests=1)
    assert "Harvest unfinished" in notebook.getvalue()

    notebook.truncate(0)
    harvest(track_id=sandbox.seed_track_id, config="sandbox", max_requests=1, log=False)
    assert not notebook.getvalue()


@pytest.mark.slow
def test_settings_and_another_spider(sandbox: SandboxProcess, tmp_path: Path) -> None:
    log = tmp_path / "crawl.log"
    result = harvest(
        track_id=sandbox.seed_track_id,
        spider="artist_depth",
        config=NO_PAUSE,
        database_url=f"sqlite:///{tmp_path}/elsewhere.db",
        settings={
            "LOG_FILE": log,
            "RETRY_TIMES": 0,
            "SCOPE_ORIGINS": ["https://a.example", "https://b.example"],
        },
    )
    assert result.outcome == "complete"
    assert "Harvest complete" in log.read_text()
    assert runs(tmp_path / "elsewhere.db") == [(1, "complete", 0)]


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (exceptions.ArgumentError, "spider argument `track_id`: not an ID", {"track_id": "abc"}),
        (exceptions.ArgumentError, "no seed given", {}),
        (exceptions.ArgumentError, "unknown spider 'x'; `", {"track_id": 1, "spider": "x"}),
        (exceptions.ArgumentError, "setting `X`: must be a string", {"track_id": 1, "settings": {"X": None}}),
        (exceptions.ConfigError, "configuration x: no such file", {"track_id": 1, "config": "x"}),
        (
            exceptions.ConfigError,
            "configuration given: `deep_harvest`: unknown key `delay`",
            {"track_id": 1, "config": {"deep_harvest": {"delay": 1}}},
        ),
        (
            exceptions.ConfigError,
            "configuration given: ",
            {"track_id": 1, "config": {"deep_harvest": object()}},
        ),
        (
            exceptions.ConfigError,
            "setting `HARVEST_DATABASE_URL`: must be an SQLAlchemy URL",
            {"track_id": 1, "database_url": "nonsense"},
        ),
        (
            exceptions.UnauthorisedError,
            "client credentials refused by http",
            {"track_id": 1, "config": "sandbox", "settings": {"SOUNDCLOUD_CLIENT_ID": "bad"}},
        ),
        (
            exceptions.CrawlFailedError,
            "internal errors: 1, see the log",
            {
                "track_id": 1,
                "config": "sandbox",
                "settings": {"ITEM_PIPELINES": {"tests.crawls.test_runner.BrokenPipeline": 1}},
            },
        ),
    ],
)
def test_errors_are_raised(
    error: type[exceptions.HarvestError], message: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        harvest(**arguments, log=False)
    assert type(raised.value) is error
    assert "\n" not in str(raised.value)


class BrokenPipeline:
    def process_item(self, item: object) -> object:
        raise RuntimeError("broken")


def test_a_locked_database_is_an_error(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with FileLock(tmp_path / "busy.db.lock"), pytest.raises(exceptions.DatabaseInUseError, match=r"busy\.db"):
        harvest(track_id=sandbox.seed_track_id, database_url="sqlite:///busy.db", log=False)


@pytest.mark.slow
def test_a_block_is_raised_and_the_next_call_resumes(sandbox: SandboxProcess, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "track_id": sandbox.seed_track_id,
        "layers": "user_depth",
        "config": "sandbox",
    }
    sandbox.set_faults(["waf_challenge:after=5"])
    with pytest.raises(exceptions.BlockedError, match="the API blocks this client"):
        harvest(**arguments, log=False)
    sandbox.clear_faults()
    assert harvest(**arguments, log=False).outcome == "complete"
    assert runs(tmp_path / "data" / "sandbox.db") == [(1, "blocked", 4), (2, "complete", 0)]


def test_a_killed_crawl_is_an_error(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    real = subprocess.Popen

    def record_pid(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = real(*arguments, **options)
        started.append(process.pid)
        return process

    def kill(text: str) -> int:
        os.kill(started[0], signal.SIGKILL)
        return len(text)

    output = io.StringIO()
    monkeypatch.setattr(output, "write", kill)
    monkeypatch.setattr(subprocess, "Popen", record_pid)
    monkeypatch.setattr(sys, "stderr", output)
    with pytest.raises(exceptions.CrawlFailedError, match="signal 9 killed the crawl"):
        harvest(track_id=sandbox.seed_track_id, config="sandbox")


def start_caller_in_its_own_group(root: Path, seed: int) -> subprocess.Popen[str]:
    """Start a program as in a terminal, where Ctrl-C reaches every process of its group."""
    config = {"deep_harvest": {"request_delay": 0.1}}
    body = (
        "try:\n"
        f"    harvest(track_id={seed}, layers='user_depth', config={config})\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script(root, body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_ends_the_crawl_cleanly_and_is_raised(
    sandbox: SandboxProcess, root: Path, tmp_path: Path
) -> None:
    caller = start_caller_in_its_own_group(root, sandbox.seed_track_id)
    wait_until(lambda: len(sandbox.log()) > 5)
    os.killpg(caller.pid, signal.SIGINT)
    output, _ = caller.communicate(timeout=PATIENCE_S)
    assert output.endswith("interrupted\n"), output
    database = tmp_path / "data" / "sandbox.db"
    assert runs(database) == [(1, "interrupted", 130)]
    assert harvest(track_id=sandbox.seed_track_id, layers="user_depth", config=NO_PAUSE).outcome == "complete"


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(sandbox: SandboxProcess, root: Path, tmp_path: Path) -> None:
    sandbox.set_faults(["hang:after=3"])
    caller = start_caller_in_its_own_group(root, sandbox.seed_track_id)
    wait_until(lambda: len(sandbox.log()) > 3)
    assert caller.stdout is not None
    os.killpg(caller.pid, signal.SIGINT)
    for line in caller.stdout:
        if "Interrupted: " in line:
            break
    os.killpg(caller.pid, signal.SIGINT)
    output, _ = caller.communicate(timeout=PATIENCE_S / 4)
    assert output.endswith("interrupted\n"), output
    assert runs(tmp_path / "data" / "sandbox.db") == [(1, None, None)]


def test_no_secret_is_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``sys.executable`` is a program that records its arguments and its environment."""
    calls = tmp_path / "calls"
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$@" > {calls}\nenv > {calls}.env\nexit 1\n')
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    secrets = dict.fromkeys(sorted(runner.PRIVATE), "secret-xyz")
    with pytest.raises(exceptions.CrawlFailedError, match="exit code 1"):
        harvest(
            track_id=1, database_url="postgresql://u:secret-xyz@h/d", settings={**secrets, "RETRY_TIMES": 3}
        )
    assert "secret-xyz" not in calls.read_text()
    assert "RETRY_TIMES=3" in calls.read_text()
    environment = (tmp_path / "calls.env").read_text()
    assert "HARVEST_DATABASE_URL=postgresql://u:secret-xyz@h/d" in environment
    assert environment.count("secret-xyz") == len(secrets)


def test_every_secret_is_read_from_the_environment() -> None:
    read = set(re.findall(r'_from_environment\("(\w+)"', Path(settings.__file__).read_text()))
    assert read >= runner.PRIVATE
    assert {name for name in read if re.search("SECRET|TOKEN$|CLIENT_ID|DATABASE", name)} <= runner.PRIVATE


def test_importing_the_package_is_cheap(root: Path) -> None:
    code = (
        "import sys, sgr_spiders; print({'scrapy', 'yaml', 'subprocess', 'sqlalchemy'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
