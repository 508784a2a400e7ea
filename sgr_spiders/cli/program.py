"""The command line that starts this program as in this process, from a shell in this directory."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sgr_spiders
from sgr_spiders.config.databases import (
    LIVE,
    SETTINGS_MODULE,
    find_project,
    in_project,
    in_user_data,
    is_own,
)
from sgr_spiders.text import invocation
from sgr_spiders.text.masking import mask_setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scrapy.settings import BaseSettings

DATABASE, CONFIG = "HARVEST_DATABASE_URL", "HARVEST_CONFIG"
ENVIRONMENT = (
    "SOUNDCLOUD_API_URL",
    "SOUNDCLOUD_TOKEN_URL",
    DATABASE,
    CONFIG,
    "SPLASH_URL",
)
"""Settings of the environment that decide what a crawl does, and are not secret."""


def place_default(url: str) -> str:
    """Return the URL of a default database at the place that this program has for it."""
    return in_user_data(url) if is_soundgraph() else in_project(url)


def is_soundgraph() -> bool:
    """Return whether this process is ``soundgraph``, not ``scrapy``."""
    return invocation.program_name() == invocation.SOUNDGRAPH


def remember_invocation(
    settings: BaseSettings | Mapping[str, object], config: str | None = None, database: str | None = None
) -> None:
    """Remember program, database and configuration for the commands in messages.

    *config* and *database* are what an option or argument names instead of the setting.
    """
    chosen = {DATABASE: database or settings[DATABASE], CONFIG: config or settings[CONFIG]}
    defaults = {DATABASE: place_default(LIVE), CONFIG: "deep_harvest"}
    options: list[str] = []
    for name, value in chosen.items():
        if value != defaults[name]:
            text = str(value)
            masked = mask_setting(name, text)
            # A secret in the environment is there for the next command as well.
            if masked == text or os.environ.get(name) != text:
                options += ["-s", f"{name}={masked}"]
    invocation.remember(find_program(), options)


def chosen_settings(given: Sequence[str]) -> list[str]:
    """Return the settings of ``-s``, and those of the environment without secrets, as ``NAME=value``.

    A shell that is opened later may lack the variables of this process.
    """
    named = {setting.partition("=")[0] for setting in given}
    from_environment = {name: os.environ.get(name) for name in ENVIRONMENT if name not in named}
    return [
        *given,
        *(
            f"{name}={value}"
            for name, value in from_environment.items()
            if value and mask_setting(name, value) == value
        ),
    ]


def find_program() -> str:
    """Return the beginning of a command line that starts this program with this project."""
    return _find_soundgraph() if is_soundgraph() else _find_scrapy()


def _find_soundgraph() -> str:
    called = Path(sys.argv[0])
    if called.stem == "__main__":
        return " ".join(
            [*_python_path(), shlex.join([_from_here(Path(sys.executable)), "-m", "sgr_spiders"])]
        )
    found = shutil.which(called.name)
    if found is not None and called.exists() and Path(found).samefile(called):
        return called.name
    return shlex.quote(_from_here(called.absolute()))


def _find_scrapy() -> str:
    directory = Path(sys.executable).parent
    script = directory / "scrapy"
    found = shutil.which("scrapy")
    if found is not None and directory.exists() and Path(found).parent.samefile(directory):
        words = ["scrapy"]
    elif script.exists():
        words = [_from_here(script)]
    else:
        words = [_from_here(Path(sys.executable)), "-m", "scrapy"]
    return " ".join([*_variables(), shlex.join(words)])


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _variables() -> list[str]:
    """Return the assignments that a shell needs where no ``scrapy.cfg`` names this project."""
    return [] if is_own(find_project()) else [f"SCRAPY_SETTINGS_MODULE={SETTINGS_MODULE}", *_python_path()]


def _python_path() -> list[str]:
    """Return the assignment with which Python finds this project, unless it is installed or is here."""
    project = Path(str(sgr_spiders.__file__)).parents[1]
    is_found = project.name in {"site-packages", "dist-packages"} or project == Path.cwd()
    return [] if is_found else [f"PYTHONPATH={shlex.quote(str(project))}"]
