"""Run each crawl in a separate process, and read the output of its extensions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import requests

from sgr_spiders import settings
from tests.benchmarks.requests.measure import api_requests
from tests.benchmarks.throughput import bare
from tests.benchmarks.throughput.clock import OUTPUT, Clock
from tests.benchmarks.throughput.stages import Stages
from tests.crawls.crawling import LIMIT_S, ROOT, Harvester
from tests.sandbox.client import ApiClient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox_process import SandboxProcess

AS_THE_BARE_SPIDER: Final = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "AUTOTHROTTLE_ENABLED": False,
}
"""Scrapy's default concurrency, without a delay."""
WHOLE: Final = "deep_harvest: {request_delay: 0, user_depth: {max_tracks_per_user: 100000}}"
"""A configuration with complete libraries, so that no page is cut."""


@dataclass(frozen=True)
class Speed:
    pages_per_second: float
    cpu_ms_per_page: float


class Bench:
    """Repeated crawls of one sandbox."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._crawls = 0
        self._output = folder / "figures.json"
        (folder / "whole.yaml").write_text(WHOLE)
        self._environment = {
            OUTPUT: str(self._output),
            # The developer's own token must be neither used nor replaced.
            "XDG_CACHE_HOME": f"{folder}/cache",
            "SOUNDCLOUD_ACCESS_TOKEN": "",
        }

    def urls(self) -> list[str]:
        """Return the URLs of a harvest; the sandbox then has all these responses cached."""
        self._sandbox.clear_log()
        self.harvest()
        return [f"{self._sandbox.url}{_target(entry)}" for entry in api_requests(self._sandbox)]

    def harvest(self) -> Speed:
        return _speed(self._harvest(Clock))

    def stages(self) -> dict[str, float]:
        """Return CPU milliseconds per page by stage; measuring costs a little, most of it in ``raw``."""
        figures = self._harvest(Stages)
        return {name: seconds / figures["pages"] * 1e3 for name, seconds in figures["cpu_seconds"].items()}

    def bare(self, urls: Iterable[str]) -> Speed:
        listed = self._folder / "urls.txt"
        listed.write_text("\n".join(urls))
        with requests.Session() as session:
            token = ApiClient(self._sandbox, session).token
        command = [sys.executable, "-m", "scrapy", "runspider", bare.__file__, "-a", f"urls={listed}"]
        # A log line per page costs time, and the harvest writes none either.
        for name, value in {"LOG_LEVEL": "WARNING", "EXTENSIONS": _json([Clock])}.items():
            command += ["-s", f"{name}={value}"]
        environment = {**os.environ, **self._environment, bare.TOKEN: token, "PYTHONPATH": str(ROOT)}
        # Another directory and no SCRAPY_SETTINGS_MODULE, so that Scrapy does not use the project's settings.
        environment.pop("SCRAPY_SETTINGS_MODULE", None)
        subprocess.run(command, cwd=self._folder, env=environment, check=True, timeout=LIMIT_S)
        return _speed(self._read())

    def _harvest(self, extension: type) -> dict[str, Any]:
        self._crawls += 1
        database = self._folder / f"harvest{self._crawls}.db"
        harvester = Harvester(
            self._sandbox, database, environment=self._environment, config=str(self._folder / "whole.yaml")
        )
        harvester.is_forked = False
        # First in order, before everything it measures.
        extensions = _json([extension, *settings.EXTENSIONS])
        ended = harvester.crawl("user_depth", {**AS_THE_BARE_SPIDER, "EXTENSIONS": extensions})
        # An error in a signal receiver is logged but does not change the exit code.
        if ended.code != 0 or " ERROR: " in ended.log:
            raise RuntimeError(f"the harvest ended with exit code {ended.code}\n{ended.log}")
        for file in self._folder.glob(f"{database.name}*"):
            file.unlink()
        return self._read()

    def _read(self) -> dict[str, Any]:
        figures: dict[str, Any] = json.loads(self._output.read_text())
        return figures


def middle(speeds: Iterable[Speed]) -> Speed:
    speeds = list(speeds)
    return Speed(
        median(speed.pages_per_second for speed in speeds), median(speed.cpu_ms_per_page for speed in speeds)
    )


def _speed(figures: dict[str, Any]) -> Speed:
    pages = figures["pages"]
    return Speed(pages / figures["seconds"], figures["cpu_seconds"] / pages * 1e3)


def _json(extensions: Iterable[type | str]) -> str:
    names = [
        extension if isinstance(extension, str) else f"{extension.__module__}.{extension.__qualname__}"
        for extension in extensions
    ]
    return json.dumps({name: position for position, name in enumerate(names)})


def _target(entry: dict[str, Any]) -> str:
    return f"{entry['path']}?{entry['query']}" if entry["query"] else str(entry["path"])
