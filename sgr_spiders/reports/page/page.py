"""The page of the report, with its sections in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.reports.page import neighbours, sections
from sgr_spiders.reports.page.document import navigation, render_document
from sgr_spiders.reports.page.graph_data import graph_data
from sgr_spiders.reports.page.graph_section import neighbourhood
from sgr_spiders.reports.page.html import data, tag

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
    return render_document(
        sections.title_of(report),
        ("page.js", "graph.js"),
        sections.heading(report),
        navigation(LINKS),
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
    )
