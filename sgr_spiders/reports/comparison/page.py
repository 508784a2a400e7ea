"""A comparison as a page for a browser, made of the same blocks as the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.reports.comparison.differences import find_differences
from sgr_spiders.reports.comparison.lines import (
    AGREEMENT,
    describe_relationships,
    describe_side,
    list_agreements,
    list_groups,
)
from sgr_spiders.reports.page.document import navigation, render_document
from sgr_spiders.reports.page.html import tag
from sgr_spiders.reports.page.sections import note, section
from sgr_spiders.reports.page.tables import Cell, Column, plain_table, words
from sgr_spiders.text.escape import for_database

if TYPE_CHECKING:
    from sgr_spiders.reports.comparison.comparison import Comparison
    from sgr_spiders.reports.comparison.lines import Group
    from sgr_spiders.reports.page.html import Html

LINKS = {"differences": "Before you read on", "figures": "Figures", "agreement": "Agreement"}
"""The sections that the page links to, by identifier."""


def render(comparison: Comparison, config: str) -> str:
    """Return the page; *config* names the settings of relationships."""
    return render_document(
        "Comparison of A and B",
        ("page.js",),
        _heading(comparison),
        navigation(LINKS),
        tag(
            "main",
            _differences(comparison),
            _figures(comparison, config),
            _agreement(comparison),
            id="content",
        ),
    )


def _heading(comparison: Comparison) -> Html:
    facts = []
    for side in comparison.sides:
        described = for_database("; ".join(describe_side(side)))
        facts.append(tag("p", tag("strong", side.name), f" {described}", class_="facts"))
    return tag("header", tag("p", "SoundGraph comparison", class_="kicker"), tag("h1", "A and B"), *facts)


def _differences(comparison: Comparison) -> Html:
    found = find_differences(comparison.sides)
    notes = [note("warn", line, None) for line in found] or [
        note("ok", "The same source, seeds, configuration and layers.", None)
    ]
    return section("differences", "Before you read on", tag("ul", *notes, class_="notes"))


def _figures(comparison: Comparison, config: str) -> Html:
    parts = [part for group in list_groups(comparison) for part in _group(group)]
    about = f"{for_database(describe_relationships(config))}. docs/compare.md defines all figures."
    return section("figures", "Figures", tag("p", about, class_="about"), *parts)


def _group(group: Group) -> list[Html]:
    heading = group.heading or "requests and records"
    columns = [Column("Figure"), Column("A", is_number=True), Column("B", is_number=True)]
    rows = [
        [words(line.name), *(Cell(value, is_number=True) for value in (line.a, line.b))]
        for line in group.lines
    ]
    return [tag("h3", _capitalise(heading)), plain_table(_capitalise(heading), columns, rows, "narrow")]


def _agreement(comparison: Comparison) -> Html:
    columns = [Column(_capitalise(name), is_number=place > 0) for place, name in enumerate(AGREEMENT)]
    rows = [
        [words(cells[0]), *(Cell(cell, is_number=True) for cell in cells[1:])]
        for cells in list_agreements(comparison)
    ]
    about = (
        "How far A and B agree on the nearest neighbours of the same records: means over those that have "
        "neighbours in both. RBO is the rank-biased overlap."
    )
    table = plain_table("Agreement of A and B", columns, rows)
    return section("agreement", "Agreement", tag("p", about, class_="about"), table)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
