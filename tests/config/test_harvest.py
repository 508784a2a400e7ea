from __future__ import annotations

import re
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.config.harvest import LAYER_NAMES, HarvestConfig, load
from sgr_spiders.model.exceptions import ConfigError

DEFAULTS: dict[str, Any] = {
    "enabled": True,
    "request_delay": 0.3,
    "freshness_days": 7,
    "full_refresh_days": 28,
    "max_gone_share": 0.05,
    "like_times": True,
    "user_depth": {
        "enabled": True,
        "max_users_per_track": 500,
        "max_tracks_per_user": 500,
        "include_reposters": True,
    },
    "playlist_depth": {
        "enabled": True,
        "max_playlists": 200,
        "max_tracks_per_playlist": 500,
        "include_artist_playlists": True,
        "include_liker_playlists": True,
        "max_likers": 50,
        "max_playlists_per_liker": 50,
        "max_search_playlists": 50,
    },
    "artist_depth": {
        "enabled": True,
        "max_artist_tracks": 1000,
        "include_remixes": True,
        "include_features": True,
    },
    "semantic_depth": {
        "enabled": True,
        "fuzzy_search_limit": 100,
        "name_similarity_threshold": 0.6,
        "max_key_terms": 3,
    },
    "commentary_layer": {
        "enabled": True,
        "max_commenters": 100,
        "min_comment_length": 0,
        "harvest_commenter_libraries": True,
        "html_fallback": False,
    },
    "label_layer": {
        "enabled": True,
        "max_labels_per_track": 3,
        "max_catalog_size": 200,
        "detection_methods": ["label_field", "description_parsing", "publisher_metadata"],
    },
    "contextual_layer": {
        "enabled": True,
        "max_entities": 10,
        "max_tracks_per_entity": 50,
        "extraction_patterns": ["mentions", "featuring", "remixes", "production"],
    },
}

RELATIONSHIPS: dict[str, Any] = {
    "on_close": True,
    "scope": "all",
    "engagement_kinds": ["like"],
    "include_unseen": False,
    "include_removed": False,
    "user_sample": 1,
    "sample_seed": 1,
    "threads": 0,
    "memory_mb": 512,
    "max_pairs": 50_000_000,
    "significance": "bicm",
    "validated": None,
    "user_similarity": {
        "enabled": True,
        "top_k": None,
        "min_common_tracks": 3,
        "min_similarity": 0.1,
        "max_library_share": 1,
    },
    "track_cooccurrence": {
        "enabled": True,
        "top_k": None,
        "min_cooccurrences": 2,
        "playlists": "all",
        "weighting": "count",
        "max_contribution": None,
    },
    "artist_relation": {"enabled": True, "top_k": None, "min_shared_fans": 2, "shrinkage": 10},
    "user_cosine": {
        "enabled": False,
        "top_k": None,
        "min_common_tracks": 3,
        "min_similarity": 0.1,
        "max_library_share": 1,
    },
}

EMBEDDINGS: dict[str, Any] = {
    "on_close": False,
    "method": "svd",
    "dimensions": None,
    "sources": ["like"],
    "include_unseen": False,
    "include_removed": False,
    "random_seed": 1,
}
RETENTION: dict[str, Any] = {
    "on_gone": "keep",
    "raw": None,
    "comment_texts": None,
    "descriptions": None,
    "personal_fields": None,
    "removed_rows": None,
    "page_ledgers": None,
    "counters": None,
    "runs": None,
    "users": "keep",
    "after_runs": False,
}
WHOLE = {
    "deep_harvest": DEFAULTS,
    "relationships": RELATIONSHIPS,
    "relate": {"every_minutes": 0},
    "communities": {"on_close": False, "by": "listeners", "resolution": 1.0, "validated": 0.05},
    "embeddings": EMBEDDINGS,
    "retention": RETENTION,
}


def of(tmp_path: Path, text: str | bytes) -> HarvestConfig:
    path = tmp_path / "my.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(str(path))


