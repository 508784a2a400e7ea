"""The image, its services and the workflow: what they name exists, and what they run works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sgr_spiders import settings
from tests.crawls.crawling import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.sqlite("no database")

EXAMPLES = ROOT / "docs" / "examples"
OUR_IMAGE = "soundgraph-deep-harvest"
PASSWORDS = {"PGPASSWORD", "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD"}
"""Secrets that libpq and Scrapyd read from the environment."""
LIMIT_S = 60


def from_environment() -> set[str]:
    """Return the settings that are also read from the environment."""
    return set(re.findall(r'_from_environment\("(\w+)"', Path(settings.__file__).read_text()))


# ---- Dockerfile


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, list[str]]]:
    """Return the name and the words of each instruction of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split()[0], shlex.split(line)[1:]) for line in lines]


def is_ignored(path: str) -> bool:
    """Return whether .dockerignore leaves a file out: its last pattern for the file or a parent decides."""
    ignored = False
    parts = path.split("/")
    parents = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!")
        if line and not line.startswith("#") and any(fnmatch(parent, pattern) for parent in parents):
            ignored = not line.startswith("!")
    return ignored


def test_the_image_contains_what_the_dockerfile_copies(instructions: list[tuple[str, list[str]]]) -> None:
    copied = [words for name, words in instructions if name == "COPY" and "--from=build" not in words]
    sources = [source for words in copied for source in words[:-1] if not source.startswith("--")]
    assert {"sgr_spiders", "pipelines", "configs", "requirements-server.txt"} <= {*sources}
    for source in sources:
        assert (ROOT / source).exists()
        assert not is_ignored(source), source
    for secret in ("data/soundgraph.db", "secrets/PGPASSWORD", ".git/config", ".env", "tests/conftest.py"):
        assert is_ignored(secret), secret


def test_the_image_installs_the_pins_and_runs_without_privileges(
    instructions: list[tuple[str, list[str]]],
) -> None:
    commands = [" ".join(words) for name, words in instructions if name == "RUN"]
    assert (
        sum("install --require-hashes --requirement requirements-server.txt" in text for text in commands)
        == 1
    )
    stages = [number for number, (name, _) in enumerate(instructions) if name == "FROM"]
    final = instructions[stages[-1] :]
    assert len(stages) == 2
    ((_, (user,)),) = [pair for pair in final if pair[0] == "USER"]
    assert int(user) > 0
    assert not [text for name, words in final if name == "RUN" for text in words if text == "pip"]
    assert not [
        word for name, words in instructions if name in {"ARG", "ENV"} for word in words if "SECRET" in word
    ]


