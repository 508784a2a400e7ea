"""The default database of a command whose ``-s`` options name the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scrapy.settings import SETTINGS_PRIORITIES

from sgr_spiders.cli.program import DATABASE
from sgr_spiders.config.databases import LIVE, SANDBOX, default_database, in_project

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


def choose_default_database(settings: BaseSettings) -> None:
    """Set the default database for the API that *settings* name; settings.py knows only the environment."""
    priority = settings.getpriority(DATABASE) or 0
    is_default = settings[DATABASE] in {in_project(LIVE), in_project(SANDBOX)}
    if is_default and not os.environ.get(DATABASE) and priority < SETTINGS_PRIORITIES["cmdline"]:
        settings.set(DATABASE, in_project(default_database(settings["SOUNDCLOUD_API_URL"])), priority)
