"""The configuration of a harvest: its keys and defaults, and the checks of configuration files.

A user's file contains only values that differ from the defaults. A cap of 0 requests nothing.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sgr_spiders.config import strict_yaml
from sgr_spiders.config.choices import EngagementKind, Method, Source  # noqa: TC001 - pydantic reads them
from sgr_spiders.config.packages import CONFIGS
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import ErrorDetails

DEFAULT_NAME = "deep_harvest"
MAX_FILE_BYTES = 64 * 1024
DECIMALS = 6
"""Maximum decimals of a threshold, which is compared exactly as a fraction."""

Name = TypeVar("Name", bound=str)


def _refuse_duplicates(names: tuple[Name, ...]) -> tuple[Name, ...]:
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise PydanticCustomError("repeated", "must contain `{name}` only once", {"name": repeated})
    return names


def _refuse_decimals(value: float) -> float:
    if round(value, DECIMALS) != value:
        raise PydanticCustomError("decimals", "must have at most {decimals} decimals", {"decimals": DECIMALS})
    return value


Cap = Annotated[int, Field(ge=0, le=1_000_000_000)]
# Not strict, because YAML has lists and no tuples; the entries are checked nevertheless.
Names = Annotated[tuple[Name, ...], Field(strict=False), AfterValidator(_refuse_duplicates)]
DetectionMethod = Literal["label_field", "description_parsing", "publisher_metadata"]
ExtractionPattern = Literal["mentions", "featuring", "remixes", "production"]


class Section(BaseModel):
    """A mapping of the file. An empty one, e.g. with every line commented out, means the defaults."""

    # The docstring of a field is its description in docs/reference.md.
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
    """Run the layer in `deep_harvest`. Its own spider ignores this."""


class UserDepth(LayerSection):
    max_users_per_track: Cap = 500
    """Likers whose libraries are harvested, and as many reposters."""
    max_tracks_per_user: Cap = 500
    """Liked tracks per user."""
    include_reposters: bool = True
    """Also harvest the libraries of users who reposted the seed."""


class PlaylistDepth(LayerSection):
    max_playlists: Cap = 200
    """Playlists kept: first those with the seed, then the artist's others."""
    max_tracks_per_playlist: Cap = 500
    """Tracks kept per playlist, in its order."""
    include_artist_playlists: bool = True
    """Search the artist's playlists."""
    include_liker_playlists: bool = True
    """Search the playlists of the top likers."""
    max_likers: Cap = 50
    """Likers whose playlists are searched, those with most followers first."""
    max_playlists_per_liker: Cap = 50
    """Playlists searched per liker."""
    max_search_playlists: Cap = 50
    """Playlists searched that the seed's title finds."""


class ArtistDepth(LayerSection):
    max_artist_tracks: Cap = 1000
    """The artist's own uploads, and as many tracks by others that credit the artist."""
    include_remixes: bool = True
    """Search for the artist's remixes of tracks by others."""
    include_features: bool = True
    """Search for tracks by others that feature or credit the artist."""


class SemanticDepth(LayerSection):
    fuzzy_search_limit: Cap = 100
    """Search results read per key term."""
    name_similarity_threshold: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Minimum similarity of the title of a result: 0 keeps everything, 1 only the same words."""
    max_key_terms: Cap = 3
    """Key terms of the seed's title to search for."""


class CommentaryLayer(LayerSection):
    max_commenters: Cap = 100
    """Distinct commenters after which no further page of comments is read."""
    min_comment_length: Cap = 0
    """Minimum characters of a comment whose author's library is harvested; every comment is kept."""
    harvest_commenter_libraries: bool = True
    """Harvest the libraries of the commenters."""
    html_fallback: bool = False
    """Read the rendered track page if the API returns no comments; see docs/terms.md first."""


class LabelLayer(LayerSection):
    max_labels_per_track: Cap = 3
    """Labels of the seed whose catalogues are harvested."""
    max_catalog_size: Cap = 200
    """Distinct tracks per label, from uploads and search in total."""
    detection_methods: Names[DetectionMethod] = ("label_field", "description_parsing", "publisher_metadata")
    """Sources of label names."""


