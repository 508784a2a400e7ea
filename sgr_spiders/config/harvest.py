"""The configuration of a harvest: what ``configs/deep_harvest.yaml`` may say, and its checked reading.

A user's file holds only what differs from the defaults. A cap of 0 asks for nothing.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sgr_spiders.config import strict_yaml
from sgr_spiders.config.choices import EngagementKind, Method, Source  # noqa: TC001 - pydantic reads them
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

DEFAULT_NAME = "deep_harvest"
MAX_FILE_BYTES = 64 * 1024
DECIMALS = 6
"""Of a threshold that is compared exactly, as a fraction."""

Name = TypeVar("Name", bound=str)


def _without_duplicates(names: tuple[Name, ...]) -> tuple[Name, ...]:
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise PydanticCustomError("repeated", "must name `{name}` once", {"name": repeated})
    return names


def _few_decimals(value: float) -> float:
    if round(value, DECIMALS) != value:
        raise PydanticCustomError("decimals", "must have at most {decimals} decimals", {"decimals": DECIMALS})
    return value


Cap = Annotated[int, Field(ge=0, le=1_000_000_000)]
# Not strict in itself, as YAML has lists and no tuples; what stands in it is checked all the same.
Names = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(_without_duplicates)]
DetectionMethod = Literal["label_field", "description_parsing", "publisher_metadata"]
ExtractionPattern = Literal["mentions", "featuring", "remixes", "production"]


class Section(BaseModel):
    """A mapping of the file. Left empty, e.g. with every line commented out, it says nothing new."""

    # What stands below a field is its description, from which docs/reference.md is made.
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, value: object) -> object:
        return {} if value is None else value


AnySection = TypeVar("AnySection", bound=Section)


class LayerSection(Section):
    enabled: bool = True
    """Whether `deep_harvest` runs the layer; its own spider runs it in any case."""


class UserDepth(LayerSection):
    max_users_per_track: Cap = 500
    """Likers, and as many reposters, whose libraries are harvested."""
    max_tracks_per_user: Cap = 500
    """Liked tracks of each of them."""
    include_reposters: bool = True
    """Whether to follow those who reposted the seed, too."""


class PlaylistDepth(LayerSection):
    max_playlists: Cap = 200
    """Playlists kept: those with the seed first, then the artist's others."""
    max_tracks_per_playlist: Cap = 500
    """Tracks kept of each playlist, in its order."""
    include_artist_playlists: bool = True
    """Whether to look through the artist's playlists."""
    include_liker_playlists: bool = True
    """Whether to look through the playlists of the top likers."""
    max_likers: Cap = 50
    """How many likers, those with most followers first."""
    max_playlists_per_liker: Cap = 50
    """Playlists of each liker that are looked through."""
    max_search_playlists: Cap = 50
    """Playlists found by the seed's title that are looked through."""


class ArtistDepth(LayerSection):
    max_artist_tracks: Cap = 1000
    """The artist's own uploads, and as many tracks of others that credit the artist."""
    include_remixes: bool = True
    """Whether to search for the artist's remixes of others' tracks."""
    include_features: bool = True
    """Whether to search for others' tracks that feature or credit the artist."""


class SemanticDepth(LayerSection):
    fuzzy_search_limit: Cap = 100
    """Hits that are looked at for each key term."""
    name_similarity_threshold: Annotated[float, Field(ge=0, le=1)] = 0.6
    """How alike a hit's title must be to be kept: 0 takes everything, 1 the same words only."""
    max_key_terms: Cap = 3
    """Key terms of the seed's title that are searched for."""


class CommentaryLayer(LayerSection):
    max_commenters: Cap = 100
    """Distinct commenters after whom no further page of comments is read."""
    min_comment_length: Cap = 0
    """Characters a comment needs for its author to be followed; every comment is kept."""
    harvest_commenter_libraries: bool = True
    """Whether to harvest what the commenters like."""
    html_fallback: bool = False
    """Read the rendered track page where the API gives no comments; see docs/terms.md first."""


class LabelLayer(LayerSection):
    max_labels_per_track: Cap = 3
    """Labels of the seed that are followed."""
    max_catalog_size: Cap = 200
    """Distinct tracks of each label, over uploads and search together."""
    detection_methods: Names[DetectionMethod] = ("label_field", "description_parsing", "publisher_metadata")
    """Where labels are looked for."""


class ContextualLayer(LayerSection):
    max_entities: Cap = 10
    """Collaborators of the seed that are followed."""
    max_tracks_per_entity: Cap = 50
    """Distinct tracks of each, over uploads and search together."""
    extraction_patterns: Names[ExtractionPattern] = ("mentions", "featuring", "remixes", "production")
    """Which kinds of collaborators are looked for."""


