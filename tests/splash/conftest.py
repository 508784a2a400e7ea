from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess
from tests.splash.stand_in import Renderer, rendered_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = {
    "users": 60,
    "tracks": 200,
    "playlists": 20,
    "seed_likers": 10,
    "seed_reposters": 4,
    "seed_comments": 12,
}
"""A small world in which several comments have the same author."""

NO_COMMENTS = {"name": "empty_list", "path": "/comments"}
"""The fault that empties the API's list of comments, but not its counter."""


@pytest.fixture(scope="session")
def world() -> World:
    return World.build(WorldOptions(**SMALL, likes_per_user=10))


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    options = {**SMALL, "likes_per_user": 10}
    flags = [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), str(value))]
    with SandboxProcess(*flags) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """Yield a sandbox whose API lists no comments."""
    shared_sandbox.set_faults([NO_COMMENTS])
    shared_sandbox.clear_log()
    yield shared_sandbox
    shared_sandbox.clear_faults()


@pytest.fixture
def renderer(world: World) -> Iterator[Renderer]:
    """Yield Splash and a site with the comments of the sandbox's seed."""
    seed = world.seed_track_id
    with Renderer(page=lambda: rendered_page(world, seed, world.comments_on(seed) or [])) as renderer:
        yield renderer


@pytest.fixture
def harvester(sandbox: SandboxProcess, renderer: Renderer, tmp_path: Path) -> Harvester:
    """Return a harvester with ``html_fallback`` enabled."""
    config = tmp_path / "fallback.yaml"
    config.write_text("deep_harvest: {request_delay: 0, commentary_layer: {html_fallback: true}}")
    database = tmp_path / "harvest.db"
    return Harvester(sandbox, database, settings=dict(renderer.settings), config=str(config))
