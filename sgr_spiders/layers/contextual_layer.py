"""contextual_layer: the collaborators named in the seed's title, description and artist credit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from sgr_spiders.layers.accounts import ACCOUNT_HITS, FIRST_HITS, account_of, catalogue, records_of
from sgr_spiders.layers.base import (
    ALL_THE_API_GIVES,
    SEED_STEP,
    FixedCap,
    Layer,
    LayerView,
    Seed,
    Wanted,
    cut,
)
from sgr_spiders.model.items import Mention, Selection, Track, User, WalkRequest
from sgr_spiders.titles.credits import (
    collaborators,
    credits,  # noqa: A004 - the standard word of the field
    credits_artist,
)
from sgr_spiders.titles.mentions import is_mentioned
from sgr_spiders.titles.names import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import ContextualLayer as Section
    from sgr_spiders.model.items import MainRecord


@dataclass(frozen=True, slots=True)
class Entity:
    """A person named by a permalink (``mention``) or by a name as written."""

    kind: Literal["mention", "featuring", "remixer", "producer"]
    name: str


class ContextualLayer(Layer):
    """The accounts and tracks of each collaborator."""

    name: ClassVar[str] = "contextual_layer"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP})
    needs_second_pass: ClassVar[bool] = True
    caps: ClassVar[Mapping[str, str | FixedCap]] = {
        "accounts": FIRST_HITS,
        "uploads": "max_tracks_per_entity",
        "hits": ALL_THE_API_GIVES,
    }

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        yield from cut("max_entities", self.config.max_entities, len(self._detected(seed)))
        for entity in self._entities(seed):
            yield Mention(seed.track.track_id, entity.kind, entity.name)
            if entity.kind == "mention":
                yield WalkRequest("resolve", _profile(entity.name), "profiles", 1, selective=True)
            else:
                yield WalkRequest("search_users", entity.name, "accounts", ACCOUNT_HITS, selective=True)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        for entity in self._entities(seed):
            yield from self._tracks(seed, view, entity)

    def _entities(self, seed: Seed) -> list[Entity]:
        return self._detected(seed)[: self.config.max_entities]

    def _detected(self, seed: Seed) -> list[Entity]:
        artist = seed.artist.username if seed.artist is not None else None
        named = credits(seed.track.title or "", seed.track.description, artist)
        credited = collaborators(seed.track.metadata_artist or "", artist)
        by_pattern = {
            "featuring": [Entity("featuring", name) for name in distinct([*named.featured, *credited])],
            "remixes": [Entity("remixer", name) for name in named.remixers],
            "production": [Entity("producer", name) for name in named.producers],
            "mentions": [Entity("mention", name) for name in named.mentions],
        }
        # By worth: whoever is credited made the track, whoever is mentioned need not have.
        patterns = sorted(self.config.extraction_patterns, key=list(by_pattern).index)
        entities = [entity for pattern in patterns for entity in by_pattern[pattern]]
        own = seed.artist.permalink if seed.artist is not None else None
        others = [name for name in named.mentions if name != (own or "").lower()]
        # "w/ Somebody @somebody" is one person; as a name it would be searched a second time.
        return [
            entity
            for entity in entities
            if (entity.name in others if entity.kind == "mention" else not is_mentioned(entity.name, others))
        ]

    def _tracks(self, seed: Seed, view: LayerView, entity: Entity) -> Iterator[Wanted]:
        account = _account(view, entity)
        user = None
        if account is not None:
            user, score = account
            yield Selection("user", user.user_id, score)
            yield Mention(seed.track.track_id, entity.kind, entity.name, user.user_id)
        # A mention is a permalink, which no credit contains, so a search for it finds nothing.
        name = None if entity.kind == "mention" else entity.name
        cap = self.config.max_tracks_per_entity
        yield from catalogue(
            view, user, name, "max_tracks_per_entity", cap, lambda hit: _credits(hit, entity.name)
        )


def _profile(permalink: str) -> str:
    return f"https://soundcloud.com/{permalink}"


def _account(view: LayerView, entity: Entity) -> tuple[User, float] | None:
    if entity.kind != "mention":
        return account_of(entity.name, view)
    for user in records_of(view, "profiles", _profile(entity.name)):
        if isinstance(user, User):
            return user, 1.0
    return None


def _credits(track: Track, name: str) -> bool:
    kind = credits_artist(
        title=track.title or "",
        description=track.description,
        metadata_artist=track.metadata_artist,
        uploader=None,
        artist=name,
    )
    return kind is not None
