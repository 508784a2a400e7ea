"""Accounts found by name, their uploads, and tracks that name them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from sgr_spiders.layers.base import SEARCH_DEPTH, FixedCap, cut
from sgr_spiders.model.items import Cut, Selection, Track, User, WalkRequest
from sgr_spiders.titles.accounts import best_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.layers.base import LayerView, Wanted
    from sgr_spiders.model.items import MainRecord

ACCOUNT_HITS = 50
"""Number of hits considered in a search for an account: relevance puts a true match far ahead."""

FIRST_HITS = FixedCap("an account with the name is among the first hits")


def records_of(view: LayerView, step: str, target: str) -> list[MainRecord]:
    """Return the records of the walk of *step* with this *target*."""
    return [record for walk in view.walks(step) if walk.target == target for record in walk.records]


def account_of(
    name: str, view: LayerView, key: Callable[[str], str] | None = None
) -> tuple[User, float] | None:
    """Return the account of *name* among the hits of the search for it, and a score from 0 to 1.

    The search is the walk of step ``accounts``. An account with the same *key* (a function that
    normalises names) is an exact match; otherwise the best fuzzy match is returned.
    """
    users = (user for user in records_of(view, "accounts", name) if isinstance(user, User))
    hits = {user.user_id: user for user in users}
    if key is not None:
        same = [user for user in hits.values() if _has_key(user, key(name), key)]
        if same:
            return max(same, key=lambda user: (user.followers_count or 0, -user.user_id)), 1.0
    best = best_account(
        name, [(user.user_id, user.username, user.permalink, user.followers_count) for user in hits.values()]
    )
    return None if best is None else (hits[best[0]], best[1])


def catalogue(
    view: LayerView,
    account: User | None,
    name: str | None,
    setting: str,
    cap: int,
    belongs: Callable[[Track], bool],
) -> Iterator[Wanted]:
    """Request the account's uploads and, if they do not reach the *cap*, a search for *name*.

    Yield the uploads and the hits that *belongs* accepts, up to the cap, which is the value of *setting*.
    """
    tracks: dict[int, None] = {}
    is_complete = True
    if account is not None:
        target = str(account.user_id)
        yield WalkRequest("user_tracks", target, "uploads", cap, account.track_count, selective=True)
        is_complete = any(walk.target == target for walk in view.walks("uploads"))
        tracks = dict.fromkeys(track.record_id for track in records_of(view, "uploads", target))
    if name is not None and is_complete and len(tracks) < cap:
        yield WalkRequest("search_tracks", name, "hits", SEARCH_DEPTH, selective=True)
        hits = (hit for hit in records_of(view, "hits", name) if isinstance(hit, Track) and belongs(hit))
        tracks |= dict.fromkeys(hit.track_id for hit in hits)
        yield from cut(setting, cap, len(tracks), name)
    elif name is not None and len(tracks) >= cap:
        # The search is left out, so nobody knows what it would have found.
        yield Cut(setting, cap, None, name)
    for track_id in islice(tracks, cap):
        yield Selection("track", track_id)


def _has_key(user: User, wanted: str, key: Callable[[str], str]) -> bool:
    return wanted in {key(user.username or ""), key((user.permalink or "").replace("-", " "))}
