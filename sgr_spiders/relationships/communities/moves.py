"""The inner loop of the Louvain method. It works with arrays, compiled, and with lists, interpreted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

MAX_ROUNDS = 20
MIN_GAIN = 1e-7
"""The gain of modularity, as a share of the weight of the graph, below which a node does not move."""


def move(  # noqa: PLR0913, PLR0917, C901 - a compiled loop takes arrays, not objects
    order: Sequence[int],
    starts: Sequence[int],
    others: Sequence[int],
    weights: Sequence[float],
    strengths: Sequence[float],
    resolution: float,
    community: MutableSequence[int],
    totals: MutableSequence[float],
    into: MutableSequence[float],
    near: MutableSequence[int],
) -> None:
    """Move each node to the community where modularity gains most, until nothing gains any more.

    Args:
        order: The nodes, in the order of visits.
        starts: The first link of each node in *others* and *weights*, and the end of the last node's.
        others: The node at the other end of each link.
        weights: The weight of each link.
        strengths: The sum of the weights of each node's links.
        resolution: Larger values give smaller communities; 1 is modularity.
        community: The community of each node, which changes.
        totals: The sum of the strengths of each community, which changes.
        into: Zeros, one for each node.
        near: Room for one number for each node.
    """
    whole = 0.0
    for strength in strengths:
        whole += strength
    if whole == 0.0:
        return
    for _ in range(MAX_ROUNDS):
        moved = False
        for node in order:
            home = community[node]
            found = 0
            for link in range(starts[node], starts[node + 1]):
                group = community[others[link]]
                if into[group] == 0.0:
                    near[found] = group
                    found += 1
                into[group] += weights[link]
            strength = strengths[node]
            totals[home] -= strength
            share = resolution * strength / whole
            best = home
            most = into[home] - totals[home] * share + MIN_GAIN * whole
            for place in range(found):
                group = near[place]
                gain = into[group] - totals[group] * share
                into[group] = 0.0
                if gain > most:
                    best = group
                    most = gain
            totals[best] += strength
            if best != home:
                community[node] = best
                moved = True
        if not moved:
            return
