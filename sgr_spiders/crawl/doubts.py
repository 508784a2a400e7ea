"""Doubts about responses without data: whether records are gone, or the API refuses this client."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import DontCloseSpider, NotConfigured

from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.model.exceptions import BlockedError, StorageError
from sgr_spiders.model.items import Walk
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from sgr_spiders.soundcloud.pages import page_from_answer
from sgr_spiders.storage.ledger import frontier
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.traffic.extension import Extension
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.run_control import Abandoned, RunControl
from sgr_spiders.traffic.scrapy_internals import wake_engine
from sgr_spiders.traffic.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from scrapy.crawler import Crawler

    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.crawl.writer import Writer
    from sgr_spiders.model.items import Page
    from sgr_spiders.storage.ledger.ledger import Ledger
    from sgr_spiders.storage.ledger.spill import Spilled
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.traffic.lanes import Lane
    from sgr_spiders.traffic.witness import Candidate

logger = logging.getLogger(__name__)

MIN_LOST = 5
"""Number of lost walks below which no share of them is suspicious: 1 of 4 is 25%, but means nothing."""


def is_excessive(lost: int, before: int, max_share: float) -> bool:
    """Return whether more than *max_share* of the walks with data *before* are *lost*, and not just a few."""
    return lost >= MIN_LOST and lost > max_share * before


@dataclass(frozen=True, slots=True)
class Doubt:
    """A walk that ended without data, when its response was read, and on which lane."""

    walk_id: int
    answered: float
    is_empty: bool
    lane: str = ""


def split_row(row: Sequence[Doubt], before: float) -> tuple[list[Doubt], list[Doubt]]:
    """Return the doubts that a good answer to a request sent at *before* clears, and those that it does not.

    It was perhaps sent before the API began to refuse, and only answered later.
    """
    return (
        [doubt for doubt in row if doubt.answered < before],
        [doubt for doubt in row if doubt.answered >= before],
    )


class Doubts(Extension):
    """Extension that believes that records are gone only when the API still answers well.

    A walk that ends without data is doubted in the ledger until a later request is answered well. After
    ``MAX_GONE_ROW`` of them in a row, and when nothing else is left to fetch, it asks for a record known to
    be good. If that is not answered either, the run stops, and the doubted walks are pending again. So are
    those of a run that was killed.

    With several lanes, this holds for each of them: what one lane gets says nothing about the key of another.
    A lane that gets no record known to be good is out of use, and its doubted walks are fetched again.

    If more than ``max_gone_share`` of what a refresh has found before is gone, the run stops as well, unless
    the argument ``accept_gone`` is given.
    """

    def __init__(self, crawler: Crawler, spider: HarvestSpider) -> None:
        self._crawler = crawler
        self._spider = spider
        self._row: list[Doubt] = []
        self._unsettled: set[int] = set()
        self._last_good: Walk | None = None
        self._last_good_list: Walk | None = None
        self._good_lanes: set[str] = set()
        self._taken_back = 0
        self._asking: asyncio.Task[None] | None = None
        self._losses: tuple[int, int] | None = None
        self._counted_at = ""
        self._is_excessive = False
        self._max_row = crawler.settings.getint("MAX_GONE_ROW")
        self._max_share = spider.config.deep_harvest.max_gone_share
        self._accepts = spider.arguments.accept_gone
        self._planner: Planner
        self._writer: Writer
        self._note_bug: Callable[[], None]
        crawler.signals.connect(self.spider_idle, signal=signals.spider_idle)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not isinstance(crawler.spider, HarvestSpider):
            raise NotConfigured("only harvests have a ledger")
        return cls(crawler, crawler.spider)

    def begin(self, planner: Planner, writer: Writer, note_bug: Callable[[], None]) -> None:
        """Begin with the run of *planner*, whose transactions *writer* runs; *note_bug* counts a bug."""
        self._planner, self._writer, self._note_bug = planner, writer, note_bug
        Witness.of(self._crawler).find_with(self._known_to_be_good)

    @property
    def walks(self) -> set[int]:
        """The doubted walks."""
        return {doubt.walk_id for doubt in self._row} | self._unsettled

    @property
    def is_open(self) -> bool:
        """True if the run must not end yet, because walks are doubted."""
        return bool(self._row) or self._asking is not None

    @property
    def is_asking(self) -> bool:
        """True while a record known to be good is asked for; no other request is to be sent."""
        return self._asking is not None

    # In the writer's thread

    def take_back(self, connection: Connection) -> None:
        """Return doubted walks, and those that the run lost in excess, to the ledger."""
        self._taken_back += self._planner.ledger(connection).take_back_doubted()
        if self._is_excessive:
            self._taken_back += self._planner.ledger(connection).take_back_losses()
        if self._taken_back:
            walks = pluralize(self._taken_back, "walk")
            logger.info("Not recorded as gone: %s; the next run fetches them last", walks)

    def note(self, ledger: Ledger, page: Page, spilled: Spilled) -> None:
        """Record the result of a page, in the transaction that spills it."""
        if spilled.doubted:
            # Not again if the transaction is run again.
            is_new = all(doubt.walk_id != page.walk.walk_id for doubt in self._row)
            if is_new:
                self._row.append(Doubt(page.walk.walk_id, page.answered, not page.missing, page.lane))
            if spilled.had_data:
                self._note_loss(ledger, page.walk, is_new=is_new)
        elif page.received and page.status != "failed":
            self._note_good(page.walk, page.lane)
            if self._row:
                self._believe(ledger, page.lane, page.sent)

    def _note_good(self, walk: Walk, lane: str) -> None:
        if walk.endpoint in ENDPOINTS:
            self._last_good = walk
            self._good_lanes.add(lane)
            if ENDPOINTS[walk.endpoint].paged:
                self._last_good_list = walk

    def _note_loss(self, ledger: Ledger, walk: Walk, *, is_new: bool) -> None:
        if self._accepts:
            ledger.accept_loss(walk.walk_id)
            return
        if self._losses is None or self._counted_at != ledger.run.fresh_after:
            self._losses, self._counted_at = ledger.count_losses(), ledger.run.fresh_after
        elif is_new:
            self._losses = self._losses[0] + 1, self._losses[1]
        self._is_excessive = self._is_excessive or is_excessive(*self._losses, self._max_share)
        if self._is_excessive:
            # In the same transaction, in case the run is killed before it ends.
            self._taken_back += ledger.take_back_losses()

    def _believe(self, ledger: Ledger, lane: str, before: float) -> None:
        """Believe what *lane* was told before a request that was sent at *before* and answered well."""
        believed, doubted = split_row(self._row_of(lane), before)
        self._row = [*(doubt for doubt in self._row if doubt.lane != lane), *doubted]
        ledger.believe([doubt.walk_id for doubt in believed])

    def _fetch_again(self, connection: Connection, lane: str) -> None:
        """Return to the ledger what was told to *lane*, whose key is refused."""
        frontier.fetch_again(connection, [doubt.walk_id for doubt in self._row_of(lane)])
        self._row = [doubt for doubt in self._row if doubt.lane != lane]

    # In the reactor's thread

    def page_spilled(self) -> None:
        """Ask for a record known to be good after too many losses, or too many responses without data."""
        if self._is_excessive or any(len(self._row_of(lane)) >= self._max_row for lane in self._lanes_of_row):
            self._begin_asking()

    def settle(self) -> None:
        """Ask for a record known to be good if any walk is doubted, because nothing else is left to fetch."""
        if self._row:
            self._begin_asking()

    def spider_idle(self) -> None:
        """Settle the doubts before the run or the turn ends."""
        self.settle()
        if self.is_asking:
            raise DontCloseSpider

    def _begin_asking(self) -> None:
        if self._asking is None and not RunControl.of(self._crawler).closing:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    @property
    def _lanes_of_row(self) -> list[str]:
        """The lanes with doubts, or one to ask if nothing is doubted."""
        return list(dict.fromkeys(doubt.lane for doubt in self._row)) or [""]

    def _row_of(self, lane: str) -> list[Doubt]:
        return [doubt for doubt in self._row if doubt.lane == lane]

    async def _ask(self) -> None:
        try:
            for lane in self._lanes_of_row:
                await self._settle(lane)
        except StorageError as error:
            RunControl.of(self._crawler).stop(error)
        except Abandoned:
            # The run closes; its end takes the doubted walks back.
            pass
        except Exception:
            # Otherwise the idle spider would ask repeatedly. The end of the run takes the walks back.
            logger.exception("Could not settle doubts")
            self._note_bug()
            self._unsettled, self._row = self.walks, []
        finally:
            self._asking = None
            wake_engine(self._crawler)

    async def _settle(self, name: str) -> None:
        """Settle the doubts about what the lane called *name* was told."""
        control, lanes = RunControl.of(self._crawler), Lanes.of(self._crawler)
        control.check()
        row, asked = len(self._row_of(name)), time.monotonic()
        # A rendered page came on no lane.
        lane = lanes.named(name) if name else lanes.usable[0]
        if not lane.is_usable:
            await self._writer.run(lambda connection: self._fetch_again(connection, name))
            return
        vouches = self._is_usual(row, name) or await self._is_known_good_answered(row, lane)
        if vouches and self._is_excessive:
            control.stop(BlockedError(self._describe_losses()))
        elif vouches or (vouches is None and row < self._max_row):
            await self._writer.run(
                lambda connection: self._believe(self._planner.ledger(connection), name, asked)
            )
        else:
            reason = None if vouches is None else Witness.of(self._crawler).last_reason
            lanes.lose(lane, BlockedError(_describe_row(row, reason)), "refused")
            if not control.closing:
                await self._writer.run(lambda connection: self._fetch_again(connection, name))

    def _is_usual(self, row: int, lane: str) -> bool:
        """Return whether the last of the responses may well be without data, if others had some."""
        return row == 1 < self._max_row and lane in self._good_lanes

    async def _is_known_good_answered(self, row: int, lane: Lane) -> bool | None:
        logger.info(
            "%s in a row without data: asking for a record known to be good", pluralize(row, "response")
        )
        return await Witness.of(self._crawler).vouches(lane)

    async def _known_to_be_good(self) -> list[Candidate]:
        """Return records known to be good: the seed if it is stored, and what was answered well last.

        Only a list that had items can show that lists are not empty for this client. The seed does not
        count if it is doubted itself, unless there is no other and more than the seed is doubted.
        """
        if self._last_good_list is not None and any(doubt.is_empty for doubt in self._row):
            return [self._candidate(self._last_good_list)]
        seed, other = await self._writer.read(self._find_known)
        if seed is not None and seed.walk_id in {doubt.walk_id for doubt in self._row}:
            seed = None if other is not None or len(self._row) == 1 else seed
        return [self._candidate(walk) for walk in (seed, other) if walk is not None]

    def _find_known(self, connection: Connection) -> tuple[Walk | None, Walk | None]:
        ledger = self._planner.ledger(connection)
        track = ledger.seed_known_to_be_good()
        seed = None if track is None else Walk(frontier.walk_id("track", str(track)), "track", str(track))
        other = self._last_good or ledger.latest_with_data()
        same = seed is not None and other is not None and seed.walk_id == other.walk_id
        return seed, None if same or (other is not None and other.endpoint not in ENDPOINTS) else other

    def _candidate(self, walk: Walk) -> Candidate:
        first = Walk(walk.walk_id, walk.endpoint, walk.target)
        api_url = self._spider.api_url
        return (
            api_url + first_cursor(walk.endpoint, walk.target),
            lambda answer: page_from_answer(first, answer, api_url).received > 0,
        )

    def _describe_losses(self) -> str:
        lost, before = self._losses or (0, 0)
        return (
            f"{lost:,} of {before:,} walks that had data are gone ({lost / max(before, 1):.0%}; "
            f"max_gone_share is {self._max_share:.0%}): nothing is recorded as gone; "
            "if they really are, add -a accept_gone=1"
        )


def _describe_row(row: int, reason: str | None) -> str:
    answers = f"{pluralize(row, 'response')} in a row without data"
    if reason is None:
        return (
            f"{answers}, and no record is known to be good; check the IDs and addresses, and the app's plan"
        )
    return (
        f"{answers}, and a record known to be good is refused as well ({reason}): "
        "the API refuses this client; nothing is recorded as gone"
    )