class ContextualLayer(LayerSection):
    max_entities: Cap = 10
    """Collaborators of the seed whose tracks are harvested: credited ones first, then mentioned ones."""
    max_tracks_per_entity: Cap = 50
    """Distinct tracks per collaborator, from uploads and search in total."""
    extraction_patterns: Names[ExtractionPattern] = ("mentions", "featuring", "remixes", "production")
    """Kinds of collaborators to detect."""


class DeepHarvest(Section):
    enabled: bool = True
    """Run layers in the spider `deep_harvest`."""
    request_delay: Annotated[float, Field(ge=0, le=3600)] = 0.3
    """Minimum seconds between two requests."""
    freshness_days: Annotated[float, Field(ge=0, le=36_500)] = 7
    """Days after which a later run refetches a finished walk."""
    full_refresh_days: Annotated[float, Field(ge=0, le=36_500)] = 28
    """Days in which a refresh by delta looks at each list whole; see docs/operations.md."""
    max_gone_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of the walks with data that may be gone when refetched, or 4 of them; see `accept_gone`."""
    like_times: bool = True
    """Store when likes and reposts were given, as far as it is known; see docs/like_times.md."""
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
# Compared exactly, as fractions; with more decimals the comparison would not fit into 64 bits.
Threshold = Annotated[float, Field(ge=0, le=1), AfterValidator(_refuse_decimals)]
AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000_000)]


class RelationshipSection(Section):
    enabled: bool = True
    """Build this type."""
    top_k: AtLeastOne | None = None
    """Keep only pairs in which one node is among the K nearest of the other; none: all pairs."""


class UserSimilarity(RelationshipSection):
    min_common_tracks: AtLeastOne = 3
    """Minimum number of tracks that both users like."""
    min_similarity: Threshold = 0.1
    """Minimum similarity, from 0 to 1."""
    max_library_share: Share = 1
    """Ignore tracks that more than this share of the users like."""


PlaylistChoice = Literal["all", "curated", "albums"]


class TrackCooccurrence(RelationshipSection):
    min_cooccurrences: AtLeastOne = 2
    """Minimum number of playlists that contain both tracks."""
    playlists: PlaylistChoice = "all"
    """`all`, `albums` (playlists of their owner's own tracks, also EPs), or `curated`: all others."""
    weighting: Literal["count", "size"] = "count"
    """Value of a playlist of n tracks in `weight`: 1 (`count`), or 1/(n - 1) (`size`)."""
    max_contribution: AtLeastOne | None = None
    """Maximum number of playlists of one owner that count for a pair; none: all."""


class ArtistRelation(RelationshipSection):
    min_shared_fans: AtLeastOne = 2
    """Minimum number of fans that two artists share."""
    shrinkage: Cap = 10
    """Penalty for little evidence, the λ of docs/relationships.md; 0: none."""


class UserCosine(UserSimilarity):
    enabled: bool = False
    """Build this type."""


class Relationships(Section):
    on_close: bool = True
    """Build relationships after a crawl that ends complete or partial."""
    scope: Literal["all", "seeds"] = "all"
    """`all`, or `seeds`: only the data around the seeds of the crawl."""
    engagement_kinds: Annotated[Names[EngagementKind], Field(min_length=1)] = ("like",)
    """Interactions that count as liking a track: `like`, `repost`, `comment`."""
    include_unseen: bool = False
    """Include users and playlists whose library was not looked at, of whom only single likes are known."""
    include_removed: bool = False
    """Include what has been removed from its list, e.g. tracks that are no longer liked."""
    user_sample: Share = 1
    """Share of the users to sample."""
    sample_seed: Cap = 1
    """Random seed of the sample."""
    threads: Cap = 0
    """Threads that search for pairs; 0: one per processor."""
    memory_mb: Annotated[int, Field(ge=16, le=1_000_000)] = 512
    """Megabytes for pairs before they are written; the rest is buffered on disk."""
    max_pairs: AtLeastOne = 50_000_000
    """Maximum number of pairs per type; a table that would have more keeps the nearest of each node."""
    significance: Literal["bicm", "none"] = "bicm"
    """Null model of the columns `expected`, `lift`, `p` and `q`; `none`: they are null."""
    validated: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Keep only pairs with this `q` or less, e.g. 0.05; none: all pairs."""
    user_similarity: UserSimilarity = UserSimilarity()
    track_cooccurrence: TrackCooccurrence = TrackCooccurrence()
    artist_relation: ArtistRelation = ArtistRelation()
    user_cosine: UserCosine = UserCosine()

    @field_validator("validated")
    @classmethod
    def _refuse_untested(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("significance") == "none":
            raise PydanticCustomError("untested", "must be null if `significance` is `none`")
        return value

    def section(self, name: str) -> RelationshipSection:
        """Return the settings of a type; the general ones for a type without its own."""
        section = getattr(self, name, None)
        return section if isinstance(section, RelationshipSection) else RelationshipSection()


class Relate(Section):
    every_minutes: Annotated[float, Field(ge=0, le=100_000)] = 0
    """Minutes between two updates of the relationships while a crawl runs; 0: only after it."""


class Communities(Section):
    on_close: bool = False
    """Build communities after a crawl that ends complete or partial, if it builds relationships."""
    by: Literal["listeners", "pairs"] = "listeners"
    """Origin of the communities of tracks and artists: those of their `listeners`, or their own `pairs`."""
    resolution: Annotated[float, Field(gt=0, le=1_000)] = 1.0
    """Larger values give more and smaller communities; 1 is modularity."""
    validated: Annotated[float, Field(gt=0, le=1)] | None = 0.05
    """Maximum `q` of a pair to count; none: all pairs count."""


class Embeddings(Section):
    on_close: bool = False
    """Build vectors after a crawl that ends complete or partial."""
    method: Method = "svd"
    """Embedding method; all but `svd` and `blend` need packages that `make ml` installs."""
    dimensions: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Maximum length of a vector; none: 512 for `blend`, 256 for `svd` and `als`, else 64."""
    sources: Annotated[Names[Source], Field(min_length=1)] = ("like",)
    """Interactions that count as liking a track: `like`, `repost`, `comment`, `playlist` (the user's own)."""
    include_unseen: bool = False
    """As in `relationships`."""
    include_removed: bool = False
    """As in `relationships`."""
    random_seed: Cap = 1
    """Random seed."""


Days = Annotated[float, Field(ge=0, le=36_500)]


class Retention(Section):
    on_gone: Literal["keep", "forget"] = "keep"
    """`forget`: after the runs as in `after_runs`, forget the records that are gone or private."""
    raw: Days | None = None
    """Days to keep `raw`, the fields without a column; none: for ever, here and below."""
    comment_texts: Days | None = None
    """Days to keep the texts of comments."""
    descriptions: Days | None = None
    """Days to keep the descriptions of tracks, playlists and users."""
    personal_fields: Days | None = None
    """Days to keep the names, places, links and avatars of users."""
    removed_rows: Days | None = None
    """Days to keep what was removed, counted from `removed_at`."""
    page_ledgers: Days | None = None
    """Days to keep the pages and rejects of looks at a list that a later look has replaced."""
    counters: Days | None = None
    """Days to keep the values of counters over time that a later value has replaced, counted from then."""
    runs: Days | None = None
    """Days to keep the runs that nothing refers to, except the newest of each harvest."""
    users: Literal["keep", "pseudonymise", "drop"] = "keep"
    """`pseudonymise`: replace IDs and names by hashes; `drop`: delete users with their likes and comments."""
    after_runs: bool = False
    """Apply these rules also after each run that ends complete, partial or unfinished."""

    @property
    def keeps_everything(self) -> bool:
        """True if no rule of `scrapy prune` removes anything."""
        return self == Retention(after_runs=self.after_runs, on_gone=self.on_gone)


class HarvestConfig(Section):
    deep_harvest: DeepHarvest = DeepHarvest()
    relationships: Relationships = Relationships()
    relate: Relate = Relate()
    communities: Communities = Communities()
    embeddings: Embeddings = Embeddings()
    retention: Retention = Retention()

    @property
    def enabled_layers(self) -> tuple[str, ...]:
        """The layers that ``deep_harvest`` runs, in their fixed order; none if it is disabled."""
        harvest = self.deep_harvest
        return tuple(name for name in LAYER_NAMES if harvest.enabled and harvest.layer(name).enabled)

    @property
    def as_json(self) -> str:
        """All values, also the defaults."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @property
    def fingerprint_of_all(self) -> str:
        """Hash of all values, the same on every machine."""
        return hashlib.sha256(self.as_json.encode()).hexdigest()[:16]

    def fingerprint(self, layer_name: str) -> str:
        """Return a hash of the settings that determine what a layer harvests, the same on every machine."""
        asked = self.deep_harvest.layer(layer_name).model_dump(mode="json", exclude={"enabled"})
        text = json.dumps([layer_name, asked], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


LAYER_NAMES = tuple(
    name for name, field in DeepHarvest.model_fields.items() if isinstance(field.default, LayerSection)
)


def load(name_or_path: str | None = None) -> HarvestConfig:
    """Load a YAML file given by path or by its name in ``configs/``; ``None`` loads the defaults.

    A text in braces is YAML itself.
    """
    name = DEFAULT_NAME if name_or_path is None else name_or_path
    is_content = _is_content(name)
    about = "configuration given" if is_content else f"configuration {for_message(name) or quote_value(name)}"
    content = name.encode(errors="replace") if is_content else _read_content(name, about)
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"{about}: larger than {MAX_FILE_BYTES} bytes; not a configuration")
    try:
        return HarvestConfig.model_validate(strict_yaml.read(content))
    except strict_yaml.YamlError as error:
        raise ConfigError(f"{about}: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{about}: {_describe(error)}") from error


def short_name(name_or_path: str) -> str:
    """Return the name of a configuration without its directory and content, to be shown to others."""
    return "a mapping" if _is_content(name_or_path) else Path(name_or_path).name


def _is_content(name: str) -> bool:
    return name.startswith("{")


def name_option(key: str) -> str:
    """Return the option of commands that changes this key."""
    return f"option `--{key.replace('_', '-')}`"


def override(
    section: AnySection, changes: dict[str, Any], name: Callable[[str], str] = name_option
) -> AnySection:
    """Return *section* with the *changes*; *name* returns what an error calls the one of a key.

    Raises:
        ArgumentError: One of them is invalid.
    """
    try:
        return type(section).model_validate(section.model_dump() | changes)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        named = name(str(detail["loc"][0]))
        raise ArgumentError(f"{named}: {_demand(detail)}, not {quote_value(detail['input'])}") from None


def _read_content(name: str, about: str) -> bytes:
    # A bare word is never a path, so that a stray file cannot shadow the name.
    if Path(name).suffix in {".yaml", ".yml"} or Path(name).name != name:
        try:
            with Path(name).open("rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise ConfigError(f"{about}: cannot be read: {_reason(error)}") from error
    return _read_bundled(name, about)


def _read_bundled(name: str, about: str) -> bytes:
    files = {file.name: file for file in resources.files(CONFIGS).iterdir() if file.name.endswith(".yaml")}
    file = files.get(name) or files.get(f"{name}.yaml")
    if file is None:
        names = sorted(name.removesuffix(".yaml") for name in files)
        raise ConfigError(
            f"{about}: no such file; names in configs/ are {', '.join(names)}{did_you_mean(name, names)}"
        )
    return file.read_bytes()


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _describe(error: ValidationError) -> str:
    """Return the first error as one sentence, and the number of the others."""
    first, *others = error.errors(include_url=False)
    more = f" (and {len(others)} more)" if others else ""
    return f"{_describe_detail(first)}{more}"


def _describe_detail(detail: ErrorDetails) -> str:
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
        case "greater_than" | "less_than":
            word, limit = ("more", context["gt"]) if "gt" in context else ("less", context["lt"])
            return f"must be {word} than {limit:.15g}"
        case "repeated" | "decimals" | "untested":
            return detail["msg"]
        case kind:
            return f"must be {_KINDS.get(kind, 'of the expected type')}"


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
    """Return a hint at the only key of that name anywhere, otherwise at a similar key of the section."""
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