# ---- services


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return parsed


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the services that run our image."""
    return {name: one for name, one in compose["services"].items() if one["image"] == OUR_IMAGE}


def test_each_service_is_checked_and_restarted(compose: dict[str, Any]) -> None:
    assert compose["services"].keys() == {"postgres", "worker", "scrapyd", "splash"}
    for service in compose["services"].values():
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert service["restart"] == "unless-stopped"
    assert compose["services"]["splash"]["profiles"] == ["splash"]
    named = {
        volume.split(":")[0] for one in compose["services"].values() for volume in one.get("volumes", [])
    }
    assert named == compose["volumes"].keys()


def test_our_services_have_no_privileges_and_wait_for_the_database(ours: dict[str, dict[str, Any]]) -> None:
    assert ours.keys() == {"worker", "scrapyd"}
    for service in ours.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is service["init"] is True
        assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
        # Reachable from this machine only.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_variables_are_settings_and_secrets_are_files(
    compose: dict[str, Any], ours: dict[str, dict[str, Any]]
) -> None:
    known = from_environment()
    for service in ours.values():
        assert service["environment"].keys() <= known
        assert {*service["secrets"]} <= known | PASSWORDS
    # A name, but no password: libpq reads that from PGPASSWORD.
    assert (
        ours["worker"]["environment"]["HARVEST_DATABASE_URL"] == "postgresql://soundgraph@postgres/soundgraph"
    )
    used = {name for one in compose["services"].values() for name in one.get("secrets", [])}
    assert used == compose["secrets"].keys()
    assert all(secret == {"file": f"secrets/{name}"} for name, secret in compose["secrets"].items())


def test_commands_exist(ours: dict[str, dict[str, Any]], instructions: list[tuple[str, list[str]]]) -> None:
    in_image = {Path(words[-1]).name for name, words in instructions if name == "COPY"}
    for service in ours.values():
        program = service["command"][0]
        assert program in in_image or Path(sys.executable).with_name(program).exists()
    (entry,) = [words for name, words in instructions if name == "ENTRYPOINT"]
    assert entry == ["[with_secrets]"]
    assert {"with_secrets", "worker"} <= in_image


@pytest.mark.parametrize(
    ("code", "is_healthy"), [(None, True), (0, True), (130, True), (4, False), (137, False)]
)
def test_a_worker_is_healthy_unless_its_last_run_needs_attention(
    code: int | None, *, is_healthy: bool, ours: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    kind, command = ours["worker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    if code is not None:
        (tmp_path / "last_exit_code").write_text(f"{code}\n")
    script = command.replace("$$", "$").replace("/tmp", str(tmp_path))  # noqa: S108 - in the image
    assert (subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 0) is is_healthy


# ---- scripts


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # noqa: TID251 - not in a crawl


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker whose crawls end with the codes 0 and 4, and whose third crawl waits for a signal."""
    (tmp_path / "sleep").write_text('#!/bin/sh\necho "$1" >>"${0%/*}/pauses"\n')
    (tmp_path / "scrapy").write_text(
        '#!/bin/sh\ncd "${0%/*}"\ntrap "echo 130 >ended; exit 130" TERM\necho "$@" >>crawls\n'
        "case $(wc -l <crawls) in 1) exit 0 ;; 2) exit 4 ;; *) /bin/sleep 60 & wait $! ;; esac\n"
    )
    for program in ("sleep", "scrapy"):
        (tmp_path / program).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([EXAMPLES / "worker.sh", "1", "2"], env=environment)
    yield process
    process.kill()
    process.wait()


def test_a_worker_crawls_until_it_is_stopped(worker: subprocess.Popen[bytes], tmp_path: Path) -> None:
    crawls, code = tmp_path / "crawls", tmp_path / "last_exit_code"
    wait_until(lambda: crawls.exists() and len(crawls.read_text().splitlines()) == 3)
    assert {*crawls.read_text().splitlines()} == {"crawl deep_harvest -a due=1 -a max_minutes=50"}
    assert code.read_text() == "4\n"
    assert (tmp_path / "pauses").read_text().split() == ["1", "2"]
    worker.terminate()
    assert worker.wait(LIMIT_S) == 130
    assert (tmp_path / "ended").read_text() == "130\n"


def test_secrets_become_variables(tmp_path: Path) -> None:
    (tmp_path / "PGPASSWORD").write_text("two words $HOME 'quoted'\n")
    (tmp_path / "keys.ini").write_text("[one]")
    (tmp_path / "FOLDER").mkdir()
    for secrets, expected in ((tmp_path, "two words $HOME 'quoted'"), (tmp_path / "none", "")):
        done = subprocess.run(
            [EXAMPLES / "with_secrets.sh", "/bin/sh", "-c", 'printf %s "$PGPASSWORD"'],
            env={"SECRETS": str(secrets), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == expected


# ---- workflow


def test_the_workflow_runs_ci_on_each_python() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    versions = jobs["ci"]["strategy"]["matrix"]["python"]
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert versions == ["3.11", "3.12", "3.13"]
    assert least == f">={versions[0]}"
    assert [step["run"] for step in jobs["ci"]["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
