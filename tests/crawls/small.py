"""A small world for fast crawls: its lists have several pages, and the caps cut most of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORLD = WorldOptions(
    users=60, tracks=300, playlists=24, likes_per_user=15, seed_likers=14, seed_reposters=6, seed_comments=12
)
PAGE_SIZE = 5
CAPS: dict[str, dict[str, Any]] = {
    "user_depth": {"max_users_per_track": 7, "max_tracks_per_user": 12},
    "playlist_depth": {
        "max_likers": 4, "max_search_playlists": 6, "max_playlists": 4, "max_tracks_per_playlist": 7,
        "max_playlists_per_liker": 3,
    },
    "artist_depth": {"max_artist_tracks": 7},
    "semantic_depth": {"fuzzy_search_limit": 12, "name_similarity_threshold": 0.2, "max_key_terms": 2},
    "commentary_layer": {"max_commenters": 4},
    "label_layer": {"max_catalog_size": 13},
    "contextual_layer": {"max_tracks_per_entity": 2},
}  # fmt: skip


def build_world() -> World:
    """Build the world of the sandbox."""
    return World.build(WORLD)


def start_sandbox(*more: str, page_size: int = PAGE_SIZE) -> SandboxProcess:
    """Start a sandbox of this world, with *more* options."""
    names = (
        "users",
        "tracks",
        "playlists",
        "likes_per_user",
        "seed_likers",
        "seed_reposters",
        "seed_comments",
    )
    options = [f"--{name.replace('_', '-')}={getattr(WORLD, name)}" for name in names]
    return SandboxProcess(*options, f"--page-size={page_size}", *more)


def settings_of(**changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configuration sections of the layers: the caps above with *changes*."""
    return {name: {**section, **changes.get(name, {})} for name, section in CAPS.items()}


def write_config(path: Path, sections: Mapping[str, Any]) -> Path:
    """Write a configuration without delay and relationships; JSON is valid YAML."""
    without_delay = {"deep_harvest": {"request_delay": 0, **sections}}
    path.write_text(json.dumps({**without_delay, "relationships": {"on_close": False}}))
    return path
