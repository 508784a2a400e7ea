"""What there is to be found around a seed, from the sandbox's own knowledge of its world."""

from __future__ import annotations

from sgr_spiders.sandbox.world import World


def likes_around(world: World, seed: int) -> set[tuple[int, int]]:
    """The likes (user, track) that ``user_depth`` finds: of the seed, and of all who like or repost it."""
    likers = set(world.likers(seed) or ())
    likes = {(user, seed) for user in likers}
    for user in likers | set(world.reposters(seed) or ()):
        likes |= {(user, track) for track in world.library(user) or ()}
    return likes
