"""Run commands of this project with ``scrapy``, or in this process, which saves a second each."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scrapy.cmdline import ScrapyArgumentParser
from scrapy.utils.project import get_project_settings

from sgr_spiders.text import invocation
from tests import forks
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]


IN_ONE_PROCESS = """
import contextlib, io, json, sys
from scrapy.cmdline import execute
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            execute(["scrapy", *arguments])
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code or 0, out.getvalue(), err.getvalue()]))
"""


class CommandResult(NamedTuple):
    code: int
    out: str
    err: str


def scrapy(*command: str, cwd: Path = ROOT, **environment: str) -> CommandResult:
    """Run ``scrapy`` with these arguments in a separate process."""
    done = forks.run(
        [sys.executable, "-m", "scrapy", *command], cwd=cwd, env={**os.environ, **environment}, timeout=120
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def scrapy_in_one(database: Path, *commands: Sequence[str]) -> list[CommandResult]:
    """Run ``scrapy`` with each list of arguments, all in one process: starting one takes a second."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_ONE_PROCESS, json.dumps(commands)],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": url_of(database)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    answers = [CommandResult(*json.loads(line)) for line in done.stdout.splitlines()]
    assert len(answers) == len(commands)
    return answers


def run_command(name: str, *arguments: str, **settings: str) -> CommandResult:
    """Run a command that creates no crawler in this process, as ``scrapy`` would."""
    command = import_module(f"sgr_spiders.commands.{name}").Command()
    command.settings = get_project_settings()
    command.settings.update(settings, priority="cmdline")
    parser = ScrapyArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    options, rest = parser.parse_known_args(list(arguments))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command.process_options(rest, options)
            command.run(rest, options)
        except SystemExit as ended:
            command.exitcode = int(ended.code or 0)
        finally:
            invocation.remember(invocation.SCRAPY, [])
    return CommandResult(command.exitcode, out.getvalue(), err.getvalue())
