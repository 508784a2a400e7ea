"""A plain Python model of the ledger, the spill and the records: the expected contents of the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sgr_spiders.model.items import REFUSED, Comment, Engagement, Playlist, PlaylistTrack, Track, User

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from sgr_spiders.model.items import Entry, Page, Record, Selection, WalkRequest

NOW = "now"
"""A time chosen by the database: the machine reads it once and requires it to stay the same."""

WHOLE = (User, Track, Playlist)
REFERS_TO_A_USER = {Track: "artist_id", Playlist: "owner_id", Comment: "user_id", Engagement: "user_id"}


@dataclass
class WalkState:
    endpoint: str
    target: str
    expected: int | None
    status: str = "planned"
    reason: str | None = None
    cursor: str = ""
    generation: int = 0
    pages: int = 0
    empty_pages: int = 0
    received: int = 0
    kept: int = 0
    capped_at: int | None = None
    run_id: int | None = None
    setbacks: int = 0
    doubted: bool = False
    kept_before: int | None = None
    page_limit: int | None = None
    without_tracks: bool = False
    created_at: str = NOW
    started_at: str | None = None
    finished_at: str | None = None


@dataclass
class RequestState:
    cap: int
    widest: int
    selective: bool
    settings: str
    expanded: int = 0


@dataclass
class RunState:
    started_at: str
    fresh_after: str
    refresh: bool
    scope: str
    outcome: str | None = None
    settings: dict[tuple[int, str], str] = field(default_factory=dict)
    """Settings by seed and layer."""
    seeds: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    """Track and walk, by the seed as given."""
    paged: set[tuple[int, int]] = field(default_factory=set)
    """Walks and generations that had pages since the start of the run."""


RequestKey = tuple[int, int, str, str]
"""Walk, seed, layer and step."""


@dataclass
class Model:
    walks: dict[int, WalkState] = field(default_factory=dict)
    requests: dict[RequestKey, RequestState] = field(default_factory=dict)
    runs: dict[int, RunState] = field(default_factory=dict)
    places: dict[tuple[int, str, int], tuple[int, int]] = field(default_factory=dict)
    """Position and generation, by walk, kind and ID."""
    removed: set[tuple[int, str, int]] = field(default_factory=set)
    """The places of records that the last whole look at their walk did not find."""
    pages: dict[tuple[int, int, int], tuple[str, int]] = field(default_factory=dict)
    """Cursor and number of items, by walk, generation and page."""
    rejects: dict[tuple[int, int, int, int], tuple[Any, ...]] = field(default_factory=dict)
    """Columns of rejects, by walk, generation, page and item."""
    records: dict[type, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    engagements: set[tuple[int, int, str]] = field(default_factory=set)
    positions: dict[tuple[int, int], int] = field(default_factory=dict)
    """Positions, by playlist and track."""
    selections: dict[tuple[int, str, str, int], float | None] = field(default_factory=dict)
    doubted_by: dict[int, int] = field(default_factory=dict)
    """The run that was the last to fetch a walk to its end, by walk."""

    # Runs

    def fresh_after(self, scope: str, given: str, *, refresh: bool) -> str | None:
        """Return the time after which walks are up to date; ``None``: the start of the new run."""
        if not refresh:
            return given
        earlier = [run for run in self.runs.values() if run.refresh and run.scope == scope]
        if not earlier or earlier[-1].outcome in {"complete", "partial"}:
            return None
        return earlier[-1].fresh_after

    def wants(self, run: int) -> set[RequestKey]:
        """Return the requests that are in the scope of *run*."""
        settings = self.runs[run].settings
        return {key for key, want in self.requests.items() if settings.get(key[1:3]) == want.settings}

    def scope(self, run: int) -> set[int]:
        """Return the walks that *run* drains."""
        looked_up = {walk for _, walk in self.runs[run].seeds.values()}
        return {walk for walk, *_ in self.wants(run)} | looked_up

    def around(self, run: int, given: str) -> set[int]:
        """Return the walks that *run* wants around the seed *given*, but not the one that looks it up."""
        if given not in self.runs[run].seeds:
            return set()
        track, _ = self.runs[run].seeds[given]
        return {walk for walk, seed, *_ in self.wants(run) if seed == track}

    # Requests

    def add(self, walk: int, request: WalkRequest) -> None:
        state = self.walks.get(walk)
        if state is None:
            self.walks[walk] = WalkState(request.endpoint, request.target, request.expected)
        elif request.expected is not None:
            state.expected = request.expected

    def request(
        self, run: int, seed: int, layer: str, settings: str, wanted: Sequence[tuple[int, WalkRequest]]
    ) -> None:
        for walk, request in wanted:
            self.add(walk, request)
            key = (walk, seed, layer, request.step)
            before = self.requests.get(key)
            if before is None:
                self.requests[key] = RequestState(request.cap, request.cap, request.selective, settings)
            else:
                before.cap, before.widest = request.cap, max(before.widest, request.cap)
                if before.settings != settings:
                    before.settings, before.expanded = settings, 0
        walks = {walk for walk, _ in wanted}
        self.reopen(run, walks)
        for walk in walks:
            state = self.walks[walk]
            cap = self.cap(walk)
            at = state.capped_at
            if state.status == "capped" and at is not None and cap is not None and at < cap:
                state.status, state.reason, state.capped_at, state.finished_at = "planned", None, None, None

    def cap(self, walk: int) -> int | None:
        return max((want.cap for key, want in self.requests.items() if key[0] == walk), default=None)

    def reopen(self, run: int, walks: Iterable[int]) -> None:
        for walk in walks:
            state = self.walks[walk]
            if self.is_stale(run, state):
                self.begin_anew(walk)
            elif state.status == "failed" and str(state.finished_at) < self.runs[run].started_at:
                state.status, state.reason, state.finished_at = "planned", None, None

    def is_stale(self, run: int, state: WalkState) -> bool:
        fresh_after = self.runs[run].fresh_after
        if state.status == "failed" or (state.status == "planned" and state.pages):
            return str(state.started_at) < fresh_after
        return state.status not in {"planned", "running"} and str(state.finished_at) < fresh_after

    def begin_anew(self, walk: int) -> None:
        state = self.walks[walk]
        self.walks[walk] = WalkState(
            state.endpoint,
            state.target,
            state.expected,
            generation=state.generation + 1,
            setbacks=state.setbacks,
            kept_before=self.kept_in_whole(state),
            created_at=state.created_at,
        )
        for key, want in self.requests.items():
            if key[0] == walk:
                want.expanded = 0

    def kept_in_whole(self, state: WalkState) -> int | None:
        """Return what the last whole look has kept or, if there was none, the unfinished one."""
        if state.status == "gone":
            return None
        if state.status in {"done", "capped"}:
            return state.kept
        return (state.kept or None) if state.kept_before is None else state.kept_before

    def ask_again(self, run: int, seed_walk: int) -> None:
        state = self.walks[seed_walk]
        if state.status == "gone" and (state.finished_at or "") < self.runs[run].started_at:
            state.status, state.reason, state.finished_at, state.doubted = "planned", None, None, False

    # Leases

    def lease(self, run: int, limit: int) -> list[int]:
        planned = [walk for walk in self.scope(run) if self.walks[walk].status == "planned"]
        fresh = [walk for walk in planned if not self.walks[walk].setbacks]
        if not fresh and any(
            state.status == "running" and state.run_id == run and not state.setbacks
            for state in self.walks.values()
        ):
            return []
        leased = sorted(
            fresh or planned,
            key=lambda walk: (self.walks[walk].setbacks, self.walks[walk].created_at, walk),
        )[:limit]
        for walk in leased:
            state = self.walks[walk]
            state.status, state.run_id, state.started_at = "running", run, state.started_at or NOW
        return leased

    def give_back(self, run: int | None) -> int:
        leased = [state for state in self.walks.values() if state.status == "running"]
        mine = [state for state in leased if run is None or state.run_id == run]
        for state in mine:
            state.status, state.run_id = "planned", None
        return len(mine)

    # Pages

    def spill(self, run: int, page: Page) -> list[Entry] | None:
        """Return the entries within the cap; ``None`` if the walk has moved."""
        walk, state = page.walk.walk_id, self.walks[page.walk.walk_id]
        if (state.status, state.run_id, state.cursor) != ("running", run, page.walk.cursor):
            return None
        if page.size is not None:
            state.page_limit, state.without_tracks = page.size.limit, page.size.without_tracks
        if page.is_too_large:
            return []
        if page.status == "planned":
            state.status, state.run_id, state.setbacks = "planned", None, state.setbacks + 1
            return []
        if self.is_outdated(run, walk, page):
            self._turn(walk, page)
            self.begin_anew(walk)
            anew = self.walks[walk]
            anew.status, anew.run_id, anew.started_at = "running", run, NOW
            return []
        cap = self.cap(walk)
        is_news = self._has_news(walk, page) or self._has_new_rejects(walk, page)
        kept, added, cut = self._choose(walk, page, cap)
        found: list[Record] = [record for entry, _ in kept for record in entry.records()]
        self.write([*found, *(entry.link for entry, _ in kept if entry.link is not None)], page.known)
        self._place(walk, kept, page.resolved)
        for item, reject in enumerate(page.rejects):
            values = (reject.kind, reject.record_id, reject.field, reject.reason, reject.raw)
            self.rejects[walk, state.generation, state.pages, item] = values
        self._turn(walk, page)
        self._move(state, page, cap, added, cut, is_news=is_news)
        return [entry for entry, _ in kept]

    def is_outdated(self, run: int, walk: int, page: Page) -> bool:
        """Return whether the page is a cursor that the API refused for the first time in this run."""
        before = (walk, self.walks[walk].generation - 1)
        return page.is_refusal and page.walk.cursor != "" and before not in self.runs[run].paged

    def _turn(self, walk: int, page: Page) -> None:
        state = self.walks[walk]
        self.pages[walk, state.generation, state.pages] = (page.walk.cursor, page.received)
        for run in self.runs.values():
            run.paged.add((walk, state.generation))

    def _choose(self, walk: int, page: Page, cap: int | None) -> tuple[list[tuple[Entry, int]], int, int]:
        state = self.walks[walk]
        kept: list[tuple[Entry, int]] = []
        new: dict[tuple[str, int], int] = {}
        cut = 0
        for entry in page.entries:
            record = entry.record
            counted: tuple[str, int] = (record.kind, record.record_id)
            if isinstance(record, Comment):
                anonymous = record.user_id is None
                counted = ("anonymous", record.comment_id) if anonymous else ("user", record.user_id or 0)
            known = self.places.get((walk, *counted))
            is_known = known is not None and known[1] == state.generation
            place = known[0] if known is not None and is_known else new.get(counted)
            if place is not None:
                # A track's first position in a playlist counts.
                repeated = replace(entry, link=None) if isinstance(entry.link, PlaylistTrack) else entry
                kept.append((repeated, place))
                continue
            place = state.kept + len(new)
            if cap is not None and place >= cap and not isinstance(record, Comment):
                cut += 1
                continue
            new[counted] = place
            kept.append((entry, place))
        return kept, len(new), cut

    def _place(self, walk: int, kept: list[tuple[Entry, int]], resolved: tuple[str, int] | None) -> None:
        first: dict[tuple[str, int], int] = {}
        for entry, place in kept:
            for record in entry.records():
                if isinstance(record, User | Track | Playlist | Comment):
                    first.setdefault((record.kind, record.record_id), place)
        if resolved is not None:
            self._stub(Track, resolved[1])
            first[resolved] = 0
        generation = self.walks[walk].generation
        for key, place in first.items():
            position, seen = self.places.get((walk, *key), (place, generation))
            self.places[walk, *key] = (min(place, position) if seen == generation else place, generation)
            self.removed.discard((walk, *key))

    def _move(
        self, state: WalkState, page: Page, cap: int | None, added: int, cut: int, *, is_news: bool
    ) -> None:
        begun = {cursor for (walk, generation, _), (cursor, _) in self.pages.items()
                 if (walk, generation) == (page.walk.walk_id, state.generation)}  # fmt: skip
        state.pages += 1
        state.received += page.received - cut
        state.kept += added
        state.empty_pages = 0 if is_news else state.empty_pages + 1
        following = page.next_cursor
        if page.status is not None:
            state.status, state.reason = page.status, page.reason
        elif cut:
            state.status, state.reason, state.capped_at = "capped", f"cap of {cap}", cap
        elif following is None:
            state.status = "done"
        elif cap is not None and state.kept >= cap:
            state.status, state.reason, state.capped_at = "capped", f"cap of {cap}", cap
            state.cursor = following
        elif following in begun:
            state.status, state.reason = "failed", "next_href repeats an earlier page"
        else:
            state.cursor = following
            if state.empty_pages >= 10:
                state.status, state.reason = self._without_progress(page.walk.walk_id, state)
        state.setbacks = state.setbacks + 1 if state.status == "failed" else 0
        if state.status != "running":
            self._end(state, page)

    def _end(self, state: WalkState, page: Page) -> None:
        assert state.run_id is not None
        self.doubted_by[page.walk.walk_id] = state.run_id
        state.run_id, state.finished_at = None, NOW
        promised = (state.kept_before or 0) if state.expected is None else state.expected
        ends_empty = state.status == "done" and not page.received
        state.doubted = page.missing or (ends_empty and state.received < promised)
        if not state.doubted:
            self.note_whole(page.walk.walk_id)

    def note_whole(self, walk: int) -> None:
        """Remove what a whole look at *walk* did not find."""
        state = self.walks[walk]
        if state.status == "done":
            self.removed |= {
                key for key, (_, seen) in self.places.items() if key[0] == walk and seen < state.generation
            }

    def _without_progress(self, walk: int, state: WalkState) -> tuple[str, str]:
        last = [self.pages[walk, state.generation, state.pages - back][1] for back in range(1, 11)]
        if any(last):
            return "failed", "the list repeats: 10 consecutive pages without a new record"
        return "capped", "10 empty pages in a row"

    def _has_news(self, walk: int, page: Page) -> bool:
        generation = self.walks[walk].generation
        records = [(entry.record.kind, entry.record.record_id) for entry in page.entries]
        records = [key for key in records if key[0] == "comment"] or records
        return any(self.places.get((walk, *key), (0, -1))[1] != generation for key in records)

    def _has_new_rejects(self, walk: int, page: Page) -> bool:
        now = (walk, self.walks[walk].generation)
        seen = {values[1] for key, values in self.rejects.items() if key[:2] == now}
        return bool({reject.record_id for reject in page.rejects} - seen - {None})

    # Doubts

    def believe(self, run: int, walk: int) -> None:
        if not self.walks[walk].doubted or self.doubted_by[walk] != run:
            return
        self.walks[walk].doubted = False
        if self.walks[walk].received:
            self.note_whole(walk)

    def take_back_doubted(self) -> int:
        doubted = [state for state in self.walks.values() if state.doubted]
        for state in doubted:
            self._fetch_last(state)
        return len(doubted)

    def _fetch_last(self, state: WalkState) -> None:
        state.status, state.reason, state.finished_at = "planned", None, None
        state.empty_pages, state.doubted, state.setbacks = 0, False, state.setbacks + 1

    def losses(self, run: int) -> tuple[set[int], set[int]]:
        """Return the refetched walks of *run* that have no data any more, and those that had some before."""
        since = self.runs[run].fresh_after
        had = {
            walk
            for walk in self.scope(run)
            if (self.walks[walk].kept_before or 0) > 0 and (self.walks[walk].finished_at or since) >= since
        }
        return {walk for walk in had if self._is_lost(self.walks[walk])}, had

    def _is_lost(self, state: WalkState) -> bool:
        is_empty = state.status == "done" and not state.received and state.expected != 0
        return state.status == "gone" or is_empty

    def take_back_losses(self, run: int) -> int:
        lost, _ = self.losses(run)
        for walk in lost:
            self._fetch_last(self.walks[walk])
        return len(lost)

    # Records

    def write(self, records: Sequence[Record], known: AbstractSet[tuple[str, int, int]]) -> None:
        self._write_stubs(records)
        # Of several equally full versions on one page, the last one wins.
        last = {
            (record.kind, record.record_id, record.fullness): record
            for record in records
            if isinstance(record, WHOLE)
        }
        for key, whole in last.items():
            if key not in known:
                self._merge(type(whole), whole)
        comments = {record.comment_id: record for record in records if isinstance(record, Comment)}
        for comment in comments.values():
            before = self.records[Comment].get(comment.comment_id, {})
            new = {name: value for name, value in asdict(comment).items() if value is not None}
            self.records[Comment][comment.comment_id] = asdict(comment) | before | new
        for record in records:
            if isinstance(record, Engagement):
                self.engagements.add((record.user_id, record.track_id, record.kind))
            elif isinstance(record, PlaylistTrack):
                self.positions[record.playlist_id, record.track_id] = record.position

    def _write_stubs(self, records: Sequence[Record]) -> None:
        for record in records:
            if type(record) in REFERS_TO_A_USER:
                self._stub(User, getattr(record, REFERS_TO_A_USER[type(record)]))
            if isinstance(record, PlaylistTrack | Engagement | Comment):
                self._stub(Track, record.track_id)

    def _stub(self, kind: type[User | Track], number: int | None) -> None:
        if number is not None and number not in self.records[kind]:
            self.records[kind][number] = asdict(kind(number))

    def _merge(self, kind: type, new: User | Track | Playlist) -> None:
        values = asdict(new)
        before = self.records[kind].get(new.record_id)
        if before is None:
            self.records[kind][new.record_id] = values
            return
        is_not_thinner = values["fullness"] >= before["fullness"]
        for name, value in values.items():
            # During an outage the API returned 0 followers for every account.
            is_zeroed = name == "followers_count" and value == 0 and before[name] is not None
            if value is not None and not is_zeroed and (is_not_thinner or before[name] is None):
                before[name] = value
        before["fullness"] = max(before["fullness"], values["fullness"])

    # Selections, discoveries and expansions

    def select(self, seed: int, layer: str, chosen: Sequence[Selection]) -> None:
        for choice in chosen:
            key = (seed, layer, choice.kind, choice.record_id)
            score = self.selections.get(key) if choice.score is None else choice.score
            self.selections[key] = score
            track = self.records[Track].get(choice.record_id) if choice.kind == "track" else None
            if track is not None and track["artist_id"] is not None:
                self.selections.setdefault((seed, layer, "user", track["artist_id"]), None)

    def discoveries(self) -> set[tuple[str, int, int, str]]:
        """Return kind, ID, seed and layer of all discoveries."""
        found = {(kind, number, seed, layer) for seed, layer, kind, number in self.selections}
        for (walk, seed, layer, _), want in self.requests.items():
            if not want.selective:
                found |= {
                    (kind, number, seed, layer)
                    for (listing, kind, number), (position, _) in self.places.items()
                    if listing == walk and position < want.widest and self._is_listed((walk, kind, number))
                }
        return found

    def _is_listed(self, key: tuple[int, str, int]) -> bool:
        """Return whether the last look at a walk found the record."""
        (position, seen), state = self.places[key], self.walks[key[0]]
        is_beyond = state.status == "capped" and position < state.kept
        is_refused = (state.reason or "").startswith(REFUSED)
        is_gone = state.status == "gone" and not (state.doubted or is_refused)
        return key not in self.removed and (seen == state.generation or not (is_beyond or is_gone))

    def listed(self, walk: int, kind: str, start: int, stop: int) -> list[tuple[int, int]]:
        """Return position and ID of the records at these positions of the walk's generation, in order."""
        generation = self.walks[walk].generation
        return sorted(
            (position, number)
            for (listing, listed, number), (position, seen) in self.places.items()
            if (listing, listed, seen) == (walk, kind, generation) and start <= position < stop
        )

    def expansions(self, run: int, walk: int) -> list[tuple[int, str, str, int, int]]:
        """Return seed, layer, step, start and stop of the records not yet shown to the layers of *run*."""
        found = []
        for key in sorted(self.wants(run)):
            want = self.requests[key]
            shown = min(want.cap, self.walks[walk].kept)
            if key[0] == walk and want.expanded < shown:
                found.append((*key[1:], want.expanded, shown))
        return found
