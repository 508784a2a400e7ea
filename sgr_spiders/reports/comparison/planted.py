"""The recovery of the communities that the sandbox has planted, by neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.communities.louvain import find_communities
from sgr_spiders.storage.lookup import look_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.reports.comparison.neighbours import Neighbours

    Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Planted:
    """The planted community of each record: ``communities[i]`` of ``ids[i]``, which ascend."""

    ids: Ids
    communities: Ids

    def of(self, ids: Ids) -> Ids:
        """Return the community of each record; -1 if it is not known."""
        return look_up(self.ids, self.communities, ids)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery of planted communities.

    *nodes*: those with neighbours. *purity*: the mean share of their nearest neighbours that are of their own
    community; *chance*: the same for random neighbours. *placed*: the share of all nodes of either side for
    which more than half of the nearest neighbours are of their own community. *information*: the normalised
    mutual information of the planted communities and those that the neighbours form.
    """

    nodes: int
    purity: float | None
    chance: float | None
    placed: float | None
    information: float | None


def recover(near: Neighbours, planted: Planted, universe: Ids, either: Ids) -> Recovery:
    """Compare the neighbours with the planted communities.

    *universe*: the nodes of this side. *either*: the nodes of either side.
    """
    own, others = planted.of(near.owners), planted.of(near.others)
    known = (own >= 0) & (others >= 0)
    node = np.repeat(np.arange(len(near.ids)), np.diff(near.starts))[known]
    totals = np.bincount(node, minlength=len(near.ids))
    same = np.bincount(node, weights=own[known] == others[known], minlength=len(near.ids))
    some = totals > 0
    shares = same[some] / totals[some]
    of_either = planted.of(either)
    count = int((of_either >= 0).sum())
    return Recovery(
        nodes=int(some.sum()),
        purity=float(shares.mean()) if len(shares) else None,
        chance=_chance(planted.of(universe), planted.of(near.ids[some])),
        placed=float((shares > 0.5).sum() / count) if count else None,
        information=_information(near, planted) if len(shares) else None,
    )


def _chance(universe: Ids, nodes: Ids) -> float | None:
    """Return the expected share of other nodes of the *universe* that are of a node's own community."""
    known = universe[universe >= 0]
    if not len(nodes) or len(known) < 2:
        return None
    sizes = np.bincount(known)
    return float(((sizes[nodes] - 1) / (len(known) - 1)).mean())


def _information(near: Neighbours, planted: Planted) -> float:
    owners, others = near.owners, near.others
    # A pair in which both are among the nearest of the other is one edge.
    low, high = np.minimum(owners, others), np.maximum(owners, others)
    _, first = np.unique(np.stack([low, high]), axis=1, return_index=True)
    ids = np.unique(np.concatenate([owners, others]))
    groups = find_communities(
        len(ids), np.searchsorted(ids, low[first]), np.searchsorted(ids, high[first]), near.scores[first]
    )
    truth = planted.of(ids)
    return normalised_mutual_information(groups[truth >= 0], truth[truth >= 0])


def normalised_mutual_information(a: Ids, b: Ids) -> float:
    """Return the mutual information of two groupings of the same records, divided by their mean entropy.

    Danon, Díaz-Guilera, Duch and Arenas, Comparing community structure identification (Journal of Statistical
    Mechanics 2005, P09008). 1: the same groups; 0: independent ones.
    """
    table = np.zeros((int(a.max(initial=0)) + 1, int(b.max(initial=0)) + 1))
    np.add.at(table, (a, b), 1)
    joint = table / max(1, len(a))
    entropies = _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))
    if not entropies:
        return 1.0  # one group on each side
    return float(2 * (entropies - _entropy(joint.ravel())) / entropies)


def _entropy(shares: NDArray[np.float64]) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())
