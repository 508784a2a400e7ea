"""The command line that starts ``scrapy`` as in this process, from a shell in this directory."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

import sgr_spiders
from sgr_spiders.config.databases import LIVE, find_project, in_project
from sgr_spiders.text import invocation
from sgr_spiders.text.masking import mask_setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings

SETTINGS_MODULE = "sgr_spiders.settings"
DATABASE, CONFIG = "HARVEST_DATABASE_URL", "HARVEST_CONFIG"
ENVIRONMENT = (
    "SOUNDCLOUD_API_URL",
    "SOUNDCLOUD_TOKEN_URL",
    DATABASE,
    CONFIG,
    "SPLASH_URL",
)
"""Settings of the environment that decide what a crawl does, and are not secret."""


def remember_invocation(
    settings: BaseSettings, config: str | None = None, database: str | None = None
) -> None:
    """Remember program, database and configuration for the commands in messages.

    *config* and *database* are what an option or argument names instead of the setting.
    """
    chosen = {DATABASE: database or settings[DATABASE], CONFIG: config or settings[CONFIG]}
    defaults = {DATABASE: in_project(LIVE), CONFIG: "deep_harvest"}
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
    """Return the beginning of a command line that starts ``scrapy`` with this project."""
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
    folder = find_project()
    if folder is not None:
        parser = ConfigParser()
        parser.read(folder / "scrapy.cfg", encoding="utf-8")
        if parser.get("settings", "default", fallback="") == SETTINGS_MODULE:
            return []
    variables = [f"SCRAPY_SETTINGS_MODULE={SETTINGS_MODULE}"]
    project = Path(str(sgr_spiders.__file__)).parents[1]
    if project.name not in {"site-packages", "dist-packages"}:
        variables.append(f"PYTHONPATH={shlex.quote(str(project))}")
    return variables
