from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.sandbox.objects import ObjectWriter
from sgr_spiders.sandbox.options import ShapeOptions, WorldOptions
from sgr_spiders.sandbox.world import World
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = {"users": 60, "tracks": 300, "playlists": 20, "likes_per_user": 20, "seed_likers": 8}


@pytest.fixture(scope="module")
def small_sandbox() -> Iterator[SandboxProcess]:
    """Yield a sandbox with few users."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    with SandboxProcess(*options) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(small_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """Yield the same sandbox, without faults and with an empty log."""
    small_sandbox.clear_log()
    yield small_sandbox
    small_sandbox.clear_faults()


@pytest.fixture(scope="session")
def world() -> World:
    """Build the world of the sandbox."""
    return World.build(WorldOptions(**SMALL))


@pytest.fixture(scope="session")
def address(world: World) -> str:
    """Return the URL of the first track."""
    track = world.track_index(world.seed_track_id)
    assert track is not None
    link = ObjectWriter(world, ShapeOptions()).track_permalink(track)
    return f"https://soundcloud.com/{world.permalink_of(world.seed_artist_id or 0)}/{link}"


@pytest.fixture(scope="session")
def tracks(world: World) -> list[int]:
    """Return four tracks with likes, the seed first."""
    liked = [track for track in world.track_ids() if len(world.likers(track) or ()) >= 4]
    return [world.seed_track_id, *[track for track in liked if track != world.seed_track_id][:3]]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Write a configuration with small caps, no delay and only whole looks; return its path."""
    path = tmp_path / "small.yaml"
    path.write_text(
        "deep_harvest: {request_delay: 0, full_refresh_days: 0, "
        "user_depth: {max_users_per_track: 4, max_tracks_per_user: 20}}"
    )
    return str(path)
