"""Objects of the world as JSON, serialised on first request and cached as bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from sgr_spiders.sandbox import extra_fields, texts
from sgr_spiders.sandbox import vocabulary as words
from sgr_spiders.sandbox.playlists import PLAYLIST_TYPES
from sgr_spiders.sandbox.population import ACCESS_NAMES, LABEL
from sgr_spiders.sandbox.seeding import dice, mix
from sgr_spiders.sandbox.titles import performer, track_permalinks

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.sandbox.model import Model
    from sgr_spiders.sandbox.options import ShapeOptions

_CACHE_BYTES = 256 * 1024 * 1024
_TRACKING = "?utm_medium=api&utm_campaign=social_sharing&utm_source=id_sandbox"
_API = "https://api.soundcloud.com"
_IMAGES = "https://i1.sndcdn.com"
_MARK = texts.SURROGATE_MARK.encode()
_KIND_CODES = {"tracks": 1, "users": 2, "playlists": 3, "comments": 4}


class BytesCache:
    """Bytes by index; above the limit, the oldest are dropped."""

    def __init__(self, write: Callable[[int], bytes], limit: int = _CACHE_BYTES) -> None:
        self._write, self._limit = write, limit
        self._kept: dict[int, bytes] = {}
        self._size = 0

    def __call__(self, index: int) -> bytes:
        kept = self._kept.get(index)
        if kept is None:
            kept = self._write(index)
            self._kept[index] = kept
            self._size += len(kept)
            while self._size > self._limit:
                self._size -= len(self._kept.pop(next(iter(self._kept))))
        return kept


def encode(value: object) -> bytes:
    """Return UTF-8 JSON, with each mark replaced by the escape of a lone surrogate."""
    return orjson.dumps(value).replace(_MARK, b"\\ud800")


def api_date(seconds: int) -> str:
    """Return a date in the API's format, always in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y/%m/%d %H:%M:%S +0000")


