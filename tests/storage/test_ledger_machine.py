"""After any sequence of events, the tables match the plain Python model."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Entry,
    Page,
    PageSize,
    Playlist,
    PlaylistTrack,
    Reject,
    Selection,
    Track,
    User,
    Walk,
    WalkRequest,
)
from sgr_spiders.storage import records, schema
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import frontier, runs
from sgr_spiders.storage.ledger.ledger import Expansion, Ledger
from sgr_spiders.storage.ledger.spill import Spilled, spill_page
from sgr_spiders.storage.rows import discoveries
from sgr_spiders.storage.store import Store
from tests.storage.ledger_model import NOW, Model, RunState, WalkState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sgr_spiders.model.items import MainRecord, Record


class Books:
    """The storage calls of the machine, each in one transaction."""

    def __init__(self, store: Store, run: runs.Run) -> None:
        self._store = store
        self.run = run

    @staticmethod
    def begin(store: Store, scope: str, fresh_after: str, *, refresh: bool) -> Books:
        with store.write() as connection:
            run = runs.begin_run(
                connection, spider="t", layers=["t"], scope=scope, fresh_after=fresh_after, refresh=refresh
            )
        return Books(store, run)

    @contextlib.contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        with self._store.write() as connection:
            yield Ledger(connection, self.run)

    def end(self, outcome: str) -> None:
        with self._store.write() as connection:
            runs.end_run(connection, self.run, outcome, None, 0, "{}")

    def widen(self, seed: int, layers: dict[str, str]) -> None:
        with self._ledger() as ledger:
            ledger.widen_scope(seed, layers)

    def add_seed(self, given: str, request: WalkRequest, track: int | None) -> int:
        with self._ledger() as ledger:
            return ledger.add_seed(given, request, track)

    def resolve(self, walk: int, track: int) -> None:
        with self._ledger() as ledger:
            ledger.resolve_seed(walk, track)

    def looks_up_seed(self, walk: int) -> bool:
        with self._ledger() as ledger:
            return ledger.looks_up_seed(walk)

    def seed_outcomes(self) -> list[runs.SeedOutcome]:
        with self._store.write() as connection:
            return runs.seed_outcomes(connection, self.run)

    def request(self, seed: int, layer: str, under: str, wanted: Sequence[WalkRequest]) -> None:
        with self._ledger() as ledger:
            ledger.request(seed, layer, under, wanted)

    def lease(self, limit: int) -> list[Walk]:
        with self._ledger() as ledger:
            return ledger.lease(limit)

    def give_back(self, *, of_all: bool) -> int:
        with self._ledger() as ledger:
            return frontier.give_back(ledger.connection, sa.true()) if of_all else ledger.give_back()

    def reopen(self, seed: str | None) -> None:
        with self._ledger() as ledger:
            ledger.reopen(seed)

    def take_back_doubted(self) -> int:
        with self._ledger() as ledger:
            return frontier.take_back_doubted(ledger.connection, sa.true())

    def believe(self, walk: int) -> None:
        with self._ledger() as ledger:
            ledger.believe([walk])

    def count_losses(self) -> tuple[int, int]:
        with self._ledger() as ledger:
            return ledger.count_losses()

    def accept_loss(self, walk: int) -> None:
        with self._ledger() as ledger:
            ledger.accept_loss(walk)

    def take_back_losses(self) -> int:
        with self._ledger() as ledger:
            return ledger.take_back_losses()

    def spill(self, page: Page) -> Spilled | None:
        with self._store.write() as connection:
            return spill_page(connection, page, self.run)

    def expansions(self, walk: int) -> list[Expansion]:
        with self._ledger() as ledger:
            return ledger.expansions(walk)

    def set_expanded(self, expansion: Expansion) -> None:
        with self._ledger() as ledger:
            ledger.set_expanded(expansion)

    def record_ids(self, kind: str, walk: int, start: int, stop: int) -> list[int]:
        with self._ledger() as ledger:
            return ledger.record_ids(kind, walk, start, stop)

    def records_of_walk(self, kind: str, walk: int, cap: int) -> list[MainRecord]:
        with self._ledger() as ledger:
            return list(ledger.records_of_walk(kind, walk, cap))

    def tracks_of_playlist(self, playlist: int) -> list[int]:
        with self._ledger() as ledger:
            return ledger.tracks_of_playlists([playlist]).get(playlist, [])

    def select(self, seed: int, layer: str, chosen: Sequence[Selection]) -> None:
        with self._ledger() as ledger:
            ledger.select(seed, layer, "settings", chosen)

    def has_unfinished(self, seed: int, layer: str) -> bool:
        with self._ledger() as ledger:
            return ledger.has_unfinished(seed, layer)

    def requesters(self, walk: int) -> list[tuple[int, str]]:
        with self._ledger() as ledger:
            return ledger.requesters(walk)

    def requested(self, seed: int, layer: str) -> set[tuple[int, str]]:
        with self._ledger() as ledger:
            return ledger.requested(seed, layer)

    def walks_of_step(self, seed: int, layer: str, step: str) -> list[tuple[int, str, str, int]]:
        with self._ledger() as ledger:
            return ledger.walks_of_step(seed, layer, step)

    def count_by_status(self) -> dict[str, int]:
        with self._ledger() as ledger:
            return ledger.count_by_status()

    def count_planned(self, given: str) -> int:
        with self._ledger() as ledger:
            return ledger.count_planned(given)

    def tables(self) -> dict[str, set[tuple[Any, ...]]]:
        """Return all rows of the tables named in ``COMPARED``."""
        with self._store.write() as connection:
            return {name: set(map(tuple, connection.exec_driver_sql(sql))) for name, sql in COMPARED.items()}


TIMES = ("first_seen_at", "last_seen_at", "removed_at", "removed_reason", "next_position", "requested_at")
"""The columns that test_presence.py is about."""


def _columns(table: sa.Table, but: Collection[str] = ()) -> list[str]:
    return [column.name for column in table.columns if column.name not in {*but, *TIMES}]


def _select(table: sa.Table, names: Sequence[str]) -> str:
    return f"SELECT {', '.join(names)} FROM {table.name}"  # noqa: S608 - names of the schema


RECORDS = {User: schema.users, Track: schema.tracks, Playlist: schema.playlists, Comment: schema.comments}
WALK_COLUMNS = ("walk_id", *(field.name for field in fields(WalkState)))
DISCOVERED = ("kind", "record_id", "seed_id", "layer")
COMPARED = {
    "walks": _select(schema.walks, WALK_COLUMNS),
    "walk_requests": _select(schema.walk_requests, _columns(schema.walk_requests)),
    "walk_records": _select(schema.walk_records, _columns(schema.walk_records)),
    "walk_pages": _select(schema.walk_pages, _columns(schema.walk_pages, ["fetched_at", "boundary_at"])),
    "rejects": _select(schema.rejects, _columns(schema.rejects)),
    "engagements": _select(schema.engagements, _columns(schema.engagements, ["not_before", "not_after"])),
    "playlist_tracks": _select(schema.playlist_tracks, ["playlist_id", "track_id"]),
    "selections": _select(schema.selections, _columns(schema.selections, ["settings"])),
    "discoveries": _select(discoveries, DISCOVERED),
    **{
        table.name: _select(table, _columns(table, ["fetched_at", "counted_at"]))
        for table in RECORDS.values()
    },
}
"""The query for each table. The driver's own rows are fast enough to read after each step."""


