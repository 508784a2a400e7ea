"""``scrapy relate``: build the relationship tables from the harvest, without requests."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_inclusion_options,
    read_inclusion_changes,
    read_integer,
    read_path,
    read_seeds,
    refuse_arguments,
)
from sgr_spiders.commands.crawl import configure_log
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.model.outcome import INTERRUPTED
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.relationships.build import Environment
    from sgr_spiders.relationships.engine import Engine
    from sgr_spiders.relationships.inputs import Source

ENGINES = ("local", "dask")
ADDRESS = re.compile(r"(tcp|tls)://([^\s/:@\[\]]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
"""The address of a scheduler."""
GROUPS = {"users": "user_id", "tracks": "track_id", "artists": "artist_id"}
"""The values of ``--only``, and the column of each kind of node."""
MOST_REWIRINGS = 1_000


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: the relationships are unchanged"

    def short_desc(self) -> str:
        return "Build relationships of users, tracks and artists"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument("--seed", metavar="TRACK[,TRACK]", help="seeds whose surroundings to relate")
        group.add_argument("--only", metavar="WHAT", help="one type, users, tracks or artists")
        add_inclusion_options(group)
        group.add_argument(
            "--engine",
            metavar="NAME",
            default="local",
            help="what finds the pairs, local (this process) or dask (a cluster) (default local)",
        )
        group.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="address of a Dask scheduler (default a cluster on this machine)",
        )
        group.add_argument(
            "--input",
            metavar="DIRECTORY",
            help="tables exported as Parquet, instead of the database (with --output)",
        )
        group.add_argument(
            "--output",
            metavar="DIRECTORY",
            help="directory for Parquet files; the database is not changed",
        )
        group.add_argument(
            "--null",
            metavar="N",
            help="number of random rewirings (1 to 1000) in which to count the pairs that chance would keep",
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.config import harvest
        from sgr_spiders.relationships.engine import CancelledError

        assert self.settings is not None
        configure_log(self.settings)
        refuse_arguments(args)
        settings = harvest.load(self.settings["HARVEST_CONFIG"])
        section = harvest.override(settings.relationships, read_inclusion_changes(opts))
        settings = settings.model_copy(update={"relationships": section})
        seeds, only = read_seeds(opts.seed, self.database_url), _read_types(opts.only, settings)
        exported, output = read_path("input", opts.input), read_path("output", opts.output)
        if exported is not None and output is None:
            raise ArgumentError("option `--input`: only with `--output`")
        rewirings = 0 if opts.null is None else read_integer("null", opts.null, 1, MOST_REWIRINGS)
        with _open_engine(opts, section.threads) as engine:
            order = Order(settings, seeds, only, engine, stop_on_signals(), rewirings)
            try:
                if output is None:
                    self._relate(order)
                else:
                    self._write_files(order, exported, output)
            except CancelledError:
                raise KeyboardInterrupt from None

    def _relate(self, order: Order) -> None:
        from sgr_spiders.relationships.inputs import DatabaseSource
        from sgr_spiders.relationships.processor import relate
        from sgr_spiders.storage.store import Store

        with self.writing("nothing was built", alone=False) as store:
            built = relate(
                store,
                order.config,
                only=order.only,
                seeds=order.seeds,
                is_cancelled=order.is_cancelled,
                engine=order.engine,
            )
        counts = {related.table: related.rows for related in built}
        _print_counts(counts)
        # A cluster that is lost fails all tables alike.
        errors = {str(one.error): one.error.exit_code for one in built if one.error}
        for message, code in errors.items():
            self.fail(message, code)
        if errors and order.rewirings:
            sys.stderr.write("`--null` is left out, because not all tables are built\n")
        elif order.rewirings:
            # Without the lock, because it only reads and may take long.
            with contextlib.closing(Store(self.database_url)) as store:
                limited = {related.table for related in built if related.limited is not None}
                self._print_chance(order, _make_environment(order, DatabaseSource(store)), limited)

    def _write_files(self, order: Order, exported: Path | None, output: Path) -> None:
        from sgr_spiders.exports import manifest, pair_files
        from sgr_spiders.relationships.export_source import ExportSource
        from sgr_spiders.relationships.inputs import DatabaseSource
        from sgr_spiders.storage import export_log

        if exported is not None:
            removed = order.config.relationships.include_removed
            source = ExportSource(exported, include_removed=removed)
            environment = _make_environment(order, source)
            limited = self._write_pairs(order, environment, output, source.manifest)
        else:
            with self.writing("nothing was built", alone=False) as store:
                with store.read() as connection:
                    origin = manifest.origin(connection, store.describe())
                environment = _make_environment(order, DatabaseSource(store))
                limited = self._write_pairs(order, environment, output, origin)
                export_log.note(store, output, pair_files.PURPOSE)
        # Without the lock; the input has been read.
        self._print_chance(order, environment, limited)

    def _write_pairs(
        self, order: Order, environment: Environment, output: Path, origin: Mapping[str, Any]
    ) -> set[str]:
        """Write and count the pairs of each type; return the tables that the limit cut."""
        from sgr_spiders.exports.pair_files import write_pairs
        from sgr_spiders.relationships.processor import choose_types

        counts, limited = write_pairs(output, choose_types(order.config, order.only), environment, origin)
        _print_counts(counts)
        return limited

    def _print_chance(self, order: Order, environment: Environment, limited: set[str]) -> None:
        """Print how many pairs chance would keep, if that is asked for; *limited* tables were cut."""
        if not order.rewirings:
            return
        from sgr_spiders.relationships.chance import count_by_chance
        from sgr_spiders.relationships.engine import CancelledError
        from sgr_spiders.relationships.processor import choose_types

        try:
            for relationship in choose_types(order.config, order.only):
                chance = count_by_chance(relationship, environment, order.rewirings)
                is_limited = relationship.top_k is not None or chance.table in limited
                sys.stdout.write(f"{chance.describe(is_limited=is_limited)}\n")
                sys.stdout.flush()
        except CancelledError:
            self.fail(
                "Interrupted: the relationships are built, the rest of `--null` is missing", INTERRUPTED
            )


@dataclass(frozen=True, slots=True)
class Order:
    """The input and the engine of one call of the command."""

    config: HarvestConfig
    seeds: Sequence[int] | None
    only: list[str]
    engine: Engine
    is_cancelled: Callable[[], bool]
    rewirings: int = 0
    """The random rewirings in which to count pairs; 0: none."""


def _make_environment(order: Order, source: Source) -> Environment:
    from sgr_spiders.relationships.build import Environment
    from sgr_spiders.relationships.processor import make_input

    section = order.config.relationships
    inputs = make_input(source, section, order.seeds)
    return Environment(section, inputs, order.is_cancelled, order.engine)


def _print_counts(counts: Mapping[str, int]) -> None:
    for table, rows in counts.items():
        sys.stdout.write(f"{table:22} {rows:>14,}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _open_engine(opts: argparse.Namespace, threads: int) -> Iterator[Engine]:
    """Yield the engine that the options name."""
    from sgr_spiders.relationships.engine import LocalEngine

    if opts.engine not in ENGINES:
        hint = did_you_mean(opts.engine, ENGINES)
        raise ArgumentError(f"option `--engine`: must be local or dask, not {quote_value(opts.engine)}{hint}")
    if opts.engine == "local":
        if opts.scheduler is not None:
            raise ArgumentError("option `--scheduler`: only with `--engine dask`")
        yield LocalEngine(threads)
        return
    address = _read_address(opts.scheduler)
    if importlib.util.find_spec("distributed") is None:
        raise ArgumentError(
            "option `--engine`: dask needs the package distributed, which is not installed; install it with "
            "`pip install 'soundgraph-deep-harvest[dask]'`"
        )
    from sgr_spiders.relationships.dask_engine import open_engine

    with open_engine(address, threads) as engine:
        yield engine


def _read_address(text: str | None) -> str | None:
    if text is not None and ADDRESS.fullmatch(text) is None:
        raise ArgumentError(
            f"option `--scheduler`: must be an address such as tcp://10.0.0.1:8786, not {quote_value(text)}"
        )
    return text


def stop_on_signals() -> Callable[[], bool]:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped.is_set


def _read_types(text: str | None, settings: HarvestConfig) -> list[str]:
    from sgr_spiders.relationships import TYPES

    if text is not None and text not in GROUPS:
        hint = did_you_mean(text, GROUPS)
        raise ArgumentError(
            f"option `--only`: must be users, tracks or artists, not {quote_value(text)}{hint}"
        )
    enabled = [
        name
        for name, relationship in TYPES.items()
        if settings.relationships.section(name).enabled
        and (text is None or relationship.table.node == GROUPS[text])
    ]
    if not enabled:
        raise ArgumentError("no relationship type is enabled; enable one in the configuration")
    return enabled
