"""The examples of docs/operations.md work: each is parsed and its command run."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from sgr_spiders import settings
from sgr_spiders.config.arguments import parse
from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.reports.metrics.metrics import METRICS
from tests.crawls import invariants
from tests.crawls.crawling import ROOT, Harvester
from tests.databases import url_of
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from tests.sandbox_process import SandboxProcess

EXAMPLES = ROOT / "docs" / "examples"
APP, SCRAPY, ENVIRONMENT = "/srv/soundgraph/app", ".venv/bin/scrapy", "/etc/soundgraph.env"
RESUMED_LATER = {3, 5, 130}  # partial, locked, interrupted


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((EXAMPLES / name).read_text())
    return parser


def cron_line(name: str) -> tuple[str, str]:
    """Return the schedule and the command of a file for /etc/cron.d."""
    lines = (EXAMPLES / name).read_text().splitlines()
    (line,) = [line for line in lines if line and not re.match(r"#|\w+=", line)]
    *when, user, command = line.split(maxsplit=6)
    assert user == "soundgraph"
    return " ".join(when), command


def environment_file(sandbox: SandboxProcess, database: Path, config: str) -> str:
    """Return the example file with the values of a test."""
    example = (EXAMPLES / "soundgraph.env").read_text()
    values = {**sandbox.env(), "HARVEST_DATABASE_URL": url_of(database), "HARVEST_CONFIG": config}
    named = re.findall(r"^(\w+)=", example, flags=re.MULTILINE)
    assert {*named} <= {*re.findall(r'"(\w+)"', Path(settings.__file__).read_text())}
    kept = [name for name in named if name not in values]
    return "\n".join(
        [*(f"{name}={value}" for name, value in values.items()), *(f"{name}=x" for name in kept)]
    )


def environment(text: str) -> dict[str, str]:
    """Parse an environment file like systemd."""
    return dict(line.split("=", 1) for line in text.splitlines()) | {"PATH": os.environ["PATH"]}


@pytest.mark.slow
def test_the_service_and_the_cron_job_harvest(sandbox: SandboxProcess, tmp_path: Path, config: str) -> None:
    database = tmp_path / "harvest.db"
    seed = str(sandbox.seed_track_id)
    assert run_command("seeds", "add", seed, HARVEST_DATABASE_URL=url_of(database)).code == 0
    text = environment_file(sandbox, database, config)
    service = unit("soundgraph.service")["Service"]
    assert (service["WorkingDirectory"], service["EnvironmentFile"]) == (APP, ENVIRONMENT)
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == f"{APP}/{SCRAPY}"
    started = subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT,
        env={**environment(text), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert started.returncode == 0, started.stderr
    invariants.check_ended(database, 0)
    harvest = Harvester(sandbox, database)
    assert harvest.query("SELECT given, last_outcome FROM seeds") == [(seed, "complete")]

    when, command = cron_line("soundgraph.cron")
    assert when == "0 * * * *"
    log = tmp_path / "harvest.log"
    for old, new in {
        f"cd {APP} ": f"cd {ROOT} ",
        ENVIRONMENT: str(tmp_path / "env"),
        SCRAPY: f"{shlex.quote(sys.executable)} -m scrapy",
        "/srv/soundgraph/harvest.log": str(log),
    }.items():
        assert old in command
        command = command.replace(old, new)
    # Nothing is due, so cron sends no mail.
    assert _cron(command, tmp_path, text) == ""
    assert "No seed is due; the first will be " in log.read_text()
    mail = _cron(command, tmp_path, text.replace("HARVEST_CONFIG=", "HARVEST_CONFIG=/nowhere"))
    first, second = mail.splitlines()
    assert first.startswith("configuration /nowhere")
    assert second == f"The harvest failed, see {log}"


def _cron(command: str, folder: Path, environment: str) -> str:
    (folder / "env").write_text(environment)
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        env={"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(folder), "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout


def test_exit_codes_of_resumable_runs_are_not_failures() -> None:
    codes = unit("soundgraph.service")["Service"]["SuccessExitStatus"].split()
    assert {int(code) for code in codes} == RESUMED_LATER
    patterns = re.search(r"in ([\d|]+)\) ;;", cron_line("soundgraph.cron")[1])
    assert patterns is not None
    assert {int(code) for code in patterns[1].split("|")} == {0, *RESUMED_LATER}


@pytest.mark.parametrize(
    "command",
    [
        unit("soundgraph-scrapyd.service")["Service"]["ExecStart"],
        cron_line("soundgraph-scrapyd.cron")[1],
    ],
)
def test_scrapyd_runs_the_same_harvest_as_the_service(command: str) -> None:
    words = shlex.split(command)
    fields = dict(words[position + 1].split("=", 1) for position, word in enumerate(words) if word == "-d")
    assert (fields.pop("project"), fields.pop("spider")) == (settings.BOT_NAME, "deep_harvest")
    started = shlex.split(unit("soundgraph.service")["Service"]["ExecStart"])
    given = dict(started[position + 1].split("=", 1) for position, word in enumerate(started) if word == "-a")
    assert parse(fields, layer_names=LAYER_NAMES) == parse(given, layer_names=LAYER_NAMES)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    units = sorted(path for path in EXAMPLES.iterdir() if path.suffix in {".service", ".timer"})
    assert len(units) == 4
    for path in units:
        commands = re.sub("(?<=ExecStart=)/[^ ]+", sys.executable, path.read_text())
        (tmp_path / path.name).write_text(commands)
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(
        [verify, "verify", *(tmp_path / path.name for path in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "soundgraph" in line or "scrapyd" in line]


def test_every_example_is_in_the_document(root: Path) -> None:
    document = (root / "docs" / "operations.md").read_text()
    assert not [path.name for path in EXAMPLES.iterdir() if f"(examples/{path.name})" not in document]


def test_the_alerts_use_metrics_that_exist() -> None:
    (group,) = yaml.safe_load((EXAMPLES / "alerts.yml").read_text())["groups"]
    used = {name for rule in group["rules"] for name in re.findall(r"soundgraph_\w+", rule["expr"])}
    assert len(used) > 5
    assert used <= {metric.full_name for metric in METRICS}
    labels = {"database", *(label for metric in METRICS for label in metric.labels)}
    for rule in group["rules"]:
        assert {*re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])} <= labels
