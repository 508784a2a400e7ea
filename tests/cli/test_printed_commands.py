"""Commands in messages work as printed: in the same directory, in a shell without the process's variables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.text import invocation
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

CREDENTIALS = ("SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory with a ``scrapy.cfg`` of this project."""
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = sgr_spiders.settings\n")
    (tmp_path / "sub").mkdir()
    return tmp_path


def fresh(sandbox: SandboxProcess, folder: Path) -> dict[str, str]:
    """Return the variables of a shell that knows only the client credentials."""
    known = {name: sandbox.env()[name] for name in CREDENTIALS}
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), **known}


def run(arguments: list[str], cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        arguments,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def crawl(project: Path, sandbox: SandboxProcess, *options: str, cwd: str = "") -> tuple[int, str]:
    command = [sys.executable, "-m", "scrapy", "crawl", "user_depth", "-a", "config=sandbox"]
    seed = ["-a", f"track_id={sandbox.seed_track_id}"]
    env = {**os.environ, **sandbox.env(), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    env.pop("HARVEST_DATABASE_URL", None)
    return run([*command, *seed, *options], project / cwd, env)


def test_the_command_that_resumes_and_the_next_one_work_as_printed(
    sandbox: SandboxProcess, project: Path
) -> None:
    code, log = crawl(project, sandbox, "-a", "_job=1", "-s", "HARVEST_DATABASE_URL=sqlite:///my data.db",
                      "-a", "max_requests=4")  # fmt: skip
    assert code == 3, log
    resume = log.splitlines()[-1]
    assert "_job" not in resume
    code, log = run(["sh", "-c", resume.replace("max_requests=4", "max_requests=4000")], project,
                    fresh(sandbox, project))  # fmt: skip
    assert code == 0, log
    following = log.splitlines()[-1].removeprefix("Next: ")
    code, out = run(["sh", "-c", following], project, fresh(sandbox, project))
    assert code == 0, out
    assert "my data.db" in out.splitlines()[0]
    assert (project / "my data.db").is_file()
    assert not (project / "data").exists()


@pytest.mark.slow
def test_what_soundgraph_prints_works_as_printed(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """In a directory without a ``scrapy.cfg``, from a checkout elsewhere."""
    env = {**os.environ, **sandbox.env(), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    for name in ("HARVEST_DATABASE_URL", "XDG_DATA_HOME"):
        env.pop(name, None)
    options = ["--layers", "user_depth", "--config", "sandbox", "--max-requests", "2"]
    command = [sys.executable, "-m", "sgr_spiders", "harvest", str(sandbox.seed_track_id), *options]
    code, log = run(command, tmp_path, env)
    assert code == 3, log
    database = str(tmp_path / ".local" / "share" / "soundgraph" / "sandbox.db")
    assert database in log.splitlines()[0]
    resume = log.splitlines()[-1].strip()
    assert re.match(
        f"PYTHONPATH=.+ -m sgr_spiders harvest {sandbox.seed_track_id} --layers user_depth ", resume
    )
    shell = fresh(sandbox, tmp_path)
    del shell["PYTHONPATH"]
    code, log = run(["sh", "-c", resume.replace("--max-requests 2", "--max-requests 3")], tmp_path, shell)
    assert (code, log.splitlines()[-1].strip()) == (3, resume.replace("--max-requests 2", "--max-requests 3"))
    status = f"{resume.partition(' harvest ')[0]} status --database {database}"
    code, out = run(["sh", "-c", status], tmp_path, shell)
    assert code == 0, out
    assert out.startswith(f"{database}, ")
    assert out.splitlines()[-1].strip() == f"{log.splitlines()[-1].strip()} --database {database}"


def test_the_default_database_is_beside_scrapy_cfg(sandbox: SandboxProcess, project: Path) -> None:
    code, log = crawl(project, sandbox, "-a", "max_requests=2", cwd="sub")
    assert code == 3, log
    assert (project / "data" / "sandbox.db").is_file()
    assert not list((project / "sub").iterdir())


@pytest.mark.slow
def test_the_command_that_resumes_a_call_from_python_works_as_printed(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    body = (
        "import sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "from sgr_spiders import harvest\n"
        f"harvest(track_id={sandbox.seed_track_id}, layers='user_depth', max_requests=4,"
        " config={'deep_harvest': {'request_delay': 0}}, database_url='sqlite:///elsewhere.db')\n"
    )
    env = {**os.environ, **sandbox.env(), "PATH": "/usr/bin:/bin"}
    code, log = run([sys.executable, "-c", body], tmp_path, env)
    assert code == 0, log
    resume = log.splitlines()[-1]
    assert "HARVEST_RESULT_FILE" not in resume
    shell = fresh(sandbox, tmp_path)
    del shell["PYTHONPATH"]
    resume = resume.replace("max_requests=4", "max_requests=4000")
    code, log = run(["sh", "-c", resume], tmp_path, shell)
    assert code == 0, log
    assert (tmp_path / "elsewhere.db").is_file()
    code, out = run(["sh", "-c", log.splitlines()[-1].removeprefix("Next: ")], tmp_path, shell)
    assert code == 0, out
    assert "elsewhere.db" in out.splitlines()[0]


def test_hints_of_commands_name_the_database(tmp_path: Path) -> None:
    (tmp_path / "x y.db").touch()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin",
           "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings"}  # fmt: skip
    command = [sys.executable, "-m", "scrapy", "status", "--database", "sqlite:///none.db"]
    code, out = run(command, tmp_path, env)
    assert code == 2
    hint = re.findall("`(.+)`", out)[0]
    assert hint.endswith("crawl deep_harvest -a track_id=ID -s HARVEST_DATABASE_URL=sqlite:///none.db")
    code, out = run(["sh", "-c", hint], tmp_path, {"PATH": "/usr/bin:/bin"})
    assert "not an ID, URN, URL or permalink: 'ID'" in out


def test_a_line_that_does_not_begin_with_scrapy_is_left_alone() -> None:
    assert invocation.as_typed("python -m scrapy crawl x") == "python -m scrapy crawl x"
