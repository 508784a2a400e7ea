"""Crawl processes and their outcomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
CREDENTIALS = {"SOUNDCLOUD_CLIENT_ID": "client-of-tests", "SOUNDCLOUD_CLIENT_SECRET": "c0nfidential-Secret"}
STATIC = {"SOUNDCLOUD_ACCESS_TOKEN": "static-acc3ss-Token"}


@dataclass
class Crawl:
    """The task of a crawl."""

    name: str
    api: str
    paths: list[str]
    settings: dict[str, Any] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        settings = {
            "SOUNDCLOUD_API_URL": self.api,
            "SOUNDCLOUD_TOKEN_URL": f"{self.api}/oauth/token",
            **self.settings,
        }
        urls = [path if path.startswith("http") else self.api + path for path in self.paths]
        return {"name": self.name, "settings": settings, "urls": urls}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a crawl."""

    got: dict[str, list[str]]
    stats: dict[str, Any]
    error: list[Any] | None

    def kinds(self) -> list[str]:
        return [entry[0] for entry in self.got.values()]

    def kind(self, path: str) -> str:
        return self.entry(path)[0]

    def reason(self, path: str) -> str:
        return self.entry(path)[1]

    def entry(self, path: str) -> list[str]:
        return next(entry for url, entry in self.got.items() if url.endswith(path))


class CrawlProcess:
    """A running process with several crawls."""

    def __init__(self, crawls: list[Crawl], cache: Path, environment: Mapping[str, str] = {}) -> None:
        inherited = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
        own = {"XDG_CACHE_HOME": str(cache), "http_proxy": "http://127.0.0.1:9", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.traffic.crawl_process"],
            cwd=HERE.parent.parent,
            env={**inherited, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([crawl.entry() for crawl in crawls]))
        self.process.stdin.close()
        self.process.stdin = None
        self.log = ""
        self.output = ""

    def wait(self, seconds: float = 120) -> dict[str, Outcome]:
        try:
            self.output, self.log = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output, self.log = self.process.communicate()
            raise AssertionError(f"the crawls did not end: {self.log[-3000:]}") from None
        assert self.process.returncode == 0, self.log[-3000:]
        outcomes = json.loads(self.output.splitlines()[-1])
        return {name: Outcome(**outcome) for name, outcome in outcomes.items()}


def run(crawls: list[Crawl], cache: Path, environment: Mapping[str, str] = {}) -> dict[str, Outcome]:
    return CrawlProcess(crawls, cache, environment).wait()
