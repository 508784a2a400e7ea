"""The results of several methods in several trials: means, intervals, and which differences are certain."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sgr_spiders.embeddings.evaluation import statistics
from sgr_spiders.embeddings.evaluation.trial import OF_ALL_LISTS, PER_USER
from sgr_spiders.embeddings.evaluation.tuning import Tuned, fixed_parameters, tune
from sgr_spiders.embeddings.reranking import AS_SCORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sgr_spiders.embeddings.evaluation.trial import Tested, Trial
    from sgr_spiders.embeddings.reranking import Reranking

    Floats = NDArray[np.float64]

MEANS = ("recall", "ndcg", "tail_recall", "novelty", "list_similarity", "repeated_artists")
"""The figures that are means over users."""
COMPARED = ("recall", "ndcg")
"""The figures that tests compare."""
LEVEL = 0.05
"""Methods differ if the p-value is at most this."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a method: the mean over all trials, its interval, and the value of each trial.

    *interval* is ``None`` for a figure of all lists together, which is not a mean over users.
    """

    value: float
    interval: tuple[float, float] | None
    per_trial: list[float]


@dataclass(frozen=True, slots=True)
class MethodResult:
    """The results of a method; *tuned* has one element per trial."""

    method: str
    figures: Mapping[str, Figure]
    parameters: list[Mapping[str, Any]]
    chosen: list[Mapping[str, Any]]
    """Those that the method chose itself, if it does."""
    tuned: list[Tuned]
    cpu_seconds: float
    """Mean CPU time of training."""
    tracks_left_out: int
    reranking: Reranking = AS_SCORED


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test of two methods by one figure: the difference of its means, and p before and after Holm."""

    figure: str
    methods: tuple[str, str]
    difference: float
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Results:
    """The results of all methods."""

    methods: list[MethodResult]
    comparisons: list[Comparison]
    users: int
    """The tested users."""

    def best(self, figure: str) -> MethodResult:
        """Return the method with the highest mean of a figure."""
        return max(self.methods, key=lambda method: method.figures[figure].value)

    def equals_of_best(self, figure: str) -> list[Comparison]:
        """Return the comparisons of the best method with those that do not differ from it."""
        best = self.best(figure).method
        return [
            found
            for found in self.comparisons
            if found.figure == figure and best in found.methods and found.p_holm > LEVEL
        ]


