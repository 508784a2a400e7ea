"""The results of an evaluation, as lines for people and as a document for programs."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sgr_spiders.embeddings.evaluation.trial import RERANKED
from sgr_spiders.text.formatting import describe_left_out, p_value, pluralize, table, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.embeddings.evaluation.results import Comparison, Figure, MethodResult, Results
    from sgr_spiders.embeddings.evaluation.trial import Trial
    from sgr_spiders.embeddings.evaluation.trials import Trials
    from sgr_spiders.embeddings.list_quality import ListQuality

FEW_USERS = 30
"""Below this, percentile intervals are too narrow."""
_BEYOND = ("coverage", "novelty", "similarity", "same artist", "hub share", "popularity lift")
DIGITS = 6
"""Digits of a figure after the point, for programs."""


def describe(trials: Trials, results: Results, lists: Mapping[str, ListQuality]) -> list[str]:
    """Return the lines for people; *lists*: the quality of similar tracks, by the source of neighbours."""
    k = trials.trials[0].k
    lines = _describe_trials(trials, results)
    lines += table([["method", f"recall@{k}", f"ndcg@{k}", "tail recall", "cpu seconds"], *_quality(results)])
    for figure in ("recall", "ndcg"):
        lines += wrap(f"{figure}@{k}: {_name_best(results, figure)}")
    lines.append("")
    lines += table([["method", *_BEYOND], *_beyond(results)])
    lines += _describe_costs(results, k)
    lines += _describe_left_out(results) + _describe_parameters(results)
    lines.append("")
    lines += table([["similar tracks", "stability", "hub share", "seed first", "tracks"], *_of_lists(lists)])
    return lines


def _describe_trials(trials: Trials, results: Results) -> list[str]:
    first, count = trials.trials[0], len(trials.trials)
    users, tracks = (int(np.count_nonzero(first.train.sum(axis=axis))) for axis in (1, 0))
    lines = [describe_left_out(trials.left_out)] if trials.left_out else []
    if first.at is not None:
        lines.append(f"split at {first.at}")
    if first.undecided:
        lines.append(f"without {pluralize(first.undecided, 'pair')} whose order in time is not known")
    lines.append(
        f"trained on: {pluralize(first.train.nnz, 'pair')} of {pluralize(users, 'user')} and "
        f"{pluralize(tracks, 'track')}"
    )
    times = "" if count == 1 else f", in {count} splits"
    if count > 1 and np.array_equal(first.test.indices, trials.trials[1].test.indices):
        times = f", with {count} random seeds"
    cold = round(sum(trial.cold_pairs for trial in trials.trials) / count)
    lines.append(
        f"held out: {pluralize(first.test.nnz, 'pair')} of {pluralize(results.users, 'user')}{times}; "
        f"{cold:,} with a track that is not in the training data"
    )
    if results.users < FEW_USERS:
        lines.append(f"few users: intervals of fewer than {FEW_USERS} are too narrow")
    return lines


def _quality(results: Results) -> list[list[str]]:
    return [
        [
            method.method,
            *(_with_interval(method.figures[name]) for name in ("recall", "ndcg", "tail_recall")),
            f"{method.cpu_seconds:.1f} s",
        ]
        for method in results.methods
    ]


def _beyond(results: Results) -> list[list[str]]:
    return [
        [
            method.method,
            _share(method.figures["coverage"].value),
            _bits(method.figures["novelty"].value),
            _cosine(method.figures["list_similarity"].value),
            _share(method.figures["repeated_artists"].value),
            _share(method.figures["hub_share"].value),
            _lift(method.figures["popularity_lift"].value),
        ]
        for method in results.methods
    ]


def _of_lists(lists: Mapping[str, ListQuality]) -> list[list[str]]:
    return [
        [
            f"by {by}",
            "-" if math.isnan(found.stability) else _three_digits(found.stability),
            _share(found.hub_share),
            _share(found.seed_first),
            f"{found.lists:,}",
        ]
        for by, found in lists.items()
    ]


def _with_interval(figure: Figure) -> str:
    if math.isnan(figure.value):
        return "-"
    if figure.interval is None:
        return _three_digits(figure.value)
    low, high = map(_three_digits, figure.interval)
    return f"{_three_digits(figure.value)} [{low}, {high}]"


def _three_digits(value: float) -> str:
    """Return ``.183`` for 0.1834."""
    return f"{value:.3f}".removeprefix("0")


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _bits(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f} bits"


def _cosine(value: float) -> str:
    return "-" if math.isnan(value) else _three_digits(value)


def _lift(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.2f}"


def _name_best(results: Results, figure: str) -> str:
    best = results.best(figure).method
    equal = [
        (next(name for name in found.methods if name != best), found)
        for found in results.equals_of_best(figure)
    ]
    if len(results.methods) == 1:
        return f"{best} only"
    if not equal:
        return f"{best} is better than all others"
    names = [f"{name} ({p_value(found.p_holm)})" for name, found in equal]
    return f"{best} is the best; not different: {', '.join(names)}"


def _describe_costs(results: Results, k: int) -> list[str]:
    """Return what reranking costs each method."""
    by_name = {method.method: method for method in results.methods}
    lines = []
    for method in results.methods:
        reranked = by_name.get(RERANKED.format(method.method))
        if reranked is not None:
            costs = [
                f"{name} {_change(method.figures[figure].value, reranked.figures[figure].value)}"
                for name, figure in ((f"recall@{k}", "recall"), (f"ndcg@{k}", "ndcg"))
            ]
            lines.append(f"{reranked.method} ({reranked.reranking}): {', '.join(costs)}")
    return lines


def _change(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before > 0 else "-"


def _describe_left_out(results: Results) -> list[str]:
    return [
        f"{method.method}: without the {pluralize(method.tracks_left_out, 'track')} with the fewest fans"
        for method in results.methods
        if method.tracks_left_out and not method.reranking
    ]


def _describe_parameters(results: Results) -> list[str]:
    """Return a line for each method with parameters that were chosen on parts of the training data."""
    lines = []
    for method in (method for method in results.methods if not method.reranking):
        lines += _describe_choice(
            f"{method.method}, tuned", [tuned.parameters for tuned in method.tuned if tuned.attempts]
        )
        lines += _describe_choice(f"{method.method}, chosen by itself", method.chosen)
    return lines


def _describe_choice(what: str, parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    chosen = [describe_parameters(given) for given in parameters]
    often = sorted(set(chosen), key=lambda text: (-chosen.count(text), text))
    counts = [f"{text} ({chosen.count(text)} of {len(chosen)})" for text in often]
    return wrap(f"{what}: {'; '.join(counts if len(often) > 1 else often)}") if chosen else []


def describe_parameters(parameters: Mapping[str, float]) -> str:
    """Return names and values in one line."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in parameters.items())


