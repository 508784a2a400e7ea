"""Expected results around a seed, from the world of the sandbox."""

from __future__ import annotations

from sgr_spiders.sandbox.world import World


def likes_around(world: World, seed: int) -> set[tuple[int, int]]:
    """Return the likes (user, track) that ``user_depth`` finds: of the seed, its likers and its reposters."""
    likers = set(world.likers(seed) or ())
    likes = {(user, seed) for user in likers}
    for user in likers | set(world.reposters(seed) or ()):
        likes |= {(user, track) for track in world.library(user) or ()}
    return likes
