"""Objects of the API for tests."""

from __future__ import annotations

from typing import Any


def user(user_id: int = 7, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "user",
        "id": user_id,
        "urn": f"soundcloud:users:{user_id}",
        "uri": f"https://api.soundcloud.com/users/soundcloud:users:{user_id}",
        "username": f"User {user_id}",
        "permalink": f"user-{user_id}",
        "permalink_url": f"https://soundcloud.com/user-{user_id}?utm_medium=api&utm_source=id_1",
        "followers_count": 5,
        **changes,
    }


def track(track_id: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "track",
        "id": track_id,
        "urn": f"soundcloud:tracks:{track_id}",
        "uri": f"https://api.soundcloud.com/tracks/{track_id}",
        "title": f"Track {track_id}",
        "permalink_url": f"https://soundcloud.com/user-7/track-{track_id}?utm_medium=api#t=1",
        "created_at": "2024/01/09 21:10:04 +0000",
        "duration": 1000,
        "sharing": "public",
        "access": "playable",
        "user": user(),
        **changes,
    }


def playlist(playlist_id: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "playlist",
        "urn": f"soundcloud:playlists:{playlist_id}",
        "title": f"Playlist {playlist_id}",
        "sharing": "public",
        "track_count": 2,
        "user": user(8),
        **changes,
    }


def comment(comment_id: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "comment",
        "urn": f"soundcloud:comments:{comment_id}",
        "body": "nice",
        "created_at": "2024/01/09 21:10:04 +0000",
        "timestamp": 4960,
        "track_urn": "soundcloud:tracks:1",
        "user_urn": "soundcloud:users:9",
        "user": user(9),
        **changes,
    }
