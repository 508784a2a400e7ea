"""A command as a function call that returns what it prints."""

from __future__ import annotations

import subprocess

from sgr_spiders.cli.runner import USAGE_ERROR, scrapy_command, scrapy_environment
from sgr_spiders.cli.soundgraph import find_unknown
from sgr_spiders.model.exceptions import ArgumentError, HarvestError


def read_command_output(words: list[str], database_url: str, config: str | None) -> str:
    """Run a command in its own process, and return what it prints.

    Raises:
        HarvestError: It failed; the message is its last line.
    """
    if (problem := find_unknown(words[0])) is not None:
        raise ArgumentError(problem)
    # All users of a machine can read command lines, and the URL may contain a password.
    environment = scrapy_environment() | {"HARVEST_DATABASE_URL": database_url}
    if config is not None:
        environment["HARVEST_CONFIG"] = config
    ended = subprocess.run(  # noqa: S603 - Scrapy, with arguments that no shell reads
        scrapy_command(*words),
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise _explain_failure(ended)
    return ended.stdout


def _explain_failure(ended: subprocess.CompletedProcess[str]) -> HarvestError:
    lines = [line.strip() for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
    message = lines[-1] if lines else f"the command ended with exit code {ended.returncode}"
    error = ArgumentError if ended.returncode == USAGE_ERROR else HarvestError
    return error(message.rpartition(": error: ")[2])
