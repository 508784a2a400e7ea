"""``scrapy evaluate``: the quality of each recommender on held-out likes."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_inclusion_options,
    add_json_option,
    read_choice,
    read_inclusion,
    read_integer,
    read_time,
    refuse_arguments,
)
from sgr_spiders.config.choices import METHODS, SOURCES
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.formatting import describe_left_out, pluralize, table
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.evaluation import Quality, Trial

RECOMMENDERS = ("popularity", "walk", *METHODS)
DEFAULT = "popularity,walk,svd"
SPLITS = ("random", "time")
FIGURES = ("recall", "ndcg", "coverage", "tail_recall", "popularity_lift", "cpu_seconds")


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
            "--dimensions", metavar="N", help="length of a vector (default 256 for svd, else 64)"
        )
        group.add_argument(
            "--sources",
            metavar="LIST",
            default="like",
            help=f"what counts as liking, of {', '.join(SOURCES)} (default like)",
        )
        add_inclusion_options(group)
        group.add_argument(
            "--share", metavar="SHARE", default="0.2", help="share of each library to hold out (default 0.2)"
        )
        group.add_argument(
            "--split",
            metavar="HOW",
            default="random",
            help="random, or time to train on earlier and test on later likes (default random)",
        )
        group.add_argument(
            "--at",
            metavar="TIME",
            help="time of `--split time`, e.g. 2026-01-31 (default by --share)",
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
        refuse_arguments(args)
        names, seed = _read_methods(opts.method), read_integer("random-seed", opts.random_seed, 0, 10**9)
        dimensions = None if opts.dimensions is None else read_integer("dimensions", opts.dimensions, 1, 4096)
        trial = self._trial(opts, seed)
        measured = [trial.measure(name, dimensions, seed) for name in names]
        sys.stdout.write(_render(trial, measured, as_json=opts.json))

    def _trial(self, opts: argparse.Namespace, seed: int) -> Trial:
        from sgr_spiders.embeddings.evaluation import Trial, prepare_time_trial, prepare_trial
        from sgr_spiders.embeddings.pairs_file import read_pairs
        from sgr_spiders.storage.clock import timestamp
        from sgr_spiders.storage.store import Store

        k = read_integer("k", opts.k, 1, 10_000)
        if (opts.train is None) != (opts.test is None):
            raise ArgumentError("options `--train` and `--test`: give both or neither")
        by_time = read_choice("split", opts.split, SPLITS) == "time"
        if opts.at is not None and not by_time:
            raise ArgumentError("option `--at`: needs `--split time`")
        if opts.train is not None:
            train, test = read_pairs(Path(opts.train), Path(opts.test))
            return Trial(train, test, k=k)
        sources = [part.strip() for part in opts.sources.split(",")]
        share = _read_share(opts.share)
        at = None if opts.at is None else timestamp(read_time("at", opts.at))
        include = read_inclusion(opts)
        with Store(self.database_url).read() as connection:
            if by_time:
                return prepare_time_trial(
                    connection, sources=sources, share=share, at=at, k=k, include=include
                )
            return prepare_trial(
                connection, sources=sources, share=share, random_seed=seed, k=k, include=include
            )


def _read_methods(text: str) -> list[str]:
    names = [read_choice("method", part.strip(), RECOMMENDERS) for part in text.split(",")]
    return list(dict.fromkeys(["popularity", *names]))


def _read_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise ArgumentError(f"option `--share`: must be a number between 0 and 1, not {quote_value(text)}")
    return share


def _render(trial: Trial, measured: list[Quality], *, as_json: bool) -> str:
    about: dict[str, object] = {
        "k": trial.k,
        "users": trial.train.shape[0],
        "tracks": trial.train.shape[1],
        "train": trial.train.nnz,
        "test": trial.test.nnz,
        "cold": trial.cold_pairs,
        "left_out": trial.left_out,
    }
    if trial.at is not None:
        about |= {"at": trial.at, "undecided": trial.undecided}
    if as_json:
        methods = [
            {key: _null_if_nan(value) for key, value in dataclasses.asdict(quality).items()}
            for quality in measured
        ]
        return json.dumps(about | {"methods": methods}, indent=2) + "\n"
    others = (name.replace("_", " ") for name in FIGURES[2:])
    head = ["method", f"recall@{trial.k}", f"ndcg@{trial.k}", *others]
    rows = [
        [quality.method, *(_format_figure(name, getattr(quality, name)) for name in FIGURES)]
        for quality in measured
    ]
    users, tracks = trial.train.shape
    trained = (
        f"trained on: {pluralize(trial.train.nnz, 'pair')} of {pluralize(users, 'user')} and "
        f"{pluralize(tracks, 'track')}"
    )
    tested = (
        f"held out: {pluralize(trial.test.nnz, 'pair')} of {pluralize(measured[0].users, 'user')}; "
        f"{trial.cold_pairs:,} with a track that is not in the training data"
    )
    lines = [] if trial.at is None else [_describe_split(trial.at, trial.undecided)]
    if trial.left_out:
        lines.append(describe_left_out(trial.left_out))
    return "\n".join([*lines, trained, tested, *table([head, *rows])]) + "\n"


def _describe_split(at: str, undecided: int) -> str:
    return f"split at {at}; without {pluralize(undecided, 'pair')} that may be from before or after it"


def _format_figure(name: str, value: float) -> str:
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


def _null_if_nan(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
