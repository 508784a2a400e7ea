"""``scrapy seeds``: the seeds that ``scrapy crawl deep_harvest -a due=1`` harvests at intervals."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sgr_spiders.cli.database_command import DatabaseCommand, refuse_missing
from sgr_spiders.config.schedule import (
    SeedLine,
    parse_interval,
    parse_priority,
    read_scheduled_seed,
    read_seed_lines,
)
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.invocation import command, plain_command
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.storage.store import Connection

Read = TypeVar("Read")

ACTIONS = ("add", "list", "due", "remove", "import")


class Command(DatabaseCommand):
    """Needs no writer lock; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] add SEED… | list | due | remove SEED… | import FILE"

    def short_desc(self) -> str:
        return "Manage scheduled seeds"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--every",
            metavar="INTERVAL",
            help="interval for add and import, e.g. 30m, 12h, 7d or 2w (default 7d)",
        )
        group.add_argument(
            "--priority",
            metavar="N",
            help="priority for add and import; the largest goes first among seeds due together (default 0)",
        )
        group.add_argument("--json", action="store_true", help="print JSON, for list and due")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        for line in self._act(args, opts):
            sys.stdout.write(f"{line}\n")

    def _act(self, args: list[str], opts: argparse.Namespace) -> list[str]:
        action, *given = args or [""]
        if action not in ACTIONS:
            hint = did_you_mean(action, ACTIONS)
            raise ArgumentError(
                f"{plain_command('seeds')}: name one of {', '.join(ACTIONS)}, not {quote_value(action)}{hint}"
            )
        url = self.database_url
        match action:
            case "add":
                return _add(url, [SeedLine(seed, *_read_options(opts)) for seed in _read_seeds(given)])
            case "import":
                return _import(url, _read_path(given), opts)
            case "remove":
                return _remove(url, _read_seeds(given))
        if given:
            raise ArgumentError(
                f"{plain_command('seeds', action)}: unexpected argument: {quote_value(given[0])}"
            )
        return _list(url, only_due=action == "due", as_json=opts.json)


def _read_seeds(given: list[str]) -> list[GivenSeed]:
    if not given:
        raise ArgumentError("name at least one seed: a track ID, a URN, a URL or a permalink")
    return [_check(read_scheduled_seed, text, "seed") for text in given]


def _read_path(given: list[str]) -> str:
    if len(given) != 1:
        raise ArgumentError("name one file, with SEED [INTERVAL [PRIORITY]] on each line")
    return given[0]


def _read_options(opts: argparse.Namespace) -> tuple[int | None, int | None]:
    interval = None if opts.every is None else _check(parse_interval, opts.every, "option `--every`")
    priority = None if opts.priority is None else _check(parse_priority, opts.priority, "option `--priority`")
    return interval, priority


def _check(parse: Callable[[str], Read], text: str, where: str) -> Read:
    try:
        return parse(text)
    except ValueError as error:
        raise ArgumentError(f"{where}: {error}") from error


def _add(url: str, lines: list[SeedLine]) -> list[str]:
    from sgr_spiders.reports import seed_list
    from sgr_spiders.storage.clock import timestamp
    from sgr_spiders.storage.ledger import seeds
    from sgr_spiders.storage.store import Store

    now = timestamp()
    with closing(Store.open_unlocked(url)) as store, store.write() as connection:
        _refuse_forgotten(connection, lines)
        seeds.resolve_known(connection)
        return [
            seed_list.describe_change(seeds.add(connection, line, now), seeds.find(connection, line.seed))
            for line in lines
        ]


def _import(url: str, path: str, opts: argparse.Namespace) -> list[str]:
    from sgr_spiders.reports import seed_list
    from sgr_spiders.storage.clock import timestamp
    from sgr_spiders.storage.ledger import seeds
    from sgr_spiders.storage.store import Store

    interval, priority = _read_options(opts)
    lines = [
        SeedLine(
            line.seed,
            interval if line.interval is None else line.interval,
            priority if line.priority is None else line.priority,
        )
        for line in _check(read_seed_lines, path, "file of seeds")
    ]
    # The same time for all, so that their priorities decide the order.
    now = timestamp()
    with closing(Store.open_unlocked(url)) as store, store.write() as connection:
        _refuse_forgotten(connection, lines)
        seeds.resolve_known(connection)
        return [seed_list.describe_import([seeds.add(connection, line, now) for line in lines])]


def _refuse_forgotten(connection: Connection, lines: list[SeedLine]) -> None:
    from sgr_spiders.storage.ledger.forgotten import find_forgotten_seeds

    for seed in find_forgotten_seeds(connection, [line.seed for line in lines]):
        lift = command("forget", "--lift", seed.text)
        raise ArgumentError(
            f"seed {quote_value(seed.text)}: was forgotten; `{lift}` lifts that; nothing was added"
        )


def _remove(url: str, given: list[GivenSeed]) -> list[str]:
    from sgr_spiders.storage.ledger import seeds
    from sgr_spiders.storage.store import Store

    refuse_missing(url)
    with closing(Store.open_unlocked(url)) as store, store.write() as connection:
        seeds.resolve_known(connection)
        for seed in given:
            if not seeds.remove(connection, seed):
                raise ArgumentError(f"seed {quote_value(seed.text)}: not in the list; nothing was removed")
    return [f"removed: {seeds.key_of(seed)}; its harvest stays in the database" for seed in given]


def _list(url: str, *, only_due: bool, as_json: bool) -> list[str]:
    from sgr_spiders.reports import seed_list
    from sgr_spiders.storage.clock import timestamp
    from sgr_spiders.storage.ledger import seeds
    from sgr_spiders.storage.store import Store

    with Store(url).read() as connection:
        found = seeds.all_seeds(connection)
    now = datetime.now(UTC)
    due = seeds.due_now(found, timestamp(now))
    if as_json:
        listed = due if only_due else found
        return [dump_json(seed_list.as_json(listed))]
    return seed_list.due_as_text(due, found, now) if only_due else seed_list.as_text(found, now)