# The world: few of everything, so that everything repeats often

SEEDS = {"7": 7, "8": 8, "https://soundcloud.com/a/b": None}
LAYERS = ("far", "near")
STEPS = {"keep": False, "look": True}
"""Steps, and whether their requests are selective."""
ENDPOINTS = {
    "track": ("track", Track),
    "resolve": ("track", Track),
    "track_favoriters": ("user", User),
    "user_likes": ("track", Track),
    "track_comments": ("comment", Comment),
    "playlist_tracks": ("track", Track),
    "search_playlists": ("playlist", Playlist),
}
WALKS = (
    ("track_favoriters", "7"),
    ("user_likes", "1"),
    ("track_comments", "7"),
    ("playlist_tracks", "21"),
    ("search_playlists", "b"),
    ("search_playlists", "a"),
)
CODES = st.integers(0, 9_999)


def digits(code: int, *bases: int) -> list[int]:
    """Split *code* into one digit for each of *bases*."""
    found = []
    for base in bases:
        code, digit = divmod(code, base)
        found.append(digit)
    return found


def user(code: int) -> User:
    number, fullness, name, followers, uploads = digits(code, 6, 3, 3, 4, 3)
    return User(
        1 + number,
        username=[None, "one", "two"][name],
        followers_count=[None, 0, 4, 9][followers],
        track_count=[None, 0, 7][uploads],
        fullness=1 + fullness,
        raw=[None, b"one", b"two"][(name + uploads) % 3],
    )