def error_of(tmp_path: Path, text: str | bytes) -> str:
    """Check that the message names the file; return the rest of it."""
    with pytest.raises(ConfigError) as caught:
        of(tmp_path, text)
    message = str(caught.value)
    assert message.isprintable()
    assert "my.yaml: " in message
    return message.split("my.yaml: ", 1)[1]


# ---- defaults and bundled files


def test_the_file_contains_exactly_the_documented_defaults() -> None:
    text = resources.files("configs").joinpath("deep_harvest.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == WHOLE


def test_the_files_defaults_are_those_of_a_missing_key() -> None:
    assert load() == load("deep_harvest") == load("deep_harvest.yaml") == HarvestConfig()
    assert HarvestConfig().model_dump(mode="json") == WHOLE


def test_layers_are_in_the_order_of_the_file() -> None:
    assert tuple(key for key, value in DEFAULTS.items() if isinstance(value, dict)) == LAYER_NAMES


def test_the_sandbox_differs_in_the_delay_alone() -> None:
    sandbox = load("sandbox").deep_harvest
    assert sandbox.request_delay == 0
    assert sandbox.model_copy(update={"request_delay": 0.3}) == load().deep_harvest


@pytest.mark.parametrize("name", ["deep_harvst", "nothing.yaml", "nowhere/deep_harvest", "a\nb", ""])
def test_a_missing_file_names_those_that_exist(name: str) -> None:
    with pytest.raises(ConfigError, match="deep_harvest, multi_layer, sandbox") as caught:
        load(name)
    assert str(caught.value).isprintable()


def test_a_file_of_the_working_directory_wins_over_a_bundled_one_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sandbox.yaml", "sandbox"):
        (tmp_path / name).write_text("deep_harvest: {request_delay: 5}")
    assert load("sandbox.yaml").deep_harvest.request_delay == 5
    assert load("./sandbox").deep_harvest.request_delay == 5
    assert load("sandbox").deep_harvest.request_delay == 0


# ---- a user's file


def test_a_file_may_contain_only_what_differs(tmp_path: Path) -> None:
    config = of(
        tmp_path, "deep_harvest: {user_depth: {max_users_per_track: 3}, label_layer: {enabled: false}}"
    )
    expected = DEFAULTS | {
        "user_depth": DEFAULTS["user_depth"] | {"max_users_per_track": 3},
        "label_layer": DEFAULTS["label_layer"] | {"enabled": False},
    }
    assert config.model_dump(mode="json") == WHOLE | {"deep_harvest": expected}
    assert config.enabled_layers == tuple(name for name in LAYER_NAMES if name != "label_layer")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "---\n",
        "deep_harvest:\n",
        "deep_harvest:\n  user_depth:\n",
        "\ufeffdeep_harvest:\n",
    ],
)
def test_an_empty_file_or_section_means_the_defaults(tmp_path: Path, text: str) -> None:
    assert of(tmp_path, text) == HarvestConfig()


def test_no_layer_is_enabled_if_deep_harvest_is_not(tmp_path: Path) -> None:
    assert of(tmp_path, "deep_harvest: {enabled: false}").enabled_layers == ()


def test_seconds_may_be_an_integer_and_a_cap_may_be_zero(tmp_path: Path) -> None:
    harvest = of(
        tmp_path, "deep_harvest: {request_delay: 1, user_depth: {max_users_per_track: 0}}"
    ).deep_harvest
    assert harvest.request_delay == 1
    assert harvest.user_depth.max_users_per_track == 0


def test_a_layer_is_found_by_name() -> None:
    harvest = load().deep_harvest
    assert harvest.layer("user_depth") is harvest.user_depth
    for name in ("enabled", "no_such_layer", "model_config"):
        with pytest.raises(KeyError):
            harvest.layer(name)


def test_configurations_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().deep_harvest.user_depth.max_users_per_track = 1  # type: ignore[misc]


