"""The command line that resumes a harvest, as it is recorded."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sgr_spiders.text.masking import mask_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _is_for_one_run(name: str) -> bool:
    """Return whether this argument or setting is the scheduler's that started the run, or is used once."""
    return name.startswith("_") or name in {"LOG_FILE", "HARVEST_RESULT_FILE", "accept_source"}


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