class ObjectWriter:
    """The JSON of one world's tracks, users, playlists and comments."""

    def __init__(self, world: Model, shape: ShapeOptions) -> None:
        self.world, self.shape = world, shape
        self.track = BytesCache(self._track)
        self.user = BytesCache(self._user)
        self.comment = BytesCache(self._comment)
        self.playlist_head = BytesCache(self._playlist_head)
        self._track_links: dict[int, str] = {}

    # --- what all objects share ------------------------------------------------------

    def _identity(self, kind: str, number: int) -> dict[str, Any]:
        throw = mix(_KIND_CODES[kind], number)
        mode = self.shape.numeric_ids
        fields: dict[str, Any] = {"kind": kind[:-1], "urn": f"soundcloud:{kind}:{number}"}
        if mode == "on" or (mode == "mixed" and throw & 1):
            fields["id"] = number
        numeric = self.shape.uri == "numeric" or (self.shape.uri == "mixed" and bool(throw & 2))
        fields["uri"] = f"{_API}/{kind}/{number if numeric else fields['urn']}"
        if throw % 5 == 0:
            fields["station_urn"] = f"soundcloud:system-playlists:{kind[:-1]}-stations:{number}"
        return fields

    def _text(self, text: str, key: int) -> str:
        return texts.hostile(text, key) if self.shape.hostile_text else text

    # --- users -----------------------------------------------------------------------

    def _user(self, person: int) -> bytes:
        people, world = self.world.people, self.world
        number = int(people.ids[person])
        throw = dice(world.options.seed, "user", number)
        city, country = throw.choice(words.CITIES) if throw.random() < 0.6 else (None, None)
        name = people.usernames[person]
        first, _, last = name.partition(" ")
        is_label = people.role[person] == LABEL
        fields = self._identity("users", number) | {
            "username": self._text(name, number),
            "permalink": people.permalinks[person],
            "permalink_url": f"https://soundcloud.com/{people.permalinks[person]}{_TRACKING}",
            "avatar_url": f"{_IMAGES}/avatars-{number:012d}-{throw.getrandbits(30):06x}-large.jpg",
            "created_at": api_date(int(people.joined_s[person])),
            "last_modified": api_date(int(people.joined_s[person]) + throw.randrange(10**7)),
            "first_name": first,
            "last_name": last,
            "full_name": name,
            "city": city,
            "country": country,
            "description": self._user_description(throw.random(), name, is_label=bool(is_label)),
            "website": f"https://{people.permalinks[person]}.example/" if is_label else None,
            "website_title": "Website" if is_label else None,
            "discogs_name": None,
            "myspace_name": None,
            "plan": "Pro Unlimited" if is_label else throw.choice(("Free", "Free", "Pro")),
            "followers_count": world.follows.item_degree(person),
            "followings_count": world.follows.owner_degree(person),
            "track_count": len(world.uploads_of(person)),
            "playlist_count": len(world.sets_of(person)),
            "public_favorites_count": world.likes.owner_degree(person)
            + world.playlist_likes.owner_degree(person),
            "reposts_count": world.reposts.owner_degree(person) + world.playlist_reposts.owner_degree(person),
            "likes_count": world.likes.owner_degree(person),
            "comments_count": 0,
            "online": False,
            "subscriptions": [],
        }
        if self.shape.extra_fields:
            fields |= extra_fields.of_user(fields, number)
        return encode(fields)

    def _user_description(self, throw: float, name: str, *, is_label: bool) -> str | None:
        if is_label:
            return f"{name} is an independent label. Demos: demos@label.example"
        return None if throw < 0.5 else ("music and long walks" if throw < 0.8 else "")

    # --- tracks ----------------------------------------------------------------------

    def track_permalink(self, track: int) -> str:
        """Return the last part of a track's URL."""
        if track not in self._track_links:
            uploads = self.world.uploads_of(int(self.world.catalogue.uploader[track])).tolist()
            links = track_permalinks(uploads[::-1], self.world.catalogue)
            self._track_links.update(zip(uploads[::-1], links, strict=True))
        return self._track_links[track]

    def _track(self, track: int) -> bytes:
        catalogue = self.world.catalogue
        number, uploader = int(catalogue.ids[track]), int(catalogue.uploader[track])
        throw = dice(self.world.options.seed, "track", number)
        owner = self.world.people.permalinks[uploader]
        fields = self._identity("tracks", number) | {
            "title": self._text(catalogue.titles[track], number),
            "permalink_url": f"https://soundcloud.com/{owner}/{self.track_permalink(track)}{_TRACKING}",
            "created_at": api_date(int(catalogue.uploaded_s[track])),
            "duration": int(self.world.durations_ms[track]),
            "description": self._description(track),
            "sharing": "public",
            "commentable": True,
            "streamable": True,
            "downloadable": throw.random() < 0.1,
            "license": throw.choice(words.LICENSES),
            "waveform_url": f"https://wave.sndcdn.com/{throw.getrandbits(60):x}_m.png",
            "artwork_url": None if throw.random() < 0.1 else f"{_IMAGES}/artworks-{number:012d}-large.jpg",
            "embeddable_by": "all",
            "access": ACCESS_NAMES[catalogue.access[track]],
            "user_favorite": None,
            "user_playback_count": None,
            "secret_uri": None,
            "available_country_codes": None,
            "download_url": None,
            "stream_url": f"{_API}/tracks/soundcloud:tracks:{number}/stream",
        }
        fields |= self._release(track, throw.random()) | self._taste_of(track, throw.randrange(1 << 30))
        fields |= self._track_counts(track, throw.uniform(8, 60))
        if self.shape.extra_fields:
            fields |= extra_fields.of_track(fields, number, self.track_permalink(track))
        user: Any = None if catalogue.null_user[track] else orjson.Fragment(self.user(uploader))
        return encode(fields | {"user": user})

    def _description(self, track: int) -> str | None:
        text = texts.description(self.world, track)
        return text and self._text(text, int(self.world.catalogue.ids[track]) + 1)

    def _taste_of(self, track: int, throw: int) -> dict[str, Any]:
        scene = self.world.scene_of(track)
        tags = [scene.tags[(throw + step) % len(scene.tags)] for step in range(throw % 4)]
        low, high = scene.bpm
        return {
            "genre": None if throw % 29 == 0 else scene.genre,
            "tag_list": " ".join(f'"{tag}"' if " " in tag else tag for tag in tags),
            "bpm": None if throw % 3 else low + throw % (high - low),
            "key_signature": None if throw % 3 else ("Cmin", "F#maj", "Amin", "Ebmaj")[throw % 4],
        }

    def _release(self, track: int, throw: float) -> dict[str, Any]:
        world, catalogue = self.world, self.world.catalogue
        number = int(catalogue.ids[track])
        label = world.label_text(track)
        artist = performer(track, world.people, catalogue)
        named = artist != catalogue.uploader[track] or throw < 0.25
        uploaded = datetime.fromtimestamp(int(catalogue.uploaded_s[track]), UTC)
        dated = bool(label)
        return {
            "label_name": (label or None) if texts.label_in_field(number) else None,
            "metadata_artist": world.people.usernames[artist] if named else None,
            "isrc": f"QZ{mix(3, number) % 10**9:09d}X" if dated else None,
            "release": f"SG{number % 1000:03d}" if throw < 0.1 else None,
            "release_day": uploaded.day if dated else None,
            "release_month": uploaded.month if dated else None,
            "release_year": uploaded.year if dated else None,
            "purchase_title": None,
            "purchase_url": None,
        }

    def _track_counts(self, track: int, plays_per_like: float) -> dict[str, Any]:
        world, catalogue = self.world, self.world.catalogue
        likes = world.likes.item_degree(track)
        hidden, quiet = bool(catalogue.hides_stats[track]), bool(catalogue.hides_comments[track])
        return {
            "playback_count": None if hidden else int((likes + 1) * plays_per_like),
            "favoritings_count": None if hidden else likes,
            "reposts_count": world.reposts.item_degree(track),
            "comment_count": None if quiet else len(world.comments.of_track(track)),
            "download_count": None if hidden else 0,
            "reveal_stats": not hidden,
            "reveal_comments": not quiet,
        }

    # --- playlists and comments --------------------------------------------------------

    def playlist_permalink(self, playlist: int) -> str:
        """Return the last part of a playlist's URL; the ID makes it distinct."""
        return f"set-{self.world.playlists.ids[playlist]}"

    def playlist(self, playlist: int, tracks: list[int] | None) -> bytes:
        """Return a playlist with these tracks (indices), or without the key if ``None``."""
        head = self.playlist_head(playlist)
        if tracks is None:
            return head
        return head[:-1] + b',"tracks":[' + b",".join(map(self.track, tracks)) + b"]}"

    def _playlist_head(self, playlist: int) -> bytes:
        lists, world = self.world.playlists, self.world
        number, owner = int(lists.ids[playlist]), int(lists.owner[playlist])
        entries = lists.tracks_of(playlist)
        kind = PLAYLIST_TYPES[lists.type_code[playlist]]
        link = world.people.permalinks[owner]
        fields = self._identity("playlists", number) | {
            "title": self._text(lists.titles[playlist], number),
            "permalink": self.playlist_permalink(playlist),
            "permalink_url": f"https://soundcloud.com/{link}/sets/{self.playlist_permalink(playlist)}{_TRACKING}",
            "created_at": api_date(int(lists.created_s[playlist])),
            "last_modified": api_date(int(lists.created_s[playlist]) + mix(5, number) % 10**6),
            "duration": int(world.durations_ms[entries].sum()),
            "sharing": "public",
            "streamable": True,
            "license": "all-rights-reserved",
            "track_count": len(entries),
            "likes_count": world.playlist_likes.item_degree(playlist),
            "playlist_type": kind,
            "type": kind,
            "tag_list": "",
            "tags": "",
            "genre": "",
            "tracks_uri": f"{_API}/playlists/soundcloud:playlists:{number}/tracks",
            "user_urn": f"soundcloud:users:{world.people.ids[owner]}",
        }
        fields |= dict.fromkeys(
            ("artwork_url", "description", "ean", "label", "label_id", "label_name", "purchase_title",
             "purchase_url", "release", "release_day", "release_month", "release_year"),
        )  # fmt: skip
        if self.shape.extra_fields:
            fields |= extra_fields.of_playlist(fields, world.playlist_reposts.item_degree(playlist))
        return encode(fields | {"user": orjson.Fragment(self.user(owner))})

    def _comment(self, number: int) -> bytes:
        world = self.world
        comment_id, author = int(world.comments.ids[number]), int(world.comments.user[number])
        author_id = int(world.people.ids[author])
        track_id = int(world.catalogue.ids[world.comments.track[number]])
        fields = self._identity("comments", comment_id) | {
            "body": self._text(texts.comment_body(world, number), comment_id),
            "created_at": api_date(int(world.comments.created_s[number])),
            "timestamp": self._timestamp(comment_id, int(world.comments.position_ms[number])),
            "track_urn": f"soundcloud:tracks:{track_id}",
            "user_urn": f"soundcloud:users:{author_id}",
            "user": self._comment_author(author) if world.user_visible[author] else None,
        }
        if "id" in fields:
            fields |= {"track_id": track_id, "user_id": author_id}
        return encode(fields)

    def _timestamp(self, comment_id: int, position_ms: int) -> int | str | None:
        """Return null, an integer or an integer in a string: the API returns all three."""
        if position_ms < 0:
            return None
        return str(position_ms) if mix(7, comment_id) & 1 else position_ms

    def _comment_author(self, author: int) -> dict[str, Any]:
        whole = orjson.loads(self.user(author).replace(b"\\ud800", _MARK))
        keys = (
            "urn", "kind", "id", "username", "permalink", "permalink_url", "uri", "avatar_url",
            "last_modified", "followers_count", "followings_count", "public_favorites_count", "reposts_count",
        )  # fmt: skip
        return {key: whole[key] for key in keys if key in whole}