# ---- mistakes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "user_depth: {max_users_per_track: -5}",
            "`user_depth.max_users_per_track`: must be at least 0, not -5",
        ),
        (
            "user_depth: {max_users_per_track: 1000000001}",
            "`user_depth.max_users_per_track`: must be at most 1000000000, not 1000000001",
        ),
        (
            'user_depth: {max_users_per_track: "500"}',
            "`user_depth.max_users_per_track`: must be an integer, not '500'",
        ),
        (
            "user_depth: {max_users_per_track: true}",
            "`user_depth.max_users_per_track`: must be an integer, not True",
        ),
        (
            "user_depth: {max_users_per_track: 1.0}",
            "`user_depth.max_users_per_track`: must be an integer, not 1.0",
        ),
        (
            "user_depth: {max_users_per_track: }",
            "`user_depth.max_users_per_track`: must be an integer, not None",
        ),
        ("user_depth: {enabled: 1}", "`user_depth.enabled`: must be true or false, not 1"),
        ("user_depth: [1]", "`user_depth`: must be a mapping, not [1]"),
        ("request_delay: -0.5", "`request_delay`: must be at least 0, not -0.5"),
        ("request_delay: 3601", "`request_delay`: must be at most 3600, not 3601"),
        ("request_delay: 1.0e+999", "`request_delay`: must be a finite number, not inf"),
        ("request_delay: fast", "`request_delay`: must be a number, not 'fast'"),
        ("freshness_days: -1", "`freshness_days`: must be at least 0, not -1"),
        (
            "semantic_depth: {name_similarity_threshold: 1.5}",
            "`semantic_depth.name_similarity_threshold`: must be at most 1, not 1.5",
        ),
        (
            "label_layer: {detection_methods: label_field}",
            "`label_layer.detection_methods`: must be a list, not 'label_field'",
        ),
        (
            "label_layer: {detection_methods: [label_field, guess]}",
            (
                "`label_layer.detection_methods.1`: must be label_field, description_parsing or "
                "publisher_metadata, not 'guess'"
            ),
        ),
        (
            "contextual_layer: {extraction_patterns: [remixes, mentions, remixes]}",
            (
                "`contextual_layer.extraction_patterns`: must contain `remixes` only once, "
                "not ['remixes', 'mentions', 'remixes']"
            ),
        ),
    ],
)
def test_a_bad_value_is_named_with_its_key(tmp_path: Path, line: str, message: str) -> None:
    assert error_of(tmp_path, f"deep_harvest:\n  {line}\n") == message.replace("`", "`deep_harvest.", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "deep_harvest: {user_depth: {max_user_per_track: 1}}",
            (
                "`deep_harvest.user_depth`: unknown key `max_user_per_track` "
                "(did you mean `max_users_per_track`?)"
            ),
        ),
        ("deep_harvst: {}", "unknown key `deep_harvst` (did you mean `deep_harvest`?)"),
        ("user_depth: {}", "unknown key `user_depth` (did you mean `deep_harvest.user_depth`?)"),
        (
            "deep_harvest: {max_likers: 1}",
            (
                "`deep_harvest`: unknown key `max_likers` "
                "(did you mean `deep_harvest.playlist_depth.max_likers`?)"
            ),
        ),
        ("deep_harvest: {zzz: 1}", "`deep_harvest`: unknown key `zzz`"),
        (
            "deep_harvest: {zzz: 1, request_delay: x}",
            "`deep_harvest.request_delay`: must be a number, not 'x' (and 1 more)",
        ),
        ("deep_harvest: 7", "`deep_harvest`: must be a mapping, not 7"),
        ("- a", "must be a mapping, not ['a']"),
        ("text", "must be a mapping, not 'text'"),
        ("a: 1\nb: [", "line 2: expected the node content, but found '<stream end>'"),
        ("deep_harvest:\n\tenabled: true", "line 2: found character '\\t' that cannot start any token"),
        ("deep_harvest: {}\n---\n", "line 2: but found another document"),
        ("deep_harvest:\n  enabled: true\n  enabled: false", "line 3: `enabled` is a duplicate key"),
        ("deep_harvest:\n  1: x", "line 2: a key must be a string, not 1"),
        ("deep_harvest:\n  [a]: x", "line 2: a key must be a string, not ['a']"),
        (
            "x: !!python/object/apply:os.system [id]",
            "line 1: could not determine a constructor for",
        ),
        ("x: *missing", "line 1: found undefined alias 'missing'"),
        ("x: 2026-02-31", "line 1: must not be a date, not '2026-02-31'"),
        ("x: 2026-11-27", "line 1: must not be a date, not '2026-11-27'"),
        ("x: 0100", "line 1: must be written in decimal digits, not '0100'"),
        ("x: 1:30", "line 1: must be written in decimal digits, not '1:30'"),
        ("x: 1:30.5", "line 1: must be written in decimal digits, not '1:30.5'"),
        ("x: 0x1F", "line 1: must be written in decimal digits, not '0x1F'"),
        ("x: 1_000", "line 1: must be written in decimal digits, not '1_000'"),
        ("x: 1_000.5", "line 1: must be written in decimal digits, not '1_000.5'"),
        ("x: .inf", "line 1: must be written in decimal digits, not '.inf'"),
        ("x: .NaN", "line 1: must be written in decimal digits, not '.NaN'"),
        ("x: yes", "line 1: must be written `true` or `false`, not 'yes'"),
        ("x: [on]", "line 1: must be written `true` or `false`, not 'on'"),
        ("x: Off", "line 1: must be written `true` or `false`, not 'Off'"),
        ("no: 1", "line 1: must be written `true` or `false`, not 'no'"),
        ('x: !!int ""', "line 1: a value that cannot be read"),
        ("x: !!bool maybe", "line 1: a value that cannot be read"),
        (b"x: \xff\xfe", "not UTF-8 text: "),
        ("[" * 30_000, "nested too deeply"),
        ("#" * 65_537, "larger than 65536 bytes; not a configuration"),
    ],
)
def test_a_file_that_is_not_a_configuration(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert error_of(tmp_path, text).startswith(message)
    assert len(error_of(tmp_path, text)) < 250


def test_a_file_may_be_as_large_as_64_kib(tmp_path: Path) -> None:
    assert of(tmp_path, "#" * 65_536) == HarvestConfig()


def test_a_hostile_file_is_refused_at_once(tmp_path: Path) -> None:
    doubling = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    error_of(tmp_path, f"a0: &a0 [x]\n{doubling}deep_harvest: *a29\n")
    error_of(tmp_path, f"deep_harvest: {{request_delay: 0x{'f' * 60_000}}}")
    error_of(tmp_path, "deep_harvest: &itself [*itself]")
    error_of(tmp_path, 'deep_harvest: "\\u202e\\e[2J"')


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    for name in ("folder.yaml", "loop.yaml", "null\0.yaml"):
        with pytest.raises(ConfigError, match=r"\.yaml: cannot be read: ") as caught:
            load(str(tmp_path / name))
        assert str(caught.value).isprintable()


@given(
    st.binary(max_size=300) | st.text(alphabet=":{}[]&*!|>-#,'\"\n abenx01?%", max_size=80).map(str.encode)
)
def test_invalid_content_raises_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "my.yaml"
    path.write_bytes(content)
    with suppress(ConfigError):
        load(str(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "scope: some",
            "`relationships.scope`: must be all or seeds, not 'some'",
        ),
        (
            "engagement_kinds: []",
            "`relationships.engagement_kinds`: must be a list of at least one entry, not []",
        ),
        ("user_sample: 0", "`relationships.user_sample`: must be more than 0, not 0"),
        ("max_pairs: 0", "`relationships.max_pairs`: must be at least 1, not 0"),
        ("validated: 1", "`relationships.validated`: must be less than 1, not 1"),
        ("validated: 0", "`relationships.validated`: must be more than 0, not 0"),
        (
            "{significance: none, validated: 0.05}",
            "`relationships.validated`: must be null if `significance` is `none`, not 0.05",
        ),
        (
            "significance: curveball",
            "`relationships.significance`: must be bicm or none, not 'curveball'",
        ),
        ("memory_mb: 15", "`relationships.memory_mb`: must be at least 16, not 15"),
        (
            "user_similarity: {top_k: 0}",
            "`relationships.user_similarity.top_k`: must be at least 1, not 0",
        ),
        (
            "user_similarity: {min_similarity: 0.1234567}",
            "`relationships.user_similarity.min_similarity`: must have at most 6 decimals, not 0.1234567",
        ),
        (
            "track_cooccurrence: {min_cooccurences: 1}",
            (
                "`relationships.track_cooccurrence`: unknown key `min_cooccurences` "
                "(did you mean `min_cooccurrences`?)"
            ),
        ),
    ],
)
def test_a_bad_value_of_the_relationships(tmp_path: Path, line: str, message: str) -> None:
    assert error_of(tmp_path, f"relationships:\n  {line}\n") == message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("raw: -1", "`retention.raw`: must be at least 0, not -1"),
        ("personal_fields: never", "`retention.personal_fields`: must be a number, not 'never'"),
        ("runs: 40000", "`retention.runs`: must be at most 36500, not 40000"),
        ("users: drop it", "`retention.users`: must be keep, pseudonymise or drop, not 'drop it'"),
        ("comment_text: 1", "`retention`: unknown key `comment_text` (did you mean `comment_texts`?)"),
    ],
)
def test_a_bad_value_of_the_retention(tmp_path: Path, line: str, message: str) -> None:
    assert error_of(tmp_path, f"retention:\n  {line}\n") == message


