"""The provenance of a pseudonymised study: without IDs, texts and arguments that name seeds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.exports.study.coarsening import round_few, round_to
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.algorithm import SEEDS, name_algorithm

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sgr_spiders.exports.study.pseudonyms import Pseudonyms

ARGUMENTS: Final = (
    "layers",
    "refresh",
    "due",
    "max_seeds",
    "max_requests",
    "max_minutes",
    "accept_source",
    "accept_gone",
)
"""The spider arguments that name neither seeds nor files."""
DAYS: Final = ("started_at", "finished_at", "first_used_at", "related_at")
_TYPES: Final = {relationship.table.name: relationship.name for relationship in TYPES.values()}
_URN: Final = re.compile(r"soundcloud:tracks:([0-9]+)")


KEPT: Final = (
    *("tool", "version", "packages", "schema_version"),
    *("is_complete", "completeness", "incomplete_because"),
    *("configurations", "coverage", "doubts"),
)
"""The keys of an origin that a study keeps as they are. What is not named here or rewritten is left out."""
KEPT_OF_SOURCE: Final = ("api_origin", "is_sandbox", "world", "first_used_at")
KEPT_OF_RUN: Final = (
    *("run_id", "spider", "layers", "config_hash", "version", "packages", "api_origin", "is_sandbox"),
    *("refresh", "started_at", "finished_at", "outcome", "requests"),
)
KEPT_OF_WALKS: Final = (
    *("endpoint", "status", "walks", "kept", "kept_of_expected", "refused", "doubted", "outdated"),
)
KEPT_OF_CAP: Final = ("layer", "setting", "cap", "kept", "walks", "choices", "seeds", "step", "endpoint")
KEPT_OF_REJECTED: Final = ("kind", "field", "count")
KEPT_OF_BUILD: Final = ("inputs", "rows", "finished_at", "packages")
KEPT_OF_COMMUNITIES: Final = (
    *("kind", "method", "graph", "validated", "parameters", "inputs", "communities", "rows"),
    *("modularity", "stability", "related_at", "seconds", "finished_at"),
)


def hide(origin: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Return the origin of a study with seeds as pseudonyms, times as days, and no texts from outside."""
    source, run = origin["source"], origin["run"]
    return _keep(origin, KEPT) | {
        "source": None if source is None else _keep(source, KEPT_OF_SOURCE),
        "run": None if run is None else _keep(run, KEPT_OF_RUN),
        # The order of both would tell that of the IDs and texts.
        "seeds": sorted((_hide_seed(seed, pseudonyms) for seed in origin["seeds"]), key=_by_values),
        "seed_lists": sorted(
            (
                {"tracks": round_to(seed_list["tracks"], 1), "is_cut": seed_list["is_cut"]}
                for seed_list in origin["seed_lists"]
            ),
            key=_by_values,
        ),
        "walks": [
            _keep(row, KEPT_OF_WALKS) | {"expected": round_few(row["expected"], row["walks"])}
            for row in origin["walks"]
        ],
        "runs": [_hide_run(run) for run in origin["runs"]],
        "caps": [_hide_cap(cap) for cap in origin["caps"]],
        "rejected": [_keep(group, KEPT_OF_REJECTED) | {"reason": None} for group in origin["rejected"]],
        "relationships": {
            table: _hide_build(table, built, pseudonyms) for table, built in origin["relationships"].items()
        },
        "communities": {
            kind: _keep(made, KEPT_OF_COMMUNITIES) for kind, made in origin["communities"].items()
        },
    }


def _by_values(values: Mapping[str, Any]) -> list[tuple[bool, Any]]:
    return [(value is None, "" if value is None else value) for value in values.values()]


def _hide_seed(seed: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    found = _URN.fullmatch(seed["urn"] or "")
    name = None if found is None else pseudonyms.of("track", int(found[1]))
    return {"track_id": name, "status": seed["status"]}


def _hide_run(run: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {name: value for name, value in run["arguments"].items() if name in ARGUMENTS}
    return _keep(run, KEPT_OF_RUN) | {"arguments": arguments, "reason": None}


def _hide_cap(cap: Mapping[str, Any]) -> dict[str, Any]:
    count = cap["walks"] or cap["choices"] or 0
    return _keep(cap, KEPT_OF_CAP) | {"reason": None, "available": round_few(cap["available"], count)}


def _hide_build(table: str, built: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Return the build of a relationship table, also with pseudonyms in the name of its algorithm."""
    parameters = dict(built["parameters"])
    if parameters.get(SEEDS) is not None:
        parameters[SEEDS] = sorted(pseudonyms.of("track", seed) for seed in parameters[SEEDS])
    algorithm = None if built["algorithm"] is None else name_algorithm(_TYPES[table], parameters)
    return _keep(built, KEPT_OF_BUILD) | {"parameters": parameters, "algorithm": algorithm}


def _keep(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the values with these names, times as days."""
    kept = {name: value for name, value in values.items() if name in names}
    return {name: value[:10] if name in DAYS and value else value for name, value in kept.items()}