class DeepHarvest(Section):
    enabled: bool = True
    """Whether the spider `deep_harvest` runs any layer at all."""
    request_delay: Annotated[float, Field(ge=0, le=3600)] = 0.3
    """Seconds between two requests, at least."""
    freshness_days: Annotated[float, Field(ge=0, le=36_500)] = 7
    """Days after which a finished walk is fetched anew by a later run."""
    user_depth: UserDepth = UserDepth()
    playlist_depth: PlaylistDepth = PlaylistDepth()
    artist_depth: ArtistDepth = ArtistDepth()
    semantic_depth: SemanticDepth = SemanticDepth()
    commentary_layer: CommentaryLayer = CommentaryLayer()
    label_layer: LabelLayer = LabelLayer()
    contextual_layer: ContextualLayer = ContextualLayer()

    def layer(self, name: str) -> LayerSection:
        if name not in LAYER_NAMES:
            raise KeyError(name)
        section: LayerSection = getattr(self, name)
        return section


Share = Annotated[float, Field(gt=0, le=1)]
# Compared exactly, as fractions; more decimals would not fit into 64 bits when they are.
Threshold = Annotated[float, Field(ge=0, le=1), AfterValidator(_few_decimals)]
AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000_000)]


class RelationshipSection(Section):
    enabled: bool = True
    """Whether this type is built."""
    top_k: AtLeastOne | None = None
    """Keep only pairs in which one is among so many nearest of the other."""


class UserSimilarity(RelationshipSection):
    min_common_tracks: AtLeastOne = 3
    """Liked tracks that two users must have in common."""
    min_similarity: Threshold = 0.1
    """How similar they must be, from 0 to 1."""
    max_library_share: Share = 1
    """Leave out tracks that more than this share of the users like."""


class TrackCooccurrence(RelationshipSection):
    min_cooccurrences: AtLeastOne = 2
    """Playlists in which two tracks must stand together."""


class ArtistRelation(RelationshipSection):
    min_shared_fans: AtLeastOne = 2
    """Fans that two artists must share."""
    shrinkage: Cap = 10
    """How much little evidence is held back, the λ of docs/relationships.md; 0: not at all."""


class UserCosine(UserSimilarity):
    enabled: bool = False
    """Whether this type is built."""


class Relationships(Section):
    on_close: bool = True
    """Whether a crawl that ends complete or partial relates at its end."""
    scope: Literal["all", "seeds"] = "all"
    """`all`, or `seeds`: only what was found around the seeds of the crawl."""
    engagement_kinds: Annotated[Names[EngagementKind], Field(min_length=1)] = ("like",)
    """What counts as liking a track: `like`, `repost`, `comment`."""
    user_sample: Share = 1
    """Share of the users that are looked at."""
    sample_seed: Cap = 1
    """Which of them: the same number draws the same users."""
    threads: Cap = 0
    """Threads that look for pairs; 0: one for each processor."""
    memory_mb: Annotated[int, Field(ge=16, le=1_000_000)] = 512
    """Megabytes for pairs on their way to the database; what is beyond waits on the disk."""
    user_similarity: UserSimilarity = UserSimilarity()
    track_cooccurrence: TrackCooccurrence = TrackCooccurrence()
    artist_relation: ArtistRelation = ArtistRelation()
    user_cosine: UserCosine = UserCosine()

    def section(self, name: str) -> RelationshipSection:
        """The settings of a type; the general ones for a type without any of its own."""
        section = getattr(self, name, None)
        return section if isinstance(section, RelationshipSection) else RelationshipSection()


