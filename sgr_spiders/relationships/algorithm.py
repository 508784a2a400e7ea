"""The name of an algorithm: a relationship type and the parameters of its result, in one string.

As in the similarity datasets of ListenBrainz, tables of different parameters have different names.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import Relationships

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

WORDS = {
    "playlists": "",
    "weighting": "",
    "max_contribution": "contribution",
    "min_cooccurrences": "min",
    "min_common_tracks": "min",
    "min_shared_fans": "min",
    "min_similarity": "similarity",
    "shrinkage": "shrinkage",
    "max_library_share": "share",
    "top_k": "top",
    "engagement_kinds": "kinds",
    "user_sample": "sample",
    "include_unseen": "unseen",
    "include_removed": "removed",
}
"""The words for parameters, in the order in which a name has them. Others follow under their own names."""
ALWAYS = {"min_cooccurrences", "min_common_tracks", "min_shared_fans", "min_similarity", "shrinkage"}
"""The parameters that a name also has if they are the defaults."""
LIMITED = "limited"
"""The recorded parameter of a table that has less than all pairs because of a limit."""
SEEDS = "seeds"
MOST_SEEDS = 3
"""Seeds to list one by one; more are given as their number and a hash."""


def name_algorithm(type_name: str, parameters: Mapping[str, Any]) -> str:
    """Return the name of what makes a table of *type_name* with these *parameters* of its build."""
    general = Relationships()
    defaults = general.model_dump(mode="json") | general.section(type_name).model_dump(mode="json")
    defaults |= {SEEDS: None, LIMITED: None}
    others = sorted(parameters.keys() - WORDS.keys() - {SEEDS, LIMITED})
    parts = [
        _describe(WORDS.get(name, name), parameters[name])
        for name in (*WORDS, *others)
        if name in parameters
        and (name in ALWAYS or name not in defaults or parameters[name] != defaults[name])
    ]
    if parameters.get(SEEDS) is not None:
        parts.append(_describe_seeds(parameters[SEEDS]))
    if parameters.get(LIMITED) is not None:
        parts.append(f"limit_{parameters[LIMITED]['pairs']}")
    return "_".join([type_name, *parts])


def _describe(word: str, value: object) -> str:
    if value is True:
        return word
    return "_".join([*([word] if word else []), _format(value)])


def _format(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "_".join(sorted(map(_format, value)))
    if isinstance(value, float):
        return f"{value:.12g}"
    return "none" if value is None else str(value).lower()


def _describe_seeds(seeds: list[int]) -> str:
    listed = "_".join(map(str, seeds))
    if len(seeds) <= MOST_SEEDS:
        return f"{SEEDS}_{listed}" if seeds else f"no_{SEEDS}"
    return f"{len(seeds)}_{SEEDS}_{hashlib.blake2b(listed.encode(), digest_size=4).hexdigest()}"
