"""The undocumented parts of Scrapy and Twisted that the project relies on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.robotstxt import PythonRobotParser
from scrapy.utils import url as scrapy_url
from scrapy.utils.test import get_crawler

from sgr_spiders.traffic import scrapy_internals
from sgr_spiders.traffic.scope import OutOfScopeError
from tests.traffic.fault_server import FaultServer, Reply

if TYPE_CHECKING:
    from typing import Any

PROBE = """
import json, sys
from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess
from sgr_spiders.traffic import scrapy_internals as internals

url, seen = sys.argv[1], {}

class Probe(Spider):
    name = "probe"
    custom_settings = {"DOWNLOAD_DELAY": 30, "DOWNLOAD_DELAY_JITTER": 0, "TELNETCONSOLE_ENABLED": False}

    @classmethod
    def from_crawler(cls, crawler):
        spider = super().from_crawler(crawler)
        crawler.signals.connect(spider.closing, signals.spider_closed)
        return spider

    async def start(self):
        for number in range(4):
            yield Request(f"{url}/{number}")

    async def parse(self, response):
        # Three requests wait, 30 s apart.
        if "closing" in seen:
            return
        seen["closing"] = [internals.is_closing(self.crawler)]
        seen["pages"] = internals.pages_in_work(self.crawler)
        handler = self.crawler.engine.downloader.handlers._get_handler("http")
        seen["resends"] = [handler._pool.retryAutomatically]
        internals.disable_resends(handler)
        seen["resends"].append(handler._pool.retryAutomatically)
        internals.release_queues(self.crawler)

    def closing(self):
        seen["closing"].append(internals.is_closing(self.crawler))

def downloading(request):
    seen.setdefault("transfers", []).append(internals.transfer_count(crawler, without="other"))
    seen["without"] = internals.transfer_count(crawler, without="127.0.0.1")

process = AsyncCrawlerProcess()
crawler = process.create_crawler(Probe)
crawler.signals.connect(downloading, signals.bytes_received)
process.crawl(crawler)
process.start()
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def probed() -> dict[str, Any]:
    """Run a crawl of four requests, 30 s apart; return the results of the functions.

    Without a release they would take 90 s, more than the time limit. The delay is no longer, because Scrapy
    delays even the first request until the machine has been running for that time.
    """
    with FaultServer(lambda *_: Reply()) as server:
        seen: dict[str, Any] = json.loads(_output(PROBE, server.url))
        assert server.targets() == ["/0", "/1", "/2", "/3"], "the released requests were sent"
    return seen


def test_closing_is_detected(probed: dict[str, Any]) -> None:
    assert probed["closing"] == [False, True]


def test_requests_in_transfer_are_counted(probed: dict[str, Any]) -> None:
    assert probed["transfers"][0] == 1
    assert max(probed["transfers"]) <= 3
    assert probed["without"] == 0


def test_a_response_is_in_work_until_its_callback_ends(probed: dict[str, Any]) -> None:
    assert probed["pages"] == 1


WAKING = """
import asyncio, json, sys, time
from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import AsyncCrawlerProcess
from sgr_spiders.traffic import scrapy_internals as internals

url, seen = sys.argv[1], {}

class LateScheduler(BaseScheduler):
    late, ready = True, []

    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def has_pending_requests(self):
        return self.late or bool(self.ready)

    def enqueue_request(self, request):
        return True

    def next_request(self):
        if self.late and "asked" not in seen:
            seen["asked"] = time.monotonic()
            asyncio.get_running_loop().call_soon(self.give)
        return self.ready.pop() if self.ready else None

    def give(self):
        self.late, self.ready = False, [Request(url)]
        internals.wake_engine(self.crawler)

class Probe(Spider):
    name = "probe"
    custom_settings = {"SCHEDULER": LateScheduler, "TELNETCONSOLE_ENABLED": False}

    async def start(self):
        for request in ():
            yield request

    async def parse(self, response):
        seen["answered"] = time.monotonic()

process = AsyncCrawlerProcess()
process.crawl(process.create_crawler(Probe))
process.start()
print(json.dumps(seen["answered"] - seen["asked"]))
"""


def test_a_scheduler_with_a_new_request_is_asked_at_once() -> None:
    with FaultServer(lambda *_: Reply()) as server:
        seconds = float(_output(WAKING, server.url))
    # Otherwise the engine asks again after 5 s.
    assert seconds < 4


HOLDING = """
import asyncio, json
from scrapy.utils.reactor import install_reactor
install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
from twisted.internet import reactor
from sgr_spiders.traffic.scrapy_internals import reactor_held

seen = []

async def work():
    with reactor_held(lambda: seen.append("told")):
        reactor.callLater(0, reactor.stop)
        while not seen:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        seen.append("ended")

async def once():
    with reactor_held(lambda: seen.append("too late")):
        pass
    await work()

reactor.addSystemEventTrigger("after", "shutdown", seen.append, "stopped")
tasks = []
reactor.callWhenRunning(lambda: tasks.append(asyncio.ensure_future(once())))
reactor.run()
print(json.dumps(seen))
"""


def test_a_held_reactor_stops_when_the_block_has_ended() -> None:
    assert json.loads(_output(HOLDING)) == ["told", "ended", "stopped"]


def _output(code: str, *arguments: str) -> str:
    """Run *code* in a separate process; return the last line of its output."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


def test_twisted_resends_by_default(probed: dict[str, Any]) -> None:
    assert probed["resends"] == [True, False]


def test_a_handler_without_a_pool_is_unchanged() -> None:
    class Other:
        lazy = False

    scrapy_internals.disable_resends(Other())  # type: ignore[arg-type]


def test_scrapy_writes_its_log_with_the_root_handler() -> None:
    command = [sys.executable, "-c", _ROOT_HANDLER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["None", "True"], done.stderr


_ROOT_HANDLER = """
import logging
from scrapy.utils.log import configure_logging
from sgr_spiders.traffic.scrapy_internals import root_log_handler
print(root_log_handler())
configure_logging()
print(root_log_handler() in logging.root.handlers)
"""


def test_robots_txt_forbids_with_this_text() -> None:
    crawler = get_crawler(Spider, {"ROBOTSTXT_OBEY": True})
    rules = PythonRobotParser.from_crawler(crawler, b"User-agent: *\nDisallow: /\n")
    with pytest.raises(IgnoreRequest) as raised:
        RobotsTxtMiddleware(crawler).process_request_2(rules, Request("https://soundcloud.com/a/b"))
    assert scrapy_internals.is_forbidden_by_robots(raised.value)


@pytest.mark.parametrize("error", [None, IgnoreRequest("other"), OutOfScopeError("Forbidden by robots.txt")])
def test_nothing_else_is_forbidden_by_robots_txt(error: BaseException | None) -> None:
    assert not scrapy_internals.is_forbidden_by_robots(error)


def test_scrapy_splash_finds_its_function() -> None:
    scrapy_internals.restore_canonicalize_url()
    assert vars(scrapy_url)["canonicalize_url"]("https://a/?b=2&a=1") == "https://a/?a=1&b=2"
    from scrapy_splash import SplashMiddleware  # noqa: PLC0415

    assert SplashMiddleware