def track(code: int) -> Track:
    number, artist, title, plays, fullness = digits(code, 7, 5, 3, 3, 3)
    return Track(
        11 + number,
        title=[None, "one", "two"][title],
        artist_id=[None, 1, 2, 3, 4][artist],
        playback_count=[None, 0, 5][plays],
        fullness=1 + fullness,
    )


def entry(endpoint: str, code: int, shift: int) -> Entry:
    """Build an entry of a list; *shift* is added to the positions in playlists."""
    match endpoint:
        case "track_favoriters":
            listener = user(code)
            return Entry(listener, link=Engagement(listener.user_id, 7, "like"))
        case "track_comments":
            number, author, body, rest = digits(code, 7, 4, 3, 40)
            comment = Comment(31 + number, 7, author or None, [None, "a", "b"][body])
            inside: list[Record] = []
            if author and rest % 2:
                inside = [replace(user(rest), user_id=author, fullness=2)]
            return Entry(comment, inside)
        case "search_playlists":
            number, owner, title, count, rest = digits(code, 3, 4, 3, 3, 60)
            playlist = Playlist(
                21 + number, [None, "a", "b"][title], owner or None, track_count=[None, 0, 3][count],
                fullness=3,
            )  # fmt: skip
            held = track(rest)
            held.fullness = 1
            return Entry(playlist, [held, PlaylistTrack(21 + number, held.track_id, held.track_id + shift)])
        case _:
            listed = track(code)
            link = None
            if endpoint == "user_likes":
                link = Engagement(1, listed.track_id, "like")
            elif endpoint == "playlist_tracks":
                # Descending, so that the order of the list is not that of the IDs.
                return Entry(listed, link=PlaylistTrack(21, listed.track_id, 20 - listed.track_id + shift))
            return Entry(listed, link=link)


