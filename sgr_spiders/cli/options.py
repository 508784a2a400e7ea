"""Options that several commands have, and checked values of options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.config.choices import METHODS
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

MOST_NEAR = 5_000
"""The most neighbours or recommendations."""
WAYS = ("walk", "vectors", "playlists")


def add_way_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of a search for neighbours."""
    group.add_argument(
        "--by",
        metavar="WAY",
        default="walk",
        help="similarity from walk (over likes), playlists (a walk over them) or vectors (default walk)",
    )
    group.add_argument(
        "--method", metavar="NAME", default="svd", help=f"method of the vectors, {_or(METHODS)} (default svd)"
    )
    add_limit_option(group, 10)
    add_json_option(group)


def add_limit_option(group: argparse._ArgumentGroup, default: int) -> None:
    """Add ``--limit``."""
    group.add_argument(
        "--limit", metavar="N", default=str(default), help=f"number of rows (default {default})"
    )


def add_json_option(group: argparse._ArgumentGroup, document: str | None = None) -> None:
    """Add ``--json``; *document* describes what is printed."""
    described = "" if document is None else f", described in {document}"
    group.add_argument("--json", action="store_true", help=f"print JSON{described}")


def add_database_option(group: argparse._ArgumentGroup) -> None:
    """Add ``--database``."""
    group.add_argument(
        "--database", metavar="URL", help="SQLAlchemy URL (default from the setting HARVEST_DATABASE_URL)"
    )


def _or(words: tuple[str, ...]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"


def chosen_way(opts: argparse.Namespace) -> tuple[str, str]:
    """Give what ``--by`` and ``--method`` say."""
    return one_of("by", opts.by, WAYS), one_of("method", opts.method, METHODS)


def one_of(option: str, word: str, known: tuple[str, ...]) -> str:
    """Give *word* if it is a known one; else raise ``ArgumentError``."""
    if word not in known:
        raise ArgumentError(
            f"option `--{option}`: must be {_or(known)}, not {quote_value(word)}{did_you_mean(word, known)}"
        )
    return word


def limit_of(opts: argparse.Namespace, most: int = 1_000_000) -> int:
    """Give what ``--limit`` says."""
    return whole("limit", opts.limit, 1, most)


def no_arguments(args: list[str]) -> None:
    """Raise ``ArgumentError`` if there are any."""
    if args:
        raise ArgumentError(f"unexpected argument: {quote_value(args[0])}")


def node_of(args: list[str], kinds: Mapping[str, str], command: str) -> tuple[str, int]:
    """Read the kind and the id of what is asked for; *kinds*: what the URN of each kind names."""
    if len(args) != 2 or args[0] not in kinds:
        raise ArgumentError(f"name one of {', '.join(kinds)} and its ID, e.g. `scrapy {command} track 123`")
    return args[0], _id_of(args[1], kinds[args[0]])


def user_of(args: list[str], command: str) -> int:
    """Read the id of a user."""
    if len(args) != 2 or args[0] != "user":
        raise ArgumentError(f"name a user by ID: `scrapy {command} user 123`")
    return _id_of(args[1], "user")


def _id_of(text: str, kind: str) -> int:
    node = parse_key(text, kind)
    if node is None:
        raise ArgumentError(f"not the ID or URN of a {kind}: {quote_value(text)}")
    return node


def seeds_of(text: str | None) -> tuple[int, ...] | None:
    """Give the tracks that ``--seed`` names, by number or URN and separated by commas."""
    if text is None:
        return None
    seeds = [parse_key(part.strip(), "track") for part in text.split(",")]
    if None in seeds:
        raise ArgumentError(f"option `--seed`: not a track ID or URN: {quote_value(text)}")
    return tuple(seed for seed in seeds if seed is not None)


def whole(option: str, text: str, least: int, most: int) -> int:
    """Read a whole number within bounds; else raise ``ArgumentError``."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise ArgumentError(
            f"option `--{option}`: must be an integer from {least} to {most}, not {quote_value(text)}"
        )
    return int(text)
