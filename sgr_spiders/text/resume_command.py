"""The command lines that resume a harvest and show its status, as a user types them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sgr_spiders.text.masking import mask_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATABASE = "HARVEST_DATABASE_URL"


def _is_for_one_run(name: str) -> bool:
    """Return whether this argument or setting is the scheduler's that started the run, or is used once."""
    return name.startswith("_") or name in {"LOG_FILE", "accept_source"}


def crawl_command(spider: str, arguments: Mapping[str, str], settings: Iterable[str] = ()) -> str:
    """Return the ``scrapy crawl`` command with these arguments and settings.

    *settings* are the values of ``-s`` as given (``NAME=value``). Secrets are masked, because a command line
    ends up in logs and in the database.
    """
    given = [("-a", name, value) for name, value in arguments.items()]
    given += [("-s", *setting.partition("=")[::2]) for setting in settings]
    words = ["scrapy", "crawl", spider]
    for option, name, value in given:
        if not _is_for_one_run(name):
            words += [option, f"{name}={mask_setting(name, value)}"]
    return shlex.join(words)


def status_command(settings: Iterable[str] = ()) -> str:
    """Return the ``scrapy status`` command for the database that *settings* (``-s``, as given) name."""
    urls = [value for name, _, value in (setting.partition("=") for setting in settings) if name == DATABASE]
    return shlex.join(
        ["scrapy", "status", *(f"--database={mask_setting(DATABASE, url)}" for url in urls[-1:])]
    )
