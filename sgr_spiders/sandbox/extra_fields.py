"""Fields that the specification does not list, as other versions of the API send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.sandbox.seeding import mix

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODES = {
    "Germany": "DE", "Nigeria": "NG", "Brazil": "BR", "Japan": "JP", "United Kingdom": "GB", "Canada": "CA",
    "Poland": "PL", "United States": "US", "Portugal": "PT", "South Korea": "KR",
}  # fmt: skip
_POLICIES = (("ALLOW", "NOT_APPLICABLE"), ("MONETIZE", "AD_SUPPORTED"), ("SNIP", "SUB_HIGH_TIER"))
_TRACK_TYPES = ("original", "remix", "live", "", None)
_FORMATS = ("wav", "mp3", "flac")


def of_track(track: Mapping[str, Any], number: int, permalink: str) -> dict[str, Any]:
    """Return the extra fields of a track; its length may become that of a snippet."""
    throw = mix(11, number)
    policy, model = _POLICIES[throw % 3]
    is_snippet = policy == "SNIP"
    return {
        "permalink": permalink,
        "last_modified": track["created_at"],
        "full_duration": track["duration"],
        "duration": min(track["duration"], 30_000) if is_snippet else track["duration"],
        "policy": policy,
        "monetization_model": model,
        "track_type": _TRACK_TYPES[throw // 3 % 5],
        "original_format": _FORMATS[throw // 15 % 3],
        "publisher_metadata": _publisher(track, number) if track["isrc"] else None,
    }


def _publisher(track: Mapping[str, Any], number: int) -> dict[str, Any]:
    year, label = track["release_year"], track["label_name"] or "Own label"
    return {
        "id": number,
        "urn": f"soundcloud:tracks:{number}",
        "artist": track["metadata_artist"],
        "album_title": f"Album {number % 100}",
        "isrc": track["isrc"],
        "upc_or_ean": f"{mix(12, number) % 10**13:013d}",
        "p_line": f"{year} {label}",
        "c_line": f"{year} {label}",
        "publisher": f"{label} Songs",
        "writer_composer": None,
        "explicit": mix(13, number) % 4 == 0,
        "contains_music": True,
        "release_title": track["title"],
    }


def of_user(user: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the extra fields of a user."""
    throw = mix(14, number)
    badges = {"pro": throw % 4 == 0, "pro_unlimited": throw % 4 == 1, "verified": throw % 7 == 0}
    return {
        "verified": badges["verified"],
        "badges": badges,
        "country_code": _CODES.get(user["country"]),
    }


def of_playlist(playlist: Mapping[str, Any], reposts: int) -> dict[str, Any]:
    """Return the extra fields of a playlist."""
    return {
        "reposts_count": reposts,
        "set_type": playlist["playlist_type"],
        "is_album": playlist["playlist_type"] == "album",
        "published_at": playlist["created_at"],
    }
