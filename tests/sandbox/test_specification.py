"""Every response satisfies SoundCloud's own OpenAPI document, if it is available."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
import requests
import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.reference import note
from tests.sandbox.client import ALL, TIMEOUT_S, ApiClient
from tests.sandbox_process import SandboxProcess

# The document marks few fields nullable, although these are null in its own examples and in recorded
# responses. Only the two changes in `document` relax anything else.
NULLABLE = {
    "Track": (
        "artwork_url bpm description genre isrc key_signature label_name metadata_artist purchase_title "
        "purchase_url release release_day release_month release_year user_favorite user_playback_count "
        "secret_uri available_country_codes playback_count favoritings_count comment_count download_count"
    ),
    "User": "city country description discogs_name website website_title",
    "Playlist": (
        "artwork_url description ean genre label_id label_name purchase_title purchase_url release "
        "release_day release_month release_year"
    ),
    "Comment": "timestamp user",
    "Tracks": "next_href",
    "Users": "next_href",
    "Playlists": "next_href",
}


@cache
def document() -> dict[str, Any]:
    text: dict[str, Any] = yaml.safe_load(note("soundcloud/openapi.yaml").read_text(encoding="utf-8"))
    schemas = text["components"]["schemas"]
    for name, fields in NULLABLE.items():
        for field in fields.split():
            schemas[name]["properties"][field]["nullable"] = True
    # Declared as a string, but its example is an integer, and the API sends both.
    timestamp = schemas["Comment"]["properties"]["timestamp"]
    timestamp.pop("type")
    timestamp["anyOf"] = [{"type": "string", "nullable": True}, {"type": "integer"}]
    # The API's dates are not RFC 3339, as the examples show, although the User schema says so.
    for field in ("created_at", "last_modified"):
        schemas["User"]["properties"][field].pop("format")
    return text


def pointer(document_: dict[str, Any], reference: str) -> dict[str, Any]:
    found: Any = document_
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    result: dict[str, Any] = found
    return result


def schema_for(path: str, status: int, method: str = "get") -> dict[str, Any] | None:
    """Return the document's schema for this status, or its error schema if it lists none."""
    responses = document()["paths"][path][method]["responses"]
    response = responses.get(str(status))
    if response is None:
        return {"$ref": "#/components/schemas/Error"}
    if "$ref" in response:
        response = pointer(document(), response["$ref"])
    for media in response.get("content", {}).values():
        schema: dict[str, Any] | None = media.get("schema")
        return schema
    return None