def test_days_of_retention_may_be_zero_or_a_part_of_a_day(tmp_path: Path) -> None:
    retention = of(tmp_path, "retention: {raw: 0, runs: 0.5, users: drop, after_runs: true}").retention
    assert (retention.raw, retention.runs, retention.users, retention.after_runs) == (0, 0.5, "drop", True)
    assert not retention.keeps_everything
    assert of(tmp_path, "retention: {after_runs: true}").retention.keeps_everything


# ---- fingerprints


def test_a_fingerprint_changes_with_what_the_layer_harvests(tmp_path: Path) -> None:
    default, off, raised, elsewhere = (
        of(tmp_path, f"deep_harvest: {{{text}}}").fingerprint("user_depth")
        for text in (
            "",
            "user_depth: {enabled: false}",
            "user_depth: {max_users_per_track: 501}",
            "label_layer: {max_catalog_size: 1}, request_delay: 2, freshness_days: 1",
        )
    )
    assert default == off == elsewhere != raised


def test_relationships_do_not_change_the_fingerprint_of_a_layer(tmp_path: Path) -> None:
    related = of(tmp_path, "relationships: {on_close: false, user_similarity: {top_k: 5}}")
    assert related != load()
    assert all(related.fingerprint(name) == load().fingerprint(name) for name in LAYER_NAMES)


def test_fingerprints_are_stable_and_of_one_layer_each() -> None:
    config = load()
    assert config.fingerprint("user_depth") == "f798d3937d5ceff8"  # stored in users' databases
    fingerprints = {config.fingerprint(name) for name in LAYER_NAMES}
    assert len(fingerprints) == len(LAYER_NAMES)
    assert all(re.fullmatch("[0-9a-f]{16}", fingerprint) for fingerprint in fingerprints)


def test_the_profile_of_earlier_tools() -> None:
    """It samples with three layers, and relates while it collects; all else is the default."""
    profile, default = load("multi_layer"), load()
    assert profile.enabled_layers == ("user_depth", "playlist_depth", "artist_depth")
    users, playlists = profile.deep_harvest.user_depth, profile.deep_harvest.playlist_depth
    assert (users.max_users_per_track, users.max_tracks_per_user, users.include_reposters) == (50, 100, False)
    assert (playlists.max_playlists, playlists.max_tracks_per_playlist) == (20, 100)
    assert profile.relate.every_minutes > 0
    assert (profile.deep_harvest.artist_depth, profile.relationships) == (
        default.deep_harvest.artist_depth,
        default.relationships,
    )
