"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.program import find_program
from sgr_spiders.config.choices import METHODS
from sgr_spiders.config.databases import url_of
from sgr_spiders.config.settings import DATABASE, find_problem
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.text.invocation import plain_command, program_name
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Container, Sequence

    from scrapy.commands import ScrapyCommand

    from sgr_spiders.storage.libraries import Inclusion

MAX_NEIGHBOURS = 5_000
"""The maximum number of neighbours or recommendations."""
NEIGHBOUR_SOURCES = ("npmi", "blend", "walk", "vectors", "playlists")
RECOMMENDATION_SOURCES = {
    "user": ("blend", "walk", "vectors", "playlists"),
    "playlist": ("sequence", "blend", "walk", "vectors", "playlists"),
}
"""The sources of recommendations for each kind, the default first."""


def add_neighbour_options(group: argparse._ArgumentGroup, by: str) -> None:
    """Add the options of a search for neighbours; *by* describes ``--by``."""
    group.add_argument("--by", metavar="SOURCE", help=by)
    group.add_argument(
        "--method",
        metavar="NAME",
        help=f"method of the vectors of `--by vectors`, {_list_choices(METHODS)} (default svd)",
    )
    add_inclusion_options(group)
    add_limit_option(group, 10)
    add_json_option(group)


def add_reranking_options(group: argparse._ArgumentGroup) -> None:
    """Add ``--diversity`` and ``--novelty``."""
    group.add_argument(
        "--diversity",
        metavar="SHARE",
        default="0",
        help="preference for tracks unlike those above, 0 to 1 (default 0)",
    )
    group.add_argument(
        "--novelty",
        metavar="SHARE",
        default="0",
        help="preference for tracks with few fans, 0 to 1 (default 0)",
    )


def read_reranking(opts: argparse.Namespace) -> dict[str, float]:
    """Return the values of ``--diversity`` and ``--novelty``."""
    return {name: read_share(name, getattr(opts, name)) for name in ("diversity", "novelty")}


def add_inclusion_options(group: argparse._ArgumentGroup) -> None:
    """Add ``--include-unseen`` and ``--include-removed``."""
    group.add_argument(
        "--include-unseen",
        action="store_true",
        help="include users and playlists whose library was not looked at",
    )
    group.add_argument(
        "--include-removed", action="store_true", help="include what has been removed from its list"
    )


def read_inclusion(opts: argparse.Namespace) -> Inclusion:
    """Return the rows that ``--include-unseen`` and ``--include-removed`` include."""
    from sgr_spiders.storage.libraries import Inclusion  # noqa: PLC0415 - Scrapy imports all commands

    return Inclusion(unseen=opts.include_unseen, removed=opts.include_removed)


def read_inclusion_changes(opts: argparse.Namespace) -> dict[str, bool]:
    """Return the changes of ``--include-unseen`` and ``--include-removed`` to a configuration."""
    names = ("include_unseen", "include_removed")
    return {name: True for name in names if getattr(opts, name)}


def add_limit_option(group: argparse._ArgumentGroup, default: int, rows: str = "rows") -> None:
    """Add ``--limit``, the number of *rows*."""
    group.add_argument(
        "--limit", metavar="N", default=str(default), help=f"number of {rows} (default {default})"
    )


def add_json_option(group: argparse._ArgumentGroup, document: str | None = None) -> None:
    """Add ``--json``; *document* describes the output."""
    described = "" if document is None else f", described in {document}"
    group.add_argument("--json", action="store_true", help=f"print JSON{described}")


def add_shared_options(group: argparse._ArgumentGroup) -> None:
    """Add ``--database`` and ``--config``, which every command has."""
    group.add_argument(
        "--database",
        metavar="PATH|URL",
        help="SQLite file, or SQLAlchemy URL (default from the setting HARVEST_DATABASE_URL)",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        help="configuration, a YAML file or a name in configs/ (default from the setting HARVEST_CONFIG)",
    )