def as_document(
    trials: Trials, results: Results, lists: Mapping[str, ListQuality], how: str
) -> dict[str, Any]:
    """Return everything, as plain data."""
    first = trials.trials[0]
    about: dict[str, Any] = {
        "k": first.k,
        "split": how,
        "users": first.train.shape[0],
        "tracks": first.train.shape[1],
        "train": first.train.nnz,
        "test": first.test.nnz,
        "tested_users": results.users,
        "cold": first.cold_pairs,
        "left_out": trials.left_out,
    }
    if how != "random":
        about |= {"undecided": first.undecided}
    if first.at is not None:
        about |= {"at": first.at}
    return about | {
        "splits": [_trial_document(trial) for trial in trials.trials],
        "methods": [_method_document(method) for method in results.methods],
        "comparisons": [_comparison_document(found) for found in results.comparisons],
        "similar_tracks": [
            {
                "by": by,
                "tracks": found.lists,
                "hub_share": _round(found.hub_share),
                "stability": _round(found.stability),
                "seed_first": _round(found.seed_first),
            }
            for by, found in lists.items()
        ],
    }


def _trial_document(trial: Trial) -> dict[str, Any]:
    return {
        "random_seed": trial.random_seed,
        "train": trial.train.nnz,
        "test": trial.test.nnz,
        "cold": trial.cold_pairs,
        "neither": 0 if trial.neither is None else trial.neither.nnz,
        "undecided": trial.undecided,
        "at": trial.at,
    }


def _method_document(method: MethodResult) -> dict[str, Any]:
    figures = method.figures
    return {
        "method": method.method,
        "reranking": dataclasses.asdict(method.reranking),
        **{name: _round(figure.value) for name, figure in figures.items()},
        "cpu_seconds": method.cpu_seconds,
        "tracks_left_out": method.tracks_left_out,
        "intervals": {
            name: None if figure.interval is None else list(map(_round, figure.interval))
            for name, figure in figures.items()
        },
        "per_split": {name: list(map(_round, figure.per_trial)) for name, figure in figures.items()},
        "parameters": [dict(parameters) for parameters in method.parameters],
        "tuning": [
            {
                "cpu_seconds": tuned.cpu_seconds,
                "attempts": [
                    {"parameters": dict(given), "validation_ndcg": _round(ndcg)}
                    for given, ndcg in tuned.attempts
                ],
            }
            for tuned in method.tuned
        ],
    }


def _comparison_document(found: Comparison) -> dict[str, Any]:
    return {
        "figure": found.figure,
        "methods": list(found.methods),
        "difference": _round(found.difference),
        "p": _round(found.p),
        "p_holm": _round(found.p_holm),
    }


def _round(value: float) -> float | None:
    """Return what does not depend on the order of sums, and ``None`` for NaN."""
    return None if math.isnan(value) else round(value, DIGITS)
