"""``sgr_spiders.harvest``: a crawl as a function call, in scripts and notebooks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import yaml

import sgr_spiders
from sgr_spiders.model import result
from sgr_spiders.model.exceptions import ArgumentError, ConfigError, CrawlFailedError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from sgr_spiders.model.exceptions import HarvestError
    from sgr_spiders.model.result import HarvestResult

PRIVATE = frozenset(
    {"HARVEST_DATABASE_URL", "SOUNDCLOUD_ACCESS_TOKEN", "SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET"}
)
"""Settings that may contain a secret. All users of a machine can read command lines, so these settings are
passed through the environment, from which ``settings.py`` reads them."""

ENVIRONMENT = {
    "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}
"""Environment variables with which the crawl finds its project from any working directory and writes its log
in any locale."""

USAGE_ERROR = 2
"""The exit code of ``scrapy`` for an invalid command line."""

LAST_LINES = 20
"""Number of output lines of a crawl that are kept to explain its end."""

MAX_WIDTH = 1 << 20
"""A width at which YAML breaks no line."""


def harvest(  # noqa: PLR0913 - as many as a crawl has arguments
    *,
    track_id: int | str | Iterable[int | str] | None = None,
    track_url: str | None = None,
    seeds: str | os.PathLike[str] | None = None,
    layers: str | Iterable[str] | None = None,
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    refresh: bool | Literal["delta"] = False,
    accept_gone: bool = False,
    due: bool = False,
    accept_source: bool = False,
    max_requests: int | None = None,
    max_minutes: float | None = None,
    max_seeds: int | None = None,
    spider: str = "deep_harvest",
    database_url: str | None = None,
    settings: Mapping[str, Any] | None = None,
    log: bool | Callable[[str], object] = True,
) -> HarvestResult:
    """Run ``scrapy crawl`` in its own process and return the result with the statistics of the run.

    The spider arguments have the same meaning as on the command line. *config* may also be a mapping with
    the content of a YAML file. *settings* are further settings of Scrapy or this project. Client credentials
    come from the environment or from *settings*. Relative paths start from the working directory. The log
    goes to ``sys.stderr`` unless *log* is false, or line by line to the function *log*.

    A complete, partial, unfinished, unreachable or interrupted run returns its result; call the function
    again to resume. Otherwise the ``HarvestError`` that ended the run is raised. A first
    ``KeyboardInterrupt`` ends the crawl cleanly; a second one kills it, which loses no spilled page.
    """
    arguments = {
        "track_id": _join(track_id),
        "track_url": track_url,
        "seeds": seeds,
        "layers": _join(layers),
        "config": config,
        "refresh": refresh if isinstance(refresh, str) else int(refresh) or None,
        "accept_gone": int(accept_gone) or None,
        "due": int(due) or None,
        "accept_source": int(accept_source) or None,
        "max_requests": max_requests,
        "max_minutes": max_minutes,
        "max_seeds": max_seeds,
    }
    all_settings = dict(settings or {})
    if database_url is not None:
        all_settings["HARVEST_DATABASE_URL"] = database_url
    with tempfile.TemporaryDirectory(prefix="harvest-") as folder:
        if isinstance(config, Mapping):
            arguments["config"] = inline(config)
        all_settings["HARVEST_RESULT_FILE"] = Path(folder) / "result.json"
        return _crawl(spider, arguments, all_settings, _writer(log))


def _writer(log: bool | Callable[[str], object]) -> Callable[[str], object]:  # noqa: FBT001 - as `harvest`
    if callable(log):
        return log
    return _write_to_stderr if log else _discard


def _discard(_line: str) -> None:
    pass


def _write_to_stderr(line: str) -> None:
    """Write the line to the present ``sys.stderr``, which is not a file in a notebook."""
    if sys.stderr is not None:
        sys.stderr.write(line)


def _join(value: object) -> object:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return ",".join(str(part) for part in value)


def inline(config: Mapping[str, Any]) -> str:
    """Return the configuration as one line of YAML, so that the command that resumes the run contains it."""
    try:
        return yaml.safe_dump(
            dict(config), allow_unicode=True, default_flow_style=True, width=MAX_WIDTH
        ).strip()
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration given: {for_message(str(error))}") from None


def _crawl(
    spider: str,
    arguments: Mapping[str, object],
    settings: Mapping[str, object],
    write: Callable[[str], object],
) -> HarvestResult:
    command = scrapy_command("crawl", spider)
    for name, value in arguments.items():
        if value is not None:
            command += ["-a", f"{name}={value}"]
    environment = scrapy_environment()
    for name, value in settings.items():
        if name in PRIVATE:
            environment[name] = _setting(name, value)
        else:
            command += ["-s", f"{name}={_setting(name, value)}"]
    exit_code, last_lines = _run(command, environment, write)
    ended = result.read(Path(str(settings["HARVEST_RESULT_FILE"])))
    if ended is None:
        raise _explain_end(exit_code, last_lines)
    return ended


def scrapy_command(*words: str) -> list[str]:
    """Return the command line of a command of ``scrapy`` in this Python."""
    return [sys.executable, "-P", "-m", "scrapy", *words]


def scrapy_environment() -> dict[str, str]:
    """Return the environment in which it finds this project."""
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": _python_path()}


def _setting(name: str, value: object) -> str:
    """Return the value in the form of ``-s``; Scrapy also reads lists and mappings from text."""
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, str | int | float | os.PathLike):
        return str(value)
    raise ArgumentError(
        f"setting `{for_message(name)}`: must be a string, number, list or mapping, not {quote_value(value)}"
    )


def _python_path() -> str:
    """Return the import path of the crawl: this project, then the import path of this process.

    A directory of the caller may have the name ``pipelines`` or ``configs`` as well.
    """
    project = Path(str(sgr_spiders.__file__)).parents[1]
    return os.pathsep.join([str(project), *(str(Path(entry).absolute()) for entry in sys.path)])


def _run(
    command: list[str], environment: Mapping[str, str], write: Callable[[str], object]
) -> tuple[int, list[str]]:
    """Run the crawl to its end; return its exit code and its last lines of output."""
    process = subprocess.Popen(  # noqa: S603 - Scrapy, with arguments that no shell reads
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Ctrl-C reaches the whole process group; a crawl that gets it twice does not end cleanly.
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        try:
            last_lines = _pass_on(output, write)
            return process.wait(), last_lines
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                _pass_on(output, write)
                process.wait()
            finally:
                process.kill()
                process.wait()
            raise


def _pass_on(output: IO[str], write: Callable[[str], object]) -> list[str]:
    """Write the lines of the crawl; return the last ones."""
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    for line in output:
        if line.strip():
            last_lines.append(line.strip())
        write(line)
    return list(last_lines)


def _explain_end(exit_code: int, last_lines: list[str]) -> HarvestError:
    """Return the error for a crawl that ended without writing its result."""
    last_line = last_lines[-1] if last_lines else ""
    if exit_code == USAGE_ERROR:
        # Python may write more lines after the error while it shuts down.
        errors = [line.partition(": error: ")[2] for line in last_lines]
        return ArgumentError(next(filter(None, errors), last_line))
    if exit_code < 0:
        return CrawlFailedError(f"signal {-exit_code} killed the crawl; call again to resume")
    return CrawlFailedError(f"the crawl ended with exit code {exit_code}: {last_line}")
