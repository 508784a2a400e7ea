"""``scrapy evaluate``: how well each way of recommending foretells what users like."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, no_arguments, one_of, whole
from sgr_spiders.config.choices import METHODS, SOURCES
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.formatting import table
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.evaluation import Quality, Trial

RECOMMENDERS = ("popularity", "walk", *METHODS)
USUAL = "popularity,walk,svd"
FIGURES = ("recall", "ndcg", "coverage", "tail_recall", "popularity_lift", "cpu_seconds")


class Command(DatabaseCommand):
    """Only reads, also while a crawl works on the database."""

    def short_desc(self) -> str:
        return "Evaluate recommenders on held-out likes"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--method",
            metavar="LIST",
            default=USUAL,
            help=f"methods, of {', '.join(RECOMMENDERS)} (default {USUAL}); always with popularity",
        )
        group.add_argument("--k", metavar="N", default="20", help="recommendations per user (default 20)")
        group.add_argument(
            "--dimensions", metavar="N", help="length of a vector (default 256 for svd, else 64)"
        )
        group.add_argument(
            "--sources",
            metavar="LIST",
            default="like",
            help=f"what counts as liking, of {', '.join(SOURCES)} (default like)",
        )
        group.add_argument(
            "--share", metavar="SHARE", default="0.2", help="share of each library to hold out (default 0.2)"
        )
        group.add_argument(
            "--random-seed",
            metavar="N",
            default="1",
            help="random seed (default 1)",
        )
        group.add_argument(
            "--train", metavar="FILE", help="training file of `user item` lines, instead of the database"
        )
        group.add_argument("--test", metavar="FILE", help="test file, with --train")
        add_json_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        names, seed = _methods(opts.method), whole("random-seed", opts.random_seed, 0, 10**9)
        dimensions = None if opts.dimensions is None else whole("dimensions", opts.dimensions, 1, 4096)
        trial = self._trial(opts, seed)
        measured = [trial.measure(name, dimensions, seed) for name in names]
        sys.stdout.write(_said(trial, measured, as_json=opts.json))

    def _trial(self, opts: argparse.Namespace, seed: int) -> Trial:
        from sgr_spiders.embeddings.evaluation import Trial, prepare_trial
        from sgr_spiders.embeddings.pairs_file import read_pairs
        from sgr_spiders.storage.store import Store

        k = whole("k", opts.k, 1, 10_000)
        if (opts.train is None) != (opts.test is None):
            raise ArgumentError("options `--train` and `--test`: give both, or neither")
        if opts.train is not None:
            train, test = read_pairs(Path(opts.train), Path(opts.test))
            return Trial(train, test, k=k)
        sources = [part.strip() for part in opts.sources.split(",")]
        with Store(self.database_url).read() as connection:
            return prepare_trial(connection, sources=sources, share=_share(opts.share), random_seed=seed, k=k)


def _methods(text: str) -> list[str]:
    names = [one_of("method", part.strip(), RECOMMENDERS) for part in text.split(",")]
    return list(dict.fromkeys(["popularity", *names]))


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise ArgumentError(f"option `--share`: must be a number between 0 and 1, not {quote_value(text)}")
    return share


def _said(trial: Trial, measured: list[Quality], *, as_json: bool) -> str:
    about = {
        "k": trial.k,
        "users": trial.train.shape[0],
        "tracks": trial.train.shape[1],
        "train": trial.train.nnz,
        "test": trial.test.nnz,
        "cold": trial.cold_pairs,
    }
    if as_json:
        found = [{key: _number(value) for key, value in dataclasses.asdict(one).items()} for one in measured]
        return json.dumps(about | {"methods": found}, indent=2) + "\n"
    others = (name.replace("_", " ") for name in FIGURES[2:])
    head = ["method", f"recall@{trial.k}", f"ndcg@{trial.k}", *others]
    rows = [[one.method, *(_cell(name, getattr(one, name)) for name in FIGURES)] for one in measured]
    learned = (
        f"learned from: {trial.train.nnz:,} pairs of {trial.train.shape[0]:,} users and "
        f"{trial.train.shape[1]:,} tracks"
    )
    tested = (
        f"held out: {trial.test.nnz:,} pairs of {measured[0].users:,} users; "
        f"{trial.cold_pairs:,} with a track that nothing is learned of"
    )
    return "\n".join([learned, tested, *table([head, *rows])]) + "\n"


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    match name:
        case "cpu_seconds":
            return f"{value:.1f} s"
        case "coverage":
            return f"{value:.1%}"
        case "popularity_lift":
            return f"{value:+.2f}"
        case _:
            return f"{value:.4f}"


def _number(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