class Embeddings(Section):
    on_close: bool = False
    """Whether a crawl that ends complete or partial makes vectors at its end."""
    method: Method = "svd"
    """How; all but `svd` need packages that `make ml` installs."""
    dimensions: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Numbers in a vector, fewer where the data have no more to say; none: 256 for `svd`, else 64."""
    sources: Annotated[Names[Source], Field(min_length=1)] = ("like",)
    """What counts as liking a track: `like`, `repost`, `comment`, `playlist` (to have it in one of one's
    own).
    """
    random_seed: Cap = 1
    """What is drawn at random follows from it."""


class HarvestConfig(Section):
    deep_harvest: DeepHarvest = DeepHarvest()
    relationships: Relationships = Relationships()
    embeddings: Embeddings = Embeddings()

    @property
    def enabled_layers(self) -> tuple[str, ...]:
        """The layers that ``deep_harvest`` runs, in their fixed order; none when it is switched off whole."""
        harvest = self.deep_harvest
        return tuple(name for name in LAYER_NAMES if harvest.enabled and harvest.layer(name).enabled)

    @property
    def fingerprint_of_all(self) -> str:
        """Changes when any value does; the same on every machine."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def fingerprint(self, layer_name: str) -> str:
        """Changes when the layer would harvest something else; the same on every machine."""
        asked = self.deep_harvest.layer(layer_name).model_dump(mode="json", exclude={"enabled"})
        text = json.dumps([layer_name, asked], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


LAYER_NAMES = tuple(
    name for name, field in DeepHarvest.model_fields.items() if isinstance(field.default, LayerSection)
)


def load(name_or_path: str | None = None) -> HarvestConfig:
    """The configuration in a YAML file: a path, or a name from ``configs/``; without either the defaults."""
    name = DEFAULT_NAME if name_or_path is None else name_or_path
    about = f"configuration {for_message(name) or quote_value(name)}"
    content = _content(name, about)
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{about}: larger than {MAX_FILE_BYTES} bytes: no configuration")
    try:
        return HarvestConfig.model_validate(strict_yaml.read(content))
    except strict_yaml.YamlError as error:
        raise ConfigError(f"{about}: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{about}: {_said(error)}") from error


def changed(section: AnySection, changes: dict[str, Any]) -> AnySection:
    """Give *section* with what the options of a command say; raise ``ArgumentError`` if they are wrong."""
    try:
        return type(section).model_validate(section.model_dump() | changes)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        option = str(detail["loc"][0]).replace("_", "-")
        raise ArgumentError(
            f"option `--{option}`: {_demand(detail)}, not {quote_value(detail['input'])}"
        ) from None


def _content(name: str, about: str) -> bytes:
    # A bare word is never taken for a path, so that a stray file cannot shadow the name.
    if Path(name).suffix in {".yaml", ".yml"} or Path(name).name != name:
        try:
            with Path(name).open("rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise ConfigError(f"{about}: cannot be read: {_reason(error)}") from error
    return _bundled(name, about)


def _bundled(name: str, about: str) -> bytes:
    files = {file.name: file for file in resources.files("configs").iterdir() if file.name.endswith(".yaml")}
    file = files.get(name) or files.get(f"{name}.yaml")
    if file is None:
        names = sorted(name.removesuffix(".yaml") for name in files)
        raise ConfigError(
            f"{about}: no such file, and no name in configs/: {', '.join(names)}{did_you_mean(name, names)}"
        )
    return file.read_bytes()


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _said(error: ValidationError) -> str:
    """The first mistake as one sentence; the others are counted."""
    first, *others = error.errors(include_url=False)
    more = f" (and {len(others)} more)" if others else ""
    return f"{_mistake(first)}{more}"


def _mistake(detail: ErrorDetails) -> str:
    *parents, last = detail["loc"] or ("",)
    if detail["type"] == "extra_forbidden":
        within = f"`{_dotted(parents)}`: " if parents else ""
        return f"{within}unknown key `{for_message(str(last))}`{_suggestion(_dotted(parents), str(last))}"
    key = f"`{_dotted(detail['loc'])}`: " if detail["loc"] else ""
    return f"{key}{_demand(detail)}, not {quote_value(detail['input'])}"


def _demand(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"must be at least {context['ge']:.15g}"
        case "less_than_equal":
            return f"must be at most {context['le']:.15g}"
        case "literal_error":
            return f"must be {context['expected']}".replace("'", "")
        case "greater_than":
            return f"must be more than {context['gt']:.15g}"
        case "repeated" | "decimals":
            return detail["msg"]
        case kind:
            return f"must be {_KINDS.get(kind, 'something else')}"


_KINDS = {
    "int_type": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "too_short": "a list of at least one entry",
    "model_type": "a mapping",
}


def _dotted(location: list[int | str] | tuple[int | str, ...]) -> str:
    return for_message(".".join(str(part) for part in location))


def _suggestion(section: str, word: str) -> str:
    """The key that was meant: one of the same section, else the only one of that name anywhere."""
    paths = list(_paths(HarvestConfig()))
    siblings = [key for parent, key in paths if parent == section]
    elsewhere = [f"{parent}.{key}" for parent, key in paths if key == word]
    if len(elsewhere) == 1:
        return f" (did you mean `{elsewhere[0]}`?)"
    return did_you_mean(word, siblings)


def _paths(section: Section, within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in section:
        yield within, key
        if isinstance(value, Section):
            yield from _paths(value, f"{within}.{key}".lstrip("."))
