"""The smallest allowed worlds can be built, with a visible seed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World

SMALL = st.builds(
    WorldOptions,
    seed=st.integers(0, 2**32),
    generation=st.integers(0, 2),
    users=st.integers(30, 60),
    tracks=st.integers(60, 120),
    playlists=st.integers(20, 40),
    likes_per_user=st.sampled_from([0.0, 1.0, 60.0, 5000.0]),
    communities=st.sampled_from([0, 1, 1000]),
    seed_likers=st.integers(0, 15),
    seed_reposters=st.integers(0, 15),
    seed_comments=st.integers(0, 40),
)


@settings(max_examples=40)
@given(SMALL)
def test_the_smallest_worlds(options: WorldOptions) -> None:
    world = World.build(options)
    seed = world.seed_track_id
    assert world.track_is_visible(seed)
    assert world.playlists_with(seed)
    assert len(world.likers(seed) or ()) <= options.seed_likers
