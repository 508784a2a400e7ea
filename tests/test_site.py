"""The documents as a site, and the citation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import sgr_spiders

LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
"""Elements and attributes that a browser loads without a click."""


class Page(HTMLParser):
    """The links and anchors of a page, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif (tag, name) in LOADED and value:
                self.loaded.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


def build(root: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as ``make site`` does, but elsewhere."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", directory],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def pages(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Return the pages of the site by path."""
    directory = tmp_path_factory.mktemp("site")
    built = build(root, directory)
    assert built.returncode == 0, built.stderr
    return {path: Page(path) for path in directory.rglob("*.html") if path.name != "404.html"}


def test_every_document_is_a_page(root: Path, pages: dict[Path, Page]) -> None:
    documents = {path.stem for path in (*root.glob("*.md"), *(root / "docs").glob("*.md"))}
    assert {path.stem for path in pages} == documents - {"README"} | {"index"}


def test_every_link_within_the_site_has_a_target(pages: dict[Path, Page]) -> None:
    missing = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else {parts.fragment}
            if not target.exists() or (parts.fragment and parts.fragment not in anchors):
                missing.append(f"{path.name}: {link}")
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert not missing


def test_no_page_loads_anything_from_elsewhere(pages: dict[Path, Page]) -> None:
    assert not [
        f"{path.name}: {url}" for path, page in pages.items() for url in page.loaded if urlsplit(url).netloc
    ]


def test_code_in_a_numbered_list_does_not_end_it(root: Path) -> None:
    """MkDocs needs an indentation of four spaces there, where GitHub takes three."""
    documents = (*root.glob("*.md"), *(root / "docs").glob("*.md"))
    found = [path.name for path in documents if re.search(r"^ {1,3}```", path.read_text(), re.MULTILINE)]
    assert not found


def test_lists_are_lists(pages: dict[Path, Page]) -> None:
    """A list that MkDocs does not recognise, e.g. without an empty line before it, is in a paragraph."""
    found = [
        f"{path.name}: {paragraph}"
        for path in pages
        for paragraph in re.findall(r"<p>.*?</p>", path.read_text(), re.DOTALL)
        if re.search(r"\n\s*(\d+\.|[-*]) ", paragraph)
    ]
    assert not found


def test_the_citation_is_of_the_newest_version_in_the_changelog(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == sgr_spiders.__version__
    heading = f"## {citation['version']} ({citation['date-released']})"
    versions = re.findall(r"^## \d.*", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == heading
    assert citation["authors"] == [{"name": "SoundGraph Deep Harvest maintainers"}]
