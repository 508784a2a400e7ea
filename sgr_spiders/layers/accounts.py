"""Which account bears a name, out of those that a search for it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.items import User
from sgr_spiders.titles.accounts import best_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.layers.base import Look

ACCOUNTS_LOOKED_AT = 50
"""Hits looked at when an account is searched by name: relevance puts a true match far ahead."""


def account_of(
    name: str, look: Look, step: str, target: str, key: Callable[[str], str] | None = None
) -> tuple[User, float] | None:
    """Give the account of *name* among the hits of a search, and how sure that is, from 0 to 1.

    An account whose *key* (how names are compared) is the same counts as exact; fuzzy ones come after.
    """
    hits = {
        user.user_id: user
        for walk in look.walks(step)
        if walk.target == target
        for user in walk.records
        if isinstance(user, User)
    }
    if key is not None:
        same = [user for user in hits.values() if _bears(user, key(name), key)]
        if same:
            return max(same, key=lambda user: (user.followers_count or 0, -user.user_id)), 1.0
    best = best_account(
        name, [(user.user_id, user.username, user.permalink, user.followers_count) for user in hits.values()]
    )
    return None if best is None else (hits[best[0]], best[1])


def _bears(user: User, wanted: str, key: Callable[[str], str]) -> bool:
    return wanted in {key(user.username or ""), key((user.permalink or "").replace("-", " "))}