def read_shared_options(opts: argparse.Namespace) -> None:
    """Put the settings that ``--database`` and ``--config`` name in the place of those of ``-s``."""
    named: dict[str, str] = {}
    if opts.database is not None:
        named["HARVEST_DATABASE_URL"] = url_of(opts.database)
        if (problem := find_problem(DATABASE, named["HARVEST_DATABASE_URL"])) is not None:
            raise ArgumentError(f"option `--database`: {problem}")
    if opts.config is not None:
        named["HARVEST_CONFIG"] = opts.config
        if not opts.config:
            raise ArgumentError("option `--config`: is empty")
    others = [setting for setting in opts.set if setting.partition("=")[0] not in named]
    opts.set = [*(f"{name}={value}" for name, value in named.items()), *others]


def name_program(parser: argparse.ArgumentParser, command: ScrapyCommand) -> None:
    """Let the usage and errors of *parser* name the program that was called; Scrapy writes ``scrapy``."""
    name = type(command).__module__.rpartition(".")[2]
    parser.prog = program_name()
    parser.usage = f"{program_name()} {name} {command.syntax()}"


def refuse_unknown_options(args: list[str], parser: argparse.ArgumentParser, command: str) -> None:
    """Raise ``ArgumentError`` for an unknown option, which Scrapy takes for an argument.

    What follows ``--`` is an argument; the ``--`` itself is removed.
    """
    end = args.index("--") if "--" in args else len(args)
    for argument in args[:end]:
        # As argparse: a negative number is an argument, and so is a dash.
        if argument.startswith("-") and not re.fullmatch(r"-|-\d+|-\d*\.\d+", argument):
            option = argument.partition("=")[0]
            known = parser._option_string_actions  # noqa: SLF001 - argparse has no public list of its options
            hint = did_you_mean(option, known) or f"; `{find_program()} {command} --help` lists the options"
            raise ArgumentError(f"unknown option {quote_value(option)}{hint}")
    del args[end : end + 1]


def take_any_path(parser: argparse.ArgumentParser, *names: str) -> None:
    """Let the options *names* take a path that begins with a dash, unless it is an option itself."""
    parse = parser.parse_known_args

    def parse_joined(args: Sequence[str], *rest: Any) -> Any:  # noqa: ANN401 - as argparse
        return parse(_join_values(args, names, parser), *rest)

    parser.parse_known_args = parse_joined  # type: ignore[assignment, method-assign]


def _join_values(args: Sequence[str], names: Container[str], parser: argparse.ArgumentParser) -> list[str]:
    """Return the arguments, with each value of an option in *names* in the form ``--name=value``."""
    joined: list[str] = []
    known = parser._option_string_actions  # noqa: SLF001 - argparse has no public list of its options
    for argument in args:
        if joined and joined[-1] in names and argument not in known:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def read_path(option: str, text: str | None) -> Path | None:
    """Return the path in *text*, whatever it is called; ``None`` if the option is not given."""
    if text == "":
        raise ArgumentError(f"option `--{option}`: is empty")
    if text is not None and "\0" in text:
        raise ArgumentError(f"option `--{option}`: must be a path, not {quote_value(text)}")
    return None if text is None else Path(text)


def _list_choices(words: tuple[str, ...]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}"


def read_neighbour_source(opts: argparse.Namespace, sources: tuple[str, ...]) -> tuple[str | None, str]:
    """Return the values of ``--by``, one of *sources* or ``None`` for the default, and ``--method``."""
    by = None if opts.by is None else read_choice("by", opts.by, sources)
    if opts.method is None:
        return by, "svd"
    method = read_choice("method", opts.method, METHODS)
    if by != "vectors":
        raise ArgumentError("option `--method`: needs `--by vectors`")
    return by, method


def read_choice(option: str, word: str, known: tuple[str, ...]) -> str:
    """Return *word* if it is known; otherwise raise ``ArgumentError``."""
    if word not in known:
        hint = did_you_mean(word, known)
        raise ArgumentError(
            f"option `--{option}`: must be {_list_choices(known)}, not {quote_value(word)}{hint}"
        )
    return word


