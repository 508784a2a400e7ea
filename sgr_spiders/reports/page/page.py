"""The page: its sections, style and script in one file, and a policy that forbids everything else."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from sgr_spiders.reports.page import neighbours, sections
from sgr_spiders.reports.page.graph_data import graph_data
from sgr_spiders.reports.page.graph_section import neighbourhood
from sgr_spiders.reports.page.html import Html, data, join, tag

if TYPE_CHECKING:
    from sgr_spiders.reports.page.content import Report

LINKS = {
    "doubts": "Before you read on",
    "neighbourhood": "Neighbourhood",
    "nearest": "Nearest",
    "found": "Layers",
    "coverage": "Coverage",
    "cuts": "Cuts",
    "degrees": "Degrees",
    "runs": "Runs",
}
"""The sections that the page links to, by identifier."""


def render(report: Report) -> str:
    """Return the page: the same for the same state of the database."""
    style, script = _asset("page.css"), "\n".join(map(_asset, ("page.js", "graph.js")))
    body = join(
        tag("a", "Skip to the content", href="#content", class_="skip"),
        sections.heading(report),
        _navigation(),
        tag(
            "main",
            sections.cards(report),
            sections.doubts(report),
            neighbourhood(report.graphs, report.status.relationships),
            neighbours.nearest(report),
            sections.found(report),
            sections.coverage(report),
            sections.cuts(report),
            sections.distributions(report),
            sections.runs(report),
            id="content",
        ),
        data("graphs", [graph_data(drawn) for drawn in report.graphs]),
        tag("script", Html(script)),
    )
    head = join(
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        Html('<meta name="color-scheme" content="light dark">'),
        tag("title", sections.title_of(report)),
        tag("style", Html(style)),
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _navigation() -> Html:
    links = [tag("a", name, href=f"#{identifier}") for identifier, name in LINKS.items()]
    choice = tag("button", "Dark", type="button", id="theme", hidden="")
    return tag("nav", tag("div", *links, class_="links"), choice, aria_label="Sections")


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a policy that allows this style and this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