def errors(value: object, schema: dict[str, Any]) -> list[str]:
    resource = Resource.from_contents(document(), default_specification=DRAFT4)
    registry: Any = Registry().with_resource("urn:spec", resource)
    anchored = {"$ref": "urn:spec" + schema["$ref"]} if "$ref" in schema else _anchor(schema)
    validator = OAS30Validator(anchored, registry=registry, format_checker=OAS30Validator.FORMAT_CHECKER)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _anchor(schema: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return the schema with its references anchored in the document."""
    if isinstance(schema, dict):
        return {key: "urn:spec" + value if key == "$ref" else _anchor(value) for key, value in schema.items()}
    return [_anchor(item) for item in schema] if isinstance(schema, list) else schema


def check(response: requests.Response, path: str, method: str = "get") -> None:
    schema = schema_for(path, response.status_code, method)
    assert response.headers["Content-Type"].startswith("application/json")
    if schema is not None:
        assert errors(response.json(), schema) == [], (path, response.url)


USER_LISTS_OF_EITHER_SHAPE = (
    "tracks", "likes/tracks", "likes/playlists", "playlists", "reposts/tracks", "reposts/playlists",
)  # fmt: skip
LISTED = [
    ("/tracks", "/tracks?q=lanterns", True),
    ("/users", "/users?q=chillhop", False),
    ("/playlists", "/playlists?q=lanterns&show_tracks=true", True),
    *(
        (f"/tracks/{{track_urn}}/{name}", f"/tracks/{{track}}/{name}", name == "related")
        for name in ("comments", "favoriters", "reposters", "related")
    ),
    *(
        (f"/users/{{user_urn}}/{name}", f"/users/{{user}}/{name}", True)
        for name in USER_LISTS_OF_EITHER_SHAPE
    ),
    *(
        (f"/users/{{user_urn}}/{name}", f"/users/{{user}}/{name}", False)
        for name in ("followers", "followings", "related")
    ),
    ("/playlists/{playlist_urn}/tracks", "/playlists/{playlist}/tracks", True),
    ("/playlists/{playlist_urn}/reposters", "/playlists/{playlist}/reposters", False),
]  # fmt: skip
OBJECTS = [
    ("/tracks/{track_urn}", "/tracks/{track}"),
    ("/users/{user_urn}", "/users/{user}"),
    ("/users/{user_urn}/web-profiles", "/users/{user}/web-profiles"),
    ("/playlists/{playlist_urn}", "/playlists/{playlist}"),
]


@pytest.fixture(
    scope="module",
    params=[(), ("--numeric-ids", "mixed", "--uri", "mixed", "--hostile-text", "--extra-fields")],
)
def shaped(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 (a generator fixture)
    with SandboxProcess(*request.param) as sandbox, requests.Session() as session:
        yield ApiClient(sandbox, session)


def subjects(api: ApiClient) -> list[dict[str, int | str]]:
    """Return the seed and a playlist with its artist and with several likers."""
    seed = api.sandbox.seed_track_id
    likers = api.json(f"/tracks/{seed}/favoriters?limit=6")["collection"]
    artist = api.json(f"/tracks/{seed}")["user"]["urn"]
    playlists = api.json(f"/users/{artist}/playlists")
    names = [artist, *(liker["urn"] for liker in likers)]
    return [{"track": seed, "user": name, "playlist": playlists[0]["urn"]} for name in names]


def test_lists(shaped: ApiClient) -> None:
    for number, subject in enumerate(subjects(shaped)):
        for path, address, either in LISTED:
            if number and "{user}" not in address:
                continue
            where = address.format(**subject)
            joint = "&" if "?" in where else "?"
            page = shaped.get(f"{where}{joint}linked_partitioning=true&limit=30&{ALL}")
            check(page, path)
            bare = shaped.get(f"{where}{joint}limit=10")
            check(bare, path)
            if bare.status_code == 200:
                assert isinstance(bare.json(), list) is either
                assert isinstance(page.json(), dict)


def test_objects_and_errors(shaped: ApiClient) -> None:
    for subject in subjects(shaped):
        for path, address in OBJECTS:
            check(shaped.get(address.format(**subject)), path)
    for path, address, _ in [*LISTED, *((*item, False) for item in OBJECTS)]:
        gone = address.format(track=1, user=1, playlist=1)
        if gone != address:
            assert shaped.get(gone).status_code == 404
            check(shaped.get(gone), path)
        unauthorised = shaped.get(gone, Authorization="OAuth nothing")
        assert unauthorised.status_code == 401
        check(unauthorised, path)
        joint = "&" if "?" in address else "?"
        bad = shaped.get(f"{address.format(**subjects(shaped)[0])}{joint}limit=0")
        if path in [item[0] for item in LISTED]:
            assert bad.status_code == 400
        check(bad, path)


def test_resolve_and_sign_out(shaped: ApiClient) -> None:
    link = shaped.json(f"/tracks/{shaped.sandbox.seed_track_id}")["permalink_url"]
    for url in (link, "https://soundcloud.com/nobody-here"):
        check(shaped.get("/resolve?url=" + quote(url, safe="")), "/resolve")
    header = {"Authorization": f"OAuth {shaped.exchange()}"}
    response = requests.post(f"{shaped.sandbox.url}/sign-out", headers=header, timeout=TIMEOUT_S)
    check(response, "/sign-out", "post")


def test_token_answers(shaped: ApiClient) -> None:
    example = document()["components"]["examples"]["ExpiringToken"]["value"]
    url = f"{shaped.sandbox.url}/oauth/token"
    good = requests.post(
        url, data={"grant_type": "client_credentials"}, auth=("a", "sandbox"), timeout=TIMEOUT_S
    ).json()
    assert {key: type(value) for key, value in good.items()} == {
        key: type(value) for key, value in example.items()
    }
    refused = requests.post(
        url, data={"grant_type": "client_credentials"}, auth=("a", "no"), timeout=TIMEOUT_S
    )
    assert refused.json() == {"error": "invalid_client"}


def test_the_check_can_fail() -> None:
    schema = {"$ref": "#/components/schemas/Tracks"}
    good = {"collection": [{"kind": "track", "title": "x", "user": None}]}
    assert errors(good, schema) == []
    for bad in (
        {"collection": [{"kind": "track", "title": None}]},
        {"collection": [{"duration": "12"}]},
        {"collection": [{"user": {"username": 5}}]},
        {"collection": [{"access": "open"}]},
        {"next_href": 5},
    ):
        assert errors(bad, schema), bad