def read_list(option: str, text: str, known: tuple[str, ...]) -> list[str]:
    """Return the words in *text*, separated by commas, if all are known."""
    return [read_choice(option, word.strip(), known) for word in text.split(",")]


def read_limit(opts: argparse.Namespace, most: int = 1_000_000) -> int:
    """Return the value of ``--limit``."""
    return read_integer("limit", opts.limit, 1, most)


def refuse_arguments(args: list[str]) -> None:
    """Raise ``ArgumentError`` if there are any arguments."""
    if args:
        raise ArgumentError(f"unexpected argument: {quote_value(args[0])}")


def read_node(args: list[str], kinds: Collection[str], command: str) -> tuple[str, str]:
    """Return the kind and the name in *args*; ``names.resolve`` looks up the name."""
    if len(args) != 2 or args[0] not in kinds:
        example = plain_command(command, "track", "123")
        raise ArgumentError(f"name one of {', '.join(kinds)} and its ID, URL or name, e.g. `{example}`")
    return args[0], args[1]


def read_library_owner(args: list[str], command: str) -> tuple[str, str]:
    """Return the kind, user or playlist, and the name in *args*; ``names.resolve`` looks up the name."""
    if len(args) != 2 or args[0] not in RECOMMENDATION_SOURCES:
        examples = " or ".join(f"`{plain_command(command, kind, '123')}`" for kind in RECOMMENDATION_SOURCES)
        raise ArgumentError(f"name a user or playlist by ID, URL or name: {examples}")
    return args[0], args[1]


def read_seeds(text: str | None, database_url: str) -> tuple[int, ...] | None:
    """Return the track IDs in ``--seed``, which takes tracks separated by commas.

    The database is opened only if one is not named by its ID.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    seeds = [parse_key(part, "track") for part in parts]
    try:
        if None in seeds:
            return _find_seeds(parts, database_url)
        return tuple(seed for seed in seeds if seed is not None)
    except ArgumentError as error:
        raise ArgumentError(f"option `--seed`: {error}") from None


def _find_seeds(parts: Sequence[str], database_url: str) -> tuple[int, ...]:
    from sgr_spiders.storage.names import resolve  # noqa: PLC0415 - Scrapy imports all commands
    from sgr_spiders.storage.store import Store  # noqa: PLC0415 - the same

    with Store(database_url).read() as connection:
        return tuple(resolve(connection, "track", part) for part in parts)


def read_integer(option: str, text: str, least: int, most: int) -> int:
    """Return the integer in *text*; raise ``ArgumentError`` if it is not between *least* and *most*."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise ArgumentError(
            f"option `--{option}`: must be an integer from {least} to {most}, not {quote_value(text)}"
        )
    return int(text)


def read_share(option: str, text: str) -> float:
    """Return the number in *text*; raise ``ArgumentError`` if it is not from 0 to 1."""
    is_number = re.fullmatch(r"[01]|[01]?\.[0-9]{1,9}", text) is not None
    if not (is_number and float(text) <= 1):
        raise ArgumentError(f"option `--{option}`: must be a number from 0 to 1, not {quote_value(text)}")
    return float(text)


def read_time(option: str, text: str) -> datetime:
    """Return the time in *text* in UTC, a date or time in ISO 8601; without an offset it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # the second in the years 1 and 9999
        raise ArgumentError(
            f"option `--{option}`: must be a date or time such as 2026-03-01 or 2026-03-01T12:00, "
            f"not {quote_value(text)}"
        ) from None


def read_seconds(option: str, text: str) -> float:
    """Return the seconds in *text*; raise ``ArgumentError`` if it is not a number from 0.1 to 86400."""
    is_number = re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) is not None
    if not (is_number and 0.1 <= float(text) <= 86_400):
        raise ArgumentError(
            f"option `--{option}`: must be a number of seconds from 0.1 to 86400, not {quote_value(text)}"
        )
    return float(text)
