"""A headless Chromium, and pages of the report in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.reports.page.report import build_report
from sgr_spiders.storage.store import Store
from tests.databases import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, FloatRect, Page

VARIABLE = "CHROMIUM"
"""The environment variable with the path of a Chromium; without it, one on the search path is used."""

COLOURS = """
const canvas = document.getElementById("graph");
const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const found = new Set();
for (let at = 0; at < bytes.length; at += 28) found.add(bytes.slice(at, at + 3).join());
found.size
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser; while it is open, its event loop is that of the process."""
    program = os.environ.get(VARIABLE) or shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium: `tests/browser/with_chromium make test` installs it")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        # Its sandbox does not start as root, which containers are run as; the pages are our own.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Visit:
    """An open page, what it has asked the network for, and what it has complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return " ".join(self.page.inner_text(selector).split())

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - what the script returns
        return self.page.evaluate(script)

    def overflows(self) -> bool:
        """Return whether the page is wider than the window."""
        return bool(self.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def show_graph(self) -> FloatRect:
        """Scroll to the graph; return where it is."""
        graph = self.page.locator("#graph")
        graph.scroll_into_view_if_needed()
        # The wheel scrolls on for a moment.
        self.page.wait_for_timeout(400)
        box = graph.bounding_box()
        assert box is not None
        return box

    def picture(self) -> int:
        """Return a hash of the graph, once it has come to rest."""
        self.page.wait_for_timeout(250)
        return hash(self.evaluate("document.getElementById('graph').toDataURL()"))

    def colours(self) -> int:
        """Return the number of different colours on the graph, by a sample of its points."""
        return int(self.evaluate(COLOURS))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a file; the test fails if the page complains, or asks for anything else."""
    contexts, visits = [], []

    def open_file(file: Path, width: int = 1280, height: int = 900, **options: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        visit = Visit(page)
        visits.append(visit)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("console", lambda message: visit.complaints.append(message.text))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.goto(file.as_uri())
        return visit

    yield open_file
    for one in visits:
        assert one.complaints == []
        assert [url.partition(":")[0] for url in one.requests] == ["file"]
    for context in contexts:
        context.close()


def write_page(database: Path, file: Path) -> Path:
    """Write the report of a database to *file*."""
    file.write_text(build_report(Store(url_of(database)), HarvestConfig()), encoding="utf-8")
    return file