class LedgerMachine(RuleBasedStateMachine):
    """Two seeds, two layers and any number of runs, of which the last two are active."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.books: list[Books] = []
        self.fetching: list[tuple[Books, Walk]] = []
        self.delivered: list[Page] = []
        self.clock = timestamp()
        with self.store.write() as connection:
            for table in reversed(schema.metadata.sorted_tables):
                connection.execute(sa.delete(table))
            # A crawl requests the tracks of a playlist only once the playlist is stored.
            records.write_records(connection, [Playlist(21)], set(), self.clock)
        self.model.write([Playlist(21)], frozenset())

    def active(self, pick: int) -> Books:
        return self.books[-1 - pick % min(2, len(self.books))]

    # Runs

    @initialize(
        both=st.booleans(),
        cap=st.sampled_from([2, 3, 1000]),
        pages=st.lists(st.lists(CODES, min_size=1, max_size=4), min_size=3, max_size=5),
        following=st.lists(st.sampled_from(["on", "end", "end"]), min_size=5, max_size=5),
    )
    def start(self, *, both: bool, cap: int, pages: list[list[int]], following: list[str]) -> None:
        """Begin with walks that have partly ended and were partly shown to the layers."""
        self.begin("a", "never", refresh=False, other=False)
        for seed in (7, 8) if both else (7,):
            wanted = [
                WalkRequest(*walk, step, cap, None, STEPS[step]) for walk in WALKS[:3] for step in STEPS
            ]
            self.ask(self.books[0], seed, "near", wanted)
            self.ask(self.books[0], seed, "far", wanted[:1])
        self.lease(0, 5)
        for codes, end in zip(pages, following, strict=False):
            if self.fetching:
                self.deliver(0, codes, 0, rejected=1, following=end, known=False)
        for walk in WALKS[:2]:
            self.expand(0, walk, len(pages))

    @rule(
        scope=st.sampled_from("ab"),
        fresh_after=st.sampled_from(["never", "now"]),
        refresh=st.booleans(),
        other=st.booleans(),
        ended=st.sampled_from(["complete", "partial", "interrupted", None]),
        at_once=st.booleans(),
    )
    def begin(
        self,
        scope: str,
        fresh_after: str,
        *,
        refresh: bool,
        other: bool,
        ended: str | None = None,
        at_once: bool = True,
    ) -> None:
        """Begin a run; the previous one has *ended*, or is still active.

        It reopens stale walks *at_once*, as a crawl does, or when they are requested.
        """
        if ended is not None and self.books:
            self.books[-1].end(ended)
            self.model.runs[self.books[-1].run.run_id].outcome = ended
        given = timestamp() if fresh_after == "now" else ""
        expected = self.model.fresh_after(scope, given, refresh=refresh)
        books = Books.begin(self.store, scope, given, refresh=refresh)
        run = books.run
        assert run.fresh_after == (run.started_at if expected is None else expected)
        assert run.started_at >= self.clock
        state = RunState(run.started_at, run.fresh_after, refresh, scope)
        assert run.run_id not in self.model.runs
        self.model.runs[run.run_id] = state
        self.books.append(books)
        under = {"near": "t" if other else "s", "far": "s"}
        for seed in (7, 8):
            books.widen(seed, under)
            books.widen(seed, {"near": "later"})  # the first counts
            state.settings |= {(seed, layer): fingerprint for layer, fingerprint in under.items()}
        if at_once:
            self.reopen(0, None)

    @rule(
        pick=st.integers(0, 1),
        given=st.sampled_from(sorted(SEEDS)),
        resolved=st.sampled_from([None, 7, 8]),
    )
    def add_seed(self, pick: int, given: str, resolved: int | None) -> None:
        books, known = self.active(pick), SEEDS[given]
        request = WalkRequest("resolve", given, "seed", 1)
        if known is not None:
            request = WalkRequest("track", given, "seed", 1, 9)
        walk = books.add_seed(given, request, known)
        assert walk == frontier.walk_id(request.endpoint, request.target)
        self.model.add(walk, request)
        self.model.runs[books.run.run_id].seeds.setdefault(given, (known, walk))
        self.model.reopen(books.run.run_id, [walk])
        self.model.ask_again(books.run.run_id, walk)
        assert books.looks_up_seed(walk)
        if known is None and resolved is not None:
            books.resolve(walk, resolved)
            self.model.runs[books.run.run_id].seeds[given] = (resolved, walk)

    # Requests and leases

    @rule(
        pick=st.integers(0, 1),
        seed=st.sampled_from([7, 7, 8]),
        layer=st.sampled_from(LAYERS),
        wanted=st.lists(
            st.tuples(
                st.sampled_from(WALKS),
                st.sampled_from(sorted(STEPS)),
                st.sampled_from([1, 2, 3, 4, 1000]),
                st.sampled_from([None, 0, 6]),
            ),
            min_size=1,
            max_size=3,
        ),
        other=st.sampled_from([False, False, False, True]),
    )
    def request(
        self,
        pick: int,
        seed: int,
        layer: str,
        wanted: list[tuple[tuple[str, str], str, int, int | None]],
        *,
        other: bool,
    ) -> None:
        requests = [
            WalkRequest(*walk, step, cap, expected, STEPS[step]) for walk, step, cap, expected in wanted
        ]
        self.ask(self.active(pick), seed, layer, requests, under="u" if other else None)

    def ask(
        self, books: Books, seed: int, layer: str, requests: list[WalkRequest], under: str | None = None
    ) -> None:
        under = under or self.model.runs[books.run.run_id].settings[seed, layer]
        books.request(seed, layer, under, requests)
        named = [(frontier.walk_id(request.endpoint, request.target), request) for request in requests]
        self.model.request(books.run.run_id, seed, layer, under, named)

    @rule(pick=st.integers(0, 1), limit=st.sampled_from([1, 2, 5]))
    def lease(self, pick: int, limit: int) -> None:
        books = self.active(pick)
        expected = set()
        for walk in self.model.lease(books.run.run_id, limit):
            state = self.model.walks[walk]
            size = PageSize(state.page_limit, state.without_tracks)
            where = (state.cursor, state.pages, state.received, state.setbacks, size)
            expected.add(Walk(walk, state.endpoint, state.target, *where))
        leased = books.lease(limit)
        assert len(leased) == len(expected)
        assert set(leased) == expected
        self.fetching += [(books, walk) for walk in sorted(leased, key=lambda walk: walk.walk_id)]

    @rule(pick=st.integers(0, 1), of_all=st.booleans())
    def give_back(self, pick: int, *, of_all: bool) -> None:
        books = self.active(pick)
        assert books.give_back(of_all=of_all) == self.model.give_back(None if of_all else books.run.run_id)
        late = [fetch for fetch in self.fetching if of_all or fetch[0] is books]
        self.fetching = [fetch for fetch in self.fetching if fetch not in late]
        self.delivered += [Page(walk, received=1) for _, walk in late]

    @rule(pick=st.integers(0, 1), seed=st.sampled_from([None, None, *sorted(SEEDS)]))
    def reopen(self, pick: int, seed: str | None) -> None:
        books = self.active(pick)
        run = books.run.run_id
        books.reopen(seed)
        self.model.reopen(run, self.model.scope(run) if seed is None else self.model.around(run, seed))

    # Doubts

    @rule(pick=st.integers(0, 1), walk=st.sampled_from(WALKS), what=st.sampled_from(["believe", "take back"]))
    def settle_doubts(self, pick: int, walk: tuple[str, str], what: str) -> None:
        books, number = self.active(pick), frontier.walk_id(*walk)
        if what == "take back":
            assert books.take_back_doubted() == self.model.take_back_doubted()
        elif number in self.model.walks:
            books.believe(number)
            self.model.believe(books.run.run_id, number)

    @rule(pick=st.integers(0, 1), walk=st.sampled_from(WALKS), what=st.sampled_from(["accept", "take back"]))
    def settle_losses(self, pick: int, walk: tuple[str, str], what: str) -> None:
        books, number = self.active(pick), frontier.walk_id(*walk)
        lost, had = self.model.losses(books.run.run_id)
        assert books.count_losses() == (len(lost), len(had))
        if what == "take back":
            assert books.take_back_losses() == self.model.take_back_losses(books.run.run_id)
        elif number in self.model.walks:
            books.accept_loss(number)
            self.model.walks[number].kept_before = None

    # Pages

    @rule(
        pages=st.lists(
            st.tuples(
                st.integers(0, 5),
                st.lists(CODES, max_size=5),
                st.integers(0, 3),
                st.sampled_from([0, 0, 1, 2]),
                st.sampled_from(
                    [
                        *("on", "on", "on", "end", "end", "repeat", "gone", "failed", "planned"),
                        *("refused", "large"),
                    ]
                ),
                st.booleans(),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def deliver_some(self, pages: list[tuple[int, list[int], int, int, str, bool]]) -> None:
        for which, codes, shift, rejected, following, known in pages:
            for pick in (which, which + 1):
                if not self.fetching:
                    self.lease(pick, 5)
            if self.fetching:
                self.deliver(which, codes, shift, rejected=rejected, following=following, known=known)

    def deliver(
        self, which: int, codes: list[int], shift: int, *, rejected: int, following: str, known: bool
    ) -> None:
        books, walk = self.fetching.pop(which % len(self.fetching))
        rejects = [
            Reject("user", codes[0] if codes else None, None, f"bad {n}", None) for n in range(rejected)
        ]
        page = Page(walk, rejects=rejects)
        if walk.endpoint in {"track", "resolve"}:
            page.resolved = ("track", 7 + shift % 2) if codes else None
        else:
            page.entries = [entry(walk.endpoint, code, shift) for code in codes]
        page.received = len(codes) + rejected
        match following:
            case "on":
                page.next_cursor = f"/{walk.pages + 1}"
            case "repeat":
                page.next_cursor = f"/{shift}"
            case "gone" | "failed" | "planned":
                page.status, page.reason = following, f"it is {following}"
                page.missing = following == "gone" and shift > 0
                page.entries, page.rejects, page.received, page.resolved = [], [], 0, None
            case "refused":
                page.status, page.reason, page.is_refusal = "failed", "it is refused", True
            case "large":
                page.size, page.is_too_large = PageSize(1 + shift, without_tracks=shift > 1), True
                page.entries, page.rejects, page.received, page.resolved = [], [], 0, None
        if known and page.entries:
            self.mark_known(page)
        self.spill(books, page)

    def mark_known(self, page: Page) -> None:
        """Mark one record of the page as already stored, so that it is not written again."""
        for record in page.entries[0].records():
            if isinstance(record, User | Track) and record.record_id in self.model.records[type(record)]:
                page.known = {(record.kind, record.record_id, record.fullness)}

    @precondition(lambda self: self.fetching)
    @rule(which=st.integers(0, 5), times=st.sampled_from([1, 9, 10]))
    def deliver_empty_pages(self, which: int, times: int) -> None:
        books, walk = self.fetching.pop(which % len(self.fetching))
        for _ in range(times):
            self.spill(books, Page(walk, next_cursor=f"/{walk.pages + 1}"))
            if not self.fetching or self.fetching[-1][1].walk_id != walk.walk_id:
                return
            books, walk = self.fetching.pop()
        self.fetching.append((books, walk))

    @precondition(lambda self: self.delivered)
    @rule(which=st.integers(0, 9), pick=st.integers(0, 1))
    def deliver_twice(self, which: int, pick: int) -> None:
        self.spill(self.active(pick), self.delivered[which % len(self.delivered)])

    def spill(self, books: Books, page: Page) -> None:
        kept = self.model.spill(books.run.run_id, page)
        spilled = books.spill(page)
        self.delivered = [*self.delivered, page][-6:]
        if kept is None:
            assert spilled is None
            return
        assert spilled is not None
        state = self.model.walks[page.walk.walk_id]
        reason = page.reason if page.status == "planned" else state.reason
        assert (spilled.status, spilled.reason, spilled.entries) == (state.status, reason, kept)
        assert (spilled.doubted, spilled.had_data) == (
            state.doubted,
            (state.kept_before or 0) > 0 and page.status != "planned" and not page.is_too_large,
        )
        if state.status != "running":
            assert spilled.walk is None
            return
        setbacks = page.walk.setbacks if spilled.has_restarted or page.is_too_large else 0
        assert spilled.walk == replace(
            page.walk,
            cursor=state.cursor,
            pages=state.pages,
            received=state.received,
            setbacks=setbacks,
            size=PageSize(state.page_limit, state.without_tracks),
        )
        self.fetching.append((books, spilled.walk))

    # Layers

    @rule(pick=st.integers(0, 1), walk=st.sampled_from(WALKS), which=st.integers(0, 3))
    def expand(self, pick: int, walk: tuple[str, str], which: int) -> None:
        books, number = self.active(pick), frontier.walk_id(*walk)
        if number not in self.model.walks:
            return
        expansions = books.expansions(number)
        assert {(found.walk_id, found.endpoint) for found in expansions} <= {(number, walk[0])}
        shown = [(found.seed_id, found.layer, found.step, found.start, found.stop) for found in expansions]
        assert shown == self.model.expansions(books.run.run_id, number)
        if not expansions:
            return
        chosen = expansions[which % len(expansions)]
        kind, _ = ENDPOINTS[walk[0]]
        listed = self.model.listed(number, kind, chosen.start, chosen.stop)
        ids = books.record_ids(kind, number, chosen.start, chosen.stop)
        assert sorted(ids) == sorted(record for _, record in listed)
        position = {record: place for place, record in listed}
        assert [position[record] for record in ids] == [place for place, _ in listed]
        books.set_expanded(chosen)
        self.model.requests[number, chosen.seed_id, chosen.layer, chosen.step].expanded = chosen.stop

    @rule(
        seed=st.sampled_from([7, 8]),
        layer=st.sampled_from(LAYERS),
        chosen=st.lists(
            st.tuples(
                st.sampled_from([("track", 11), ("track", 12), ("track", 13), ("user", 1), ("playlist", 21)]),
                st.sampled_from([None, 0.25, 1.0]),
            ),
            max_size=3,
        ),
    )
    def select(self, seed: int, layer: str, chosen: list[tuple[tuple[Any, int], float | None]]) -> None:
        selected = [Selection(*record, score) for record, score in chosen]
        self.books[-1].select(seed, layer, selected)
        self.model.select(seed, layer, selected)

    @rule(
        pick=st.integers(0, 1),
        seed=st.sampled_from([7, 8]),
        layer=st.sampled_from(LAYERS),
        walk=st.sampled_from(WALKS),
        cap=st.integers(0, 4),
    )
    def read(self, pick: int, seed: int, layer: str, walk: tuple[str, str], cap: int) -> None:
        self.check_requests(pick, seed, layer)
        self.check_playlist()
        self.check_counts(pick)
        self.check_seed_outcomes(pick)
        self.check_requesters(pick, walk)

    def check_requests(self, pick: int, seed: int, layer: str) -> None:
        books, model = self.active(pick), self.model
        mine = [key for key in model.wants(books.run.run_id) if key[1:3] == (seed, layer)]
        assert books.requested(seed, layer) == {(walk, step) for walk, _, _, step in mine}
        unfinished = any(model.walks[walk].status in {"planned", "running"} for walk, *_ in mine)
        assert books.has_unfinished(seed, layer) is unfinished
        for step in STEPS:
            expected = [
                (walk, model.walks[walk].endpoint, model.walks[walk].target, model.requests[key].cap)
                for key in mine
                for walk in [key[0]]
                if key[3] == step
            ]
            found = books.walks_of_step(seed, layer, step)
            assert sorted(found) == sorted(expected)
            assert [target for _, _, target, _ in found] == sorted(target for _, _, target, _ in expected)
            for walk, endpoint, _, cap in found:
                kind, build = ENDPOINTS[endpoint]
                listed = [asdict(record) for record in books.records_of_walk(kind, walk, cap)]
                wanted = [model.records[build][record] for _, record in model.listed(walk, kind, 0, cap)]
                assert sorted(listed, key=repr) == sorted(wanted, key=repr)

    def check_playlist(self) -> None:
        placed = {track for playlist, track in self.model.positions if playlist == 21}
        assert set(self.books[-1].tracks_of_playlist(21)) <= placed

    # Comparison

    @invariant()
    def the_tables_match_the_model(self) -> None:
        if not self.books:
            return
        model, tables = self.model, self.books[-1].tables()
        self.learn_times(tables["walks"])
        assert tables["walks"] == {(walk, *vars(state).values()) for walk, state in model.walks.items()}
        assert tables["walk_requests"] == {
            (*key, want.cap, want.widest, want.selective, want.expanded, want.settings, None)
            for key, want in model.requests.items()
        }
        assert tables["walk_records"] == {(*key, *where) for key, where in model.places.items()}
        assert tables["walk_pages"] == {
            (*key, frontier.cursor_hash(cursor), received) for key, (cursor, received) in model.pages.items()
        }
        assert tables["rejects"] == {(*key, *values) for key, values in model.rejects.items()}
        assert tables["engagements"] == model.engagements
        assert tables["playlist_tracks"] == model.positions.keys()
        assert tables["selections"] == {(*key, score) for key, score in model.selections.items()}
        assert tables["discoveries"] == model.discoveries()
        for kind, table in RECORDS.items():
            names = _columns(table, ["fetched_at", "counted_at"])
            assert tables[table.name] == {
                tuple(row[name] if name != "is_stub" else row["fullness"] == 0 for name in names)
                for row in model.records[kind].values()
            }

    def learn_times(self, rows: set[tuple[Any, ...]]) -> None:
        """Copy the times that the model does not know yet from the database."""
        for row in rows:
            state = self.model.walks[row[0]]
            for name in ("created_at", "started_at", "finished_at"):
                if getattr(state, name) == NOW:
                    value = row[WALK_COLUMNS.index(name)]
                    assert value is not None
                    assert value >= self.clock
                    setattr(state, name, value)
        self.clock = timestamp()

    def check_counts(self, pick: int) -> None:
        books, walks = self.active(pick), self.model.walks
        run = books.run.run_id
        statuses = [walks[walk].status for walk in self.model.scope(run)]
        assert books.count_by_status() == {status: statuses.count(status) for status in statuses}
        for given, (_, looked_up) in self.model.runs[run].seeds.items():
            around = self.model.around(run, given) | {looked_up}
            assert books.count_planned(given) == sum(walks[walk].status == "planned" for walk in around)

    def check_seed_outcomes(self, pick: int) -> None:
        books, walks = self.active(pick), self.model.walks
        outcomes = []
        for given, (number, looked_up) in sorted(self.model.runs[books.run.run_id].seeds.items()):
            fetched = walks.get(frontier.walk_id("track", str(number)), walks[looked_up])
            if fetched.status == "done" and number is None:
                outcomes.append(runs.SeedOutcome(given, None, "gone", "not a track"))
            else:
                outcomes.append(runs.SeedOutcome(given, number, fetched.status, fetched.reason))
        assert books.seed_outcomes() == outcomes

    def check_requesters(self, pick: int, walk: tuple[str, str]) -> None:
        books, number = self.active(pick), frontier.walk_id(*walk)
        expected = {key[1:3] for key in self.model.wants(books.run.run_id) if key[0] == number}
        assert books.requesters(number) == sorted(expected)
        looked_up = {walk for _, walk in self.model.runs[books.run.run_id].seeds.values()}
        for known in self.model.walks:
            assert books.looks_up_seed(known) is (known in looked_up)


@pytest.mark.sqlite("its database is in memory")
def test_the_ledger_matches_its_model() -> None:
    store = Store.open("sqlite://")
    LedgerMachine.store = store
    try:
        LedgerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=50)
        LedgerMachine.TestCase().runTest()
    finally:
        store.close()