@dataclass
class Collector:
    """Collects what each method reached in each trial."""

    rows: int
    random_seed: int
    _tested: dict[str, list[Tested]] = field(default_factory=dict)
    _tuned: dict[str, list[Tuned]] = field(default_factory=dict)

    def add(self, tested: Tested, tuned: Tuned | None) -> None:
        """Add the results of a method in the next trial."""
        self._tested.setdefault(tested.method, []).append(tested)
        if tuned is not None:
            self._tuned.setdefault(tested.method, []).append(tuned)

    def results(self) -> Results:
        """Return the means, intervals and tests."""
        per_user = {name: self._means_per_user(tested) for name, tested in self._tested.items()}
        is_tested = np.any([~np.isnan(figures["recall"]) for figures in per_user.values()], axis=0)
        per_user = {
            name: {figure: values[is_tested] for figure, values in figures.items()}
            for name, figures in per_user.items()
        }
        intervals = self._intervals(per_user)
        methods = [
            self._result_of(name, tested, per_user[name], intervals[name])
            for name, tested in self._tested.items()
        ]
        return Results(methods, self._compare(per_user), int(is_tested.sum()))

    def _means_per_user(self, tested: Sequence[Tested]) -> dict[str, Floats]:
        """Return each user's mean over the trials in which it has the figure, NaN for none."""
        return {name: self._mean_per_user(tested, name) for name in PER_USER}

    def _mean_per_user(self, tested: Sequence[Tested], name: str) -> Floats:
        sums, counts = np.zeros(self.rows), np.zeros(self.rows)
        for one in tested:
            values = one.per_user[name]
            sums[one.rows] += np.nan_to_num(values)
            counts[one.rows] += ~np.isnan(values)
        means: Floats = np.divide(sums, counts, out=np.full(self.rows, np.nan), where=counts > 0)
        return means

    def _intervals(
        self, per_user: Mapping[str, Mapping[str, Floats]]
    ) -> dict[str, dict[str, tuple[float, float] | None]]:
        """Return the intervals of all means and of the popularity lift, from the same resamples."""
        tops: list[Floats] = []
        bottoms: list[Floats] = []
        for figures in per_user.values():
            tops += [np.nan_to_num(figures[name]) for name in (*MEANS, "fans_recommended")]
            bottoms += [(~np.isnan(figures[name])).astype(np.float64) for name in MEANS]
            bottoms.append(np.nan_to_num(figures["fans_liked"]))
        numerators, denominators = np.column_stack(tops), np.column_stack(bottoms)
        samples = statistics.resample_ratios(numerators, denominators, self.random_seed)
        found = iter(samples.T)
        intervals: dict[str, dict[str, tuple[float, float] | None]] = {}
        for name in per_user:
            own = {figure: statistics.percentile_interval(next(found)) for figure in MEANS}
            own["popularity_lift"] = statistics.percentile_interval(next(found) - 1)
            intervals[name] = own
        return intervals

    def _result_of(
        self,
        name: str,
        tested: list[Tested],
        per_user: Mapping[str, Floats],
        intervals: Mapping[str, tuple[float, float] | None],
    ) -> MethodResult:
        values = {figure: _mean(per_user[figure]) for figure in MEANS}
        values["popularity_lift"] = _mean(per_user["fans_recommended"]) / _mean(per_user["fans_liked"]) - 1
        per_trial = {figure: [float(getattr(one, figure)) for one in tested] for figure in values}
        figures = {
            figure: Figure(value, intervals[figure], per_trial[figure]) for figure, value in values.items()
        }
        for figure in OF_ALL_LISTS:
            reached = [float(getattr(one, figure)) for one in tested]
            figures[figure] = Figure(float(np.mean(reached)), None, reached)
        return MethodResult(
            name,
            figures,
            [{**one.parameters, **one.chosen} for one in tested],
            [one.chosen for one in tested if one.chosen],
            self._tuned.get(name, []),
            float(np.mean([one.cpu_seconds for one in tested])),
            max(one.tracks_left_out for one in tested),
            tested[0].reranking,
        )

    def _compare(self, per_user: Mapping[str, Mapping[str, Floats]]) -> list[Comparison]:
        pairs = list(itertools.combinations(per_user, 2))
        comparisons: list[Comparison] = []
        for figure in COMPARED if pairs else ():
            differences = np.column_stack([per_user[a][figure] - per_user[b][figure] for a, b in pairs])
            raw = statistics.paired_p_values(differences, self.random_seed)
            means = differences.mean(axis=0).tolist()
            comparisons += [
                Comparison(figure, pair, mean, p, adjusted)
                for pair, mean, p, adjusted in zip(pairs, means, raw, statistics.holm(raw), strict=True)
            ]
        return comparisons


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def measure_all(
    trials: Sequence[Trial],
    methods: Sequence[str],
    *,
    dimensions: int | None = None,
    tuning: bool = False,
    reranking: Reranking = AS_SCORED,
    report: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[Trial, Tested, Tuned | None]]:
    """Yield the results of each method in each trial.

    Args:
        trials: the trials.
        methods: the names of the methods.
        dimensions: the length of vectors; ``None``: the default of each method.
        reranking: each method but popularity is also tested with it.
        tuning: whether to choose the other parameters on a validation part of each trial.
        report: called with what is done next.
    """
    for number, trial in enumerate(trials, start=1):
        for method in methods:
            report(f"split {number} of {len(trials)}: {method}")
            tuned = tune(method, trial, dimensions) if tuning else None
            parameters = fixed_parameters(method, dimensions) if tuned is None else tuned.parameters
            trained = trial.train_recommender(method, parameters)
            yield trial, trial.test_recommender(method, *trained, parameters), tuned
            if reranking and method != "popularity":
                report(f"split {number} of {len(trials)}: {method}, {reranking}")
                yield trial, trial.test_recommender(method, *trained, parameters, reranking), None
