"""The default database of a command whose ``-s`` options name the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scrapy.settings import SETTINGS_PRIORITIES

from sgr_spiders.cli.program import DATABASE, place_default
from sgr_spiders.config.databases import LIVE, SANDBOX, default_database, in_project

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


def choose_default_database(settings: BaseSettings) -> bool:
    """Set the default database for the API that *settings* name; settings.py knows only the environment.

    Return whether it is the default, because nothing names another one.
    """
    priority = settings.getpriority(DATABASE) or 0
    is_default = (
        settings[DATABASE] in {in_project(LIVE), in_project(SANDBOX)}
        and not os.environ.get(DATABASE)
        and priority < SETTINGS_PRIORITIES["cmdline"]
    )
    if is_default:
        settings.set(DATABASE, place_default(default_database(settings["SOUNDCLOUD_API_URL"])), priority)
    return is_default
