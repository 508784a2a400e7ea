"""Commands of this project: as ``scrapy`` runs them, or in this very process, which takes no second each."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from scrapy.cmdline import ScrapyArgumentParser
from scrapy.utils.project import get_project_settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def scrapy(*command: str, cwd: Path = ROOT, **environment: str) -> Said:
    """Run ``scrapy`` with these arguments."""
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", *command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def called(name: str, *arguments: str, **settings: str) -> Said:
    """Call a command of this project that makes no crawler, as ``scrapy`` would."""
    command = import_module(f"sgr_spiders.commands.{name}").Command()
    command.settings = get_project_settings()
    command.settings.update(settings, priority="cmdline")
    parser = ScrapyArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    options, rest = parser.parse_known_args(list(arguments))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        command.run(rest, options)
    return Said(command.exitcode, out.getvalue(), err.getvalue())
