"""The section with the graph and its controls; the page's script draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.reports.page.graph_data import TITLES, name_of
from sgr_spiders.reports.page.html import Html, join, link, shown, tag
from sgr_spiders.reports.page.sections import section
from sgr_spiders.reports.page.tables import Column, count, plain_table, words
from sgr_spiders.text.formatting import number
from sgr_spiders.text.invocation import plain_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.reports.page.content import DrawnGraph
    from sgr_spiders.reports.page.graph import Graph
    from sgr_spiders.reports.page.tables import Cell
    from sgr_spiders.reports.state import Relationship

MOST_LINKED = 25
"""Nodes in the list below the graph."""

KEYS = (
    "Graph. Arrow keys move it, plus and minus zoom, 0 shows all of it. N and P select the next and the "
    "previous neighbour, Escape clears the selection. Search selects a node by its name."
)


def neighbourhood(graphs: Sequence[DrawnGraph], relationships: Sequence[Relationship]) -> Html:
    """Return the section of the graphs."""
    heading = "Neighbourhood"
    if not graphs:
        return section("neighbourhood", heading, tag("p", *_explain_absence(relationships), class_="empty"))
    return section(
        "neighbourhood",
        heading,
        *(_about(drawn, is_first=place == 0) for place, drawn in enumerate(graphs)),
        _controls(graphs),
        tag(
            "div",
            tag(
                "div",
                Html(f'<canvas id="graph" tabindex="0" role="application" aria-label="{KEYS}"></canvas>'),
                Html('<canvas id="over" aria-hidden="true"></canvas>'),
                tag("div", _zoom_buttons(), class_="zoom"),
                class_="stage",
            ),
            tag(
                "aside",
                tag("div", id="selection", aria_live="polite"),
                tag("div", id="legend", role="group", aria_label="Legend"),
                class_="side",
            ),
            class_="board",
            hidden="",
        ),
        tag("noscript", tag("p", "The graph needs JavaScript.", class_="empty")),
        tag("p", id="shown", class_="about", role="status"),
        *(_most_linked(drawn, is_first=place == 0) for place, drawn in enumerate(graphs)),
    )


def _explain_absence(relationships: Sequence[Relationship]) -> list[str]:
    if any(one.built_at is not None for one in relationships):
        return ["No two records share enough to be related, so there is nothing to draw."]
    return ["No relationships have been built yet. Build them: ", tag("code", plain_command("relate"))]


def _about(drawn: DrawnGraph, *, is_first: bool) -> Html:
    graph = drawn.graph
    what, basis = TITLES[graph.pairs.name]
    choice = (
        "the nearest to the seed and the strongest"
        if len(graph.seeds)
        else "the strongest of the whole database, because none is of the seed"
    )
    text = (
        f"{number(len(graph.ids))} {what} and {number(len(graph.a))} of {number(drawn.rows)} relationships, "
        f"{choice}. Two {what} are joined by the {basis}; the score is the "
        "column "
    )
    return tag(
        "p",
        text,
        tag("code", graph.pairs.score),
        " of ",
        tag("code", graph.pairs.name),
        ". Positions are computed from the relationships alone, and ",
        "the communities are those in the table communities." if graph.are_stored else "so are communities.",
        class_="about graph-about",
        hidden=None if is_first else "",
    )


def _community(graph: Graph, place: int) -> Cell:
    number = int(graph.communities[place])
    return words("-") if number < 0 else count(number if graph.are_stored else number + 1)


def _most_linked(drawn: DrawnGraph, *, is_first: bool) -> Html:
    """Return the nodes with the most links in words, for those who do not see the picture."""
    graph = drawn.graph
    links = np.bincount(np.concatenate([graph.a, graph.b]), minlength=len(graph.ids))
    what = TITLES[graph.pairs.name][0]
    rows = []
    for place in np.lexsort((graph.ids, -links))[:MOST_LINKED].tolist():
        node = int(graph.ids[place])
        record = drawn.tracks.get(node) or drawn.users.get(node)
        rows.append(
            [
                words(link(shown(name_of(record)), None if record is None else record.url)),
                words(tag("bdi", shown(drawn.genres.get(node), "-"))),
                _community(graph, place),
                count(int(links[place])),
            ]
        )
    columns = [
        Column(what.capitalize()),
        Column("Genre"),
        Column(
            "Community",
            is_number=True,
            explanation="As in the table communities" if graph.are_stored else "1 is the largest",
        ),
        Column("Links", is_number=True, explanation="In the graph above"),
    ]
    heading = f"The {len(rows)} most linked {what}"
    return tag(
        "details",
        tag("summary", heading),
        plain_table(heading, columns, rows),
        class_="graph-list",
        hidden=None if is_first else "",
    )


def _controls(graphs: Sequence[DrawnGraph]) -> Html:
    kinds = [
        tag("option", TITLES[drawn.graph.pairs.name][0].capitalize(), value=place)
        for place, drawn in enumerate(graphs)
    ]
    colours = [tag("option", name, value=name) for name in ("community", "genre", "layer")]
    return tag(
        "div",
        tag("label", "Graph ", tag("select", *kinds, id="kind"), class_="field") if len(graphs) > 1 else None,
        tag(
            "div",
            tag("label", "Search ", for_="search"),
            Html(
                '<input id="search" type="search" role="combobox" aria-expanded="false" '
                'aria-controls="matches" aria-autocomplete="list" autocomplete="off" spellcheck="false" '
                'placeholder="title, artist or ID">'
            ),
            tag("ul", id="matches", role="listbox", aria_label="Matches", hidden=""),
            class_="field search",
        ),
        tag("label", "Colour ", tag("select", *colours, id="colour"), class_="field"),
        tag(
            "label",
            "Minimum score ",
            Html('<input id="least" type="range" min="0" max="100" value="0">'),
            tag("output", "0", id="least-shown", for_="least"),
            class_="field",
        ),
        class_="controls",
        hidden="",
    )


def _zoom_buttons() -> Html:
    return join(
        *(
            tag("button", sign, type="button", id=identifier, aria_label=name, title=name)
            for sign, identifier, name in (
                ("+", "closer", "Zoom in"),
                ("\N{MINUS SIGN}", "further", "Zoom out"),
                ("⤢", "fit", "Show all"),
            )
        )
    )
