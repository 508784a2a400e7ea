"""Options that several commands have, and checked values of options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.exceptions import ArgumentError
from sgr_spiders.wording import did_you_mean, shown

if TYPE_CHECKING:
    import argparse

MOST = 5_000
WAYS = ("walk", "vectors", "playlists")
METHODS = ("svd", "als", "item2vec", "lightgcn")


def add_way_options(group: argparse._ArgumentGroup) -> None:
    """Add how to look for what is near, and how to show it."""
    group.add_argument(
        "--by",
        metavar="WAY",
        default="walk",
        help="walk (over likes), playlists (a walk over those) or vectors (default: walk)",
    )
    group.add_argument("--method", metavar="NAME", default="svd", help="whose vectors (default: svd)")
    group.add_argument("--limit", metavar="N", default="10", help="how many (default: 10)")
    group.add_argument("--json", action="store_true", help="for programs")


def chosen_way(opts: argparse.Namespace) -> tuple[str, str]:
    """Give what ``--by`` and ``--method`` say."""
    return one_of("by", opts.by, WAYS), one_of("method", opts.method, METHODS)


def one_of(option: str, word: str, known: tuple[str, ...]) -> str:
    """Give *word* if it is a known one; else raise ``ArgumentError``."""
    if word not in known:
        *others, last = known
        raise ArgumentError(
            f"option `--{option}`: must be {', '.join(others)} or {last}, not {shown(word)}"
            f"{did_you_mean(word, known)}"
        )
    return word


def limit_of(opts: argparse.Namespace) -> int:
    return whole("limit", opts.limit, 1, MOST)


def whole(option: str, text: str, least: int, most: int) -> int:
    """Read a whole number within bounds; else raise ``ArgumentError``."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise ArgumentError(
            f"option `--{option}`: must be a whole number from {least} to {most}, not {shown(text)}"
        )
    return int(text)
