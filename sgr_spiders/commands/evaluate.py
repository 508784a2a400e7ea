"""``scrapy evaluate``: the quality of each recommender on held-out likes."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_inclusion_options,
    add_json_option,
    add_reranking_options,
    read_choice,
    read_inclusion,
    read_integer,
    read_list,
    read_path,
    read_reranking,
    read_time,
    refuse_arguments,
)
from sgr_spiders.config.choices import METHODS, SOURCES
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sgr_spiders.embeddings.evaluation.results import Results
    from sgr_spiders.embeddings.evaluation.trials import How, Trials
    from sgr_spiders.embeddings.reranking import Reranking

RECOMMENDERS = ("popularity", "walk", "itemknn", "ease", *METHODS)
DEFAULT = "popularity,itemknn,ease,walk,svd,blend"
SPLITS: tuple[How, ...] = ("random", "newest", "cutoff")
OLD_NAMES = {"time": "cutoff"}
SEEDS = 5
"""Random splits, if no other number is given."""
QUIET_SECONDS = 2.0
"""Seconds before the first line of progress, and between two."""


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def short_desc(self) -> str:
        return "Evaluate recommenders on held-out likes"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--method",
            metavar="LIST",
            default=DEFAULT,
            help=f"methods, of {', '.join(RECOMMENDERS)} (default {DEFAULT}); always with popularity",
        )
        group.add_argument("--k", metavar="N", default="20", help="recommendations per user (default 20)")
        group.add_argument(
            "--dimensions",
            metavar="N",
            help="length of a vector (default 512 for blend, 256 for svd and als, else 64)",
        )
        group.add_argument(
            "--tune",
            action="store_true",
            help="choose the parameters of each method on a validation part of the training data",
        )
        group.add_argument(
            "--sources",
            metavar="LIST",
            help=f"what counts as liking, of {', '.join(SOURCES)} (default like)",
        )
        add_inclusion_options(group)
        _add_split_options(group)
        add_reranking_options(group)
        group.add_argument(
            "--train",
            metavar="FILE",
            help="training file of `user item` or `user item item …` lines, instead of the database",
        )
        group.add_argument("--test", metavar="FILE", help="test file, with --train")
        group.add_argument(
            "--output",
            metavar="FILE",
            help="also write the lists and figures of each user, a .parquet or .csv file for LensKit",
        )
        add_json_option(group, "docs/evaluation.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.embeddings.reranking import Reranking

        refuse_arguments(args)
        names, how = _read_methods(opts.method), _read_split(opts)
        dimensions = None if opts.dimensions is None else read_integer("dimensions", opts.dimensions, 1, 4096)
        path, reranking = _read_output(opts.output), Reranking(**read_reranking(opts))
        trials = self._trials(opts, how)
        results = _measure(trials, names, dimensions, path, reranking, tuning=opts.tune)
        sys.stdout.write(_render(trials, results, how if opts.train is None else "given", as_json=opts.json))
        if path is not None:
            _report_files(path)

    def _trials(self, opts: argparse.Namespace, how: How) -> Trials:
        from sgr_spiders.embeddings.evaluation.pairs_file import read_pairs
        from sgr_spiders.embeddings.evaluation.trials import TrialOptions, prepare_trials, trials_of_files
        from sgr_spiders.storage.clock import timestamp
        from sgr_spiders.storage.store import Store

        k, share = read_integer("k", opts.k, 1, 10_000), _read_share(opts)
        if (opts.train is None) != (opts.test is None):
            raise ArgumentError("options `--train` and `--test`: give both or neither")
        train, test = read_path("train", opts.train), read_path("test", opts.test)
        if train is not None and test is not None:
            _refuse_options_of_database(opts, how)
            seeds = _read_seeds(opts, usual=1)
            return trials_of_files(read_pairs(train, test), k, share, seeds)
        options = TrialOptions(
            sources=["like"] if opts.sources is None else read_list("sources", opts.sources, SOURCES),
            how=how,
            share=share,
            at=None if opts.at is None else timestamp(read_time("at", opts.at)),
            k=k,
            random_seeds=_read_seeds(opts, usual=SEEDS if how == "random" else 1),
            include=read_inclusion(opts),
        )
        with Store(self.database_url).read() as connection:
            return prepare_trials(connection, options)


def _add_split_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--split",
        metavar="HOW",
        default="random",
        help="hold out likes at random, the newest of each user (newest), or all since a moment (cutoff) "
        "(default random)",
    )
    group.add_argument("--share", metavar="SHARE", help="share of each library to hold out (default 0.2)")
    group.add_argument(
        "--at",
        metavar="TIME",
        help="moment of `--split cutoff`, e.g. 2026-01-31 (default by --share)",
    )
    group.add_argument(
        "--seeds",
        metavar="N",
        help=f"number of random seeds, each with a split of its own (default {SEEDS}; 1 unless random)",
    )
    group.add_argument(
        "--random-seed",
        metavar="N",
        default="1",
        help="first random seed (default 1)",
    )


def _read_methods(text: str) -> list[str]:
    return list(dict.fromkeys(["popularity", *read_list("method", text, RECOMMENDERS)]))


def _read_split(opts: argparse.Namespace) -> How:
    chosen = OLD_NAMES.get(opts.split) or read_choice("split", opts.split, SPLITS)
    how: How = next(name for name in SPLITS if name == chosen)
    if opts.at is not None and how != "cutoff":
        raise ArgumentError("option `--at`: needs `--split cutoff`")
    return how


def _read_seeds(opts: argparse.Namespace, usual: int) -> range:
    first = read_integer("random-seed", opts.random_seed, 0, 10**9)
    count = usual if opts.seeds is None else read_integer("seeds", opts.seeds, 1, 100)
    return range(first, first + count)


def _refuse_options_of_database(opts: argparse.Namespace, how: How) -> None:
    given = {
        f"--split {how}": how != "random",
        "--sources": opts.sources is not None,
        "--include-unseen": opts.include_unseen,
        "--include-removed": opts.include_removed,
    }
    for option in (option for option, is_given in given.items() if is_given):
        raise ArgumentError(f"option `{option}`: needs the database, not `--train`")


def _read_share(opts: argparse.Namespace) -> float:
    if opts.share is not None and opts.at is not None and not opts.tune:
        raise ArgumentError("option `--share`: not with `--at`, which divides the likes; only to `--tune`")
    text = "0.2" if opts.share is None else opts.share
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise ArgumentError(f"option `--share`: must be a number between 0 and 1, not {quote_value(text)}")
    return share


def _read_output(text: str | None) -> Path | None:
    from sgr_spiders.embeddings.evaluation.lists_file import paths_of

    path = read_path("output", text)
    if path is not None:
        paths_of(path)
    return path


def _measure(
    trials: Trials,
    names: list[str],
    dimensions: int | None,
    path: Path | None,
    reranking: Reranking,
    *,
    tuning: bool,
) -> Results:
    from sgr_spiders.embeddings.evaluation.lists_file import open_files
    from sgr_spiders.embeddings.evaluation.results import Collector, measure_all

    first = trials.trials[0]
    collector = Collector(first.train.shape[0], first.random_seed)
    with contextlib.nullcontext() if path is None else open_files(path) as files:
        for trial, tested, tuned in measure_all(
            trials.trials,
            names,
            dimensions=dimensions,
            tuning=tuning,
            reranking=reranking,
            report=_Progress().report,
        ):
            collector.add(tested, tuned)
            if files is not None:
                files.add(trial, tested)
    return collector.results()


class _Progress:
    """Reports what takes long on standard error."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def report(self, step: str) -> None:
        if time.monotonic() - self._last >= QUIET_SECONDS:
            self._last = time.monotonic()
            sys.stderr.write(f"{step}\n")
            sys.stderr.flush()


def _render(trials: Trials, results: Results, how: str, *, as_json: bool) -> str:
    from sgr_spiders.embeddings.list_quality import SEARCHES, measure_lists
    from sgr_spiders.reports.evaluation import as_document, describe

    first = trials.trials[0]
    lists = {by: measure_lists(first.train, first.seeds, search) for by, search in SEARCHES.items()}
    if as_json:
        return json.dumps(as_document(trials, results, lists, how), indent=2) + "\n"
    return "\n".join(describe(trials, results, lists)) + "\n"


def _report_files(path: Path) -> None:
    from sgr_spiders.embeddings.evaluation.lists_file import paths_of

    for written in paths_of(path).values():
        sys.stderr.write(f"{for_cell(str(written))}\n")
