"""All faults and their schedules, over real sockets."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from sgr_spiders.sandbox.faults import KINDS, FaultError, FaultRule
from sgr_spiders.sandbox.limiter import LimitPlan
from sgr_spiders.sandbox.odd_items import ODD, odd_items
from tests.sandbox.client import ALL, TIMEOUT_S, ApiClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from sgr_spiders.sandbox.world import World
    from tests.sandbox_process import SandboxProcess

# The status, a text in the body and the headers of each response fault.
RESPONSES: dict[str, tuple[int, str, dict[str, str]]] = {
    "rate_limit_documented": (429, '"reset_time":"20', {}),
    "rate_limit_gateway": (429, '{"error":"Rate Limit Exceeded"}', {}),
    "rate_limit_text": (429, "Please slow down.", {"Content-Type": "text/plain"}),
    "rate_limit_retry_after": (429, "Rate Limit", {"Retry-After": "1"}),
    "waf_challenge": (202, "", {"x-amzn-waf-action": "challenge", "Content-Length": "0"}),
    "html_403": (403, "Request blocked", {"Content-Type": "text/html"}),
    "json_403": (403, '"status":"403 - Forbidden"', {"Content-Type": "application/json"}),
    "json_401": (401, '"status":"401 - Unauthorized"', {}),
    "json_404": (404, '"status":"404 - Not Found"', {}),
    "gateway_403": (403, '{\n    "error": "Quota exceeded"\n}', {}),
    "gateway_404": (404, '"error": "Not Found"', {}),
    "disallowed_403": (403, "Access to this API has been disallowed", {}),
    "text_404": (404, "404 page not found", {"Content-Type": "text/plain"}),
    "refused_cursor": (400, "invalid cursor", {"Content-Type": "application/json"}),
    "method_405": (405, '"code":405', {}),
    "error": (400, '"code":400', {}),
    "error:status=451": (451, '"status":"451 - Unavailable For Legal Reasons"', {}),
    "resolve_to:path=tracks": (302, "/comments/", {"Location": "https://api.soundcloud.com/comments/"}),
    "resolve_to:kind=station,path=tracks": (302, "/system-playlists/", {}),
    "empty_500": (500, "", {"Content-Length": "0"}),
    "html_502": (502, "CloudFront".lower(), {"Content-Type": "text/html"}),
    "text_503": (503, "upstream connect error", {"Content-Type": "text/plain"}),
    "empty_504": (504, "", {"Content-Length": "0"}),
    "empty_200": (200, "", {"Content-Length": "0"}),
    "redirect_foreign": (302, "", {"Location": "https://api.soundcloud.example/tracks/1"}),
}


@pytest.fixture
def seed_path(sandbox: SandboxProcess) -> str:
    return f"/tracks/{sandbox.seed_track_id}"


@pytest.mark.parametrize("name", RESPONSES)
def test_answers(sandbox: SandboxProcess, api: ApiClient, seed_path: str, name: str) -> None:
    status, text, headers = RESPONSES[name]
    sandbox.set_faults([name])
    response = api.get(seed_path)
    assert response.status_code == status
    assert (text in response.text) if text else (response.text == "")
    for header, value in headers.items():
        assert response.headers[header].startswith(value)
    assert sandbox.log()[-1]["status"] == status
    sandbox.clear_faults()
    assert api.get(seed_path).status_code == 200


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ("gateway", 429),
        ("text", 429),
        ("documented", 429),
        ("retry_after", 429),
        ("forbidden", 403),
        ("unavailable", 503),
    ],
)
def test_a_limiter_passes_a_burst_and_then_one_per_interval(
    sandbox: SandboxProcess, api: ApiClient, seed_path: str, refusal: str, status: int
) -> None:
    sandbox.set_faults([f"limiter:interval=60,burst=2,refusal={refusal}"])
    responses = [api.get(seed_path) for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, status, status]
    if refusal == "retry_after":
        assert 55 <= int(responses[2].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("plan", "intervals"),
    [
        (LimitPlan.from_text("2", "", ""), [2, 2, 2]),
        (LimitPlan.from_text("2", "60/10,120/1", ""), [2, 10, 1]),
        (LimitPlan.from_text("2", "", "4/60"), [2, 4, 2]),
        (LimitPlan.from_text("2", "", "4/120"), [2, 3, 4]),
    ],
)
def test_limits_change_as_planned(plan: LimitPlan, intervals: list[float]) -> None:
    assert [plan.interval_at(time) for time in (0, 60, 120)] == intervals


def test_a_wrong_clock_shows_in_the_date_and_in_named_times(
    sandbox: SandboxProcess, api: ApiClient, seed_path: str
) -> None:
    sandbox.set_faults(["wrong_clock:seconds=-7200", "limiter:interval=60,refusal=unavailable"])
    dates = [
        parsedate_to_datetime(api.get(seed_path).headers["Date"]),
        parsedate_to_datetime(api.get(seed_path).headers["Retry-After"]),
    ]
    now = datetime.now(UTC)
    seconds = [(now - date).total_seconds() for date in dates]
    assert seconds == [pytest.approx(7200, abs=5), pytest.approx(7140, abs=5)]


def test_token_rate_limit(sandbox: SandboxProcess) -> None:
    url, form = f"{sandbox.url}/oauth/token", {"grant_type": "client_credentials"}
    sandbox.set_faults(["token_rate_limit:times=1", "token_rate_limit:form=meta,times=1,after=1"])
    responses = [requests.post(url, data=form, auth=("a", "sandbox"), timeout=TIMEOUT_S) for _ in range(3)]
    assert [response.status_code for response in responses] == [429, 429, 200]
    assert responses[0].json() == {"error": "rate_limit_exceeded"}
    assert responses[1].json()["errors"][0]["meta"]["rate_limit"]["bucket"] == "by-ip"


def test_token_endpoint_that_changes_its_mind(sandbox: SandboxProcess) -> None:
    url, form = f"{sandbox.url}/oauth/token", {"grant_type": "client_credentials"}
    keys = {"client_id": "a", "client_secret": "sandbox"}
    sandbox.set_faults(["token_body_only", "token_refresh_refused"])
    refused = requests.post(url, data=form, auth=("a", "sandbox"), timeout=TIMEOUT_S)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    granted = requests.post(url, data={**form, **keys}, timeout=TIMEOUT_S)
    assert granted.status_code == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": granted.json()["refresh_token"], **keys}
    refused = requests.post(url, data=refresh, timeout=TIMEOUT_S)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    sandbox.clear_faults()
    assert requests.post(url, data=refresh, timeout=TIMEOUT_S).status_code == 200


def api_body(sandbox: SandboxProcess, api: ApiClient, path: str) -> bytes:
    sandbox.clear_faults()
    return api.get(path).content


def test_spoilt_bodies(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    sandbox.set_faults(["invalid_json"])
    with pytest.raises(ValueError, match=r"Expecting|delimiter|control"):
        api.get(seed_path).json()
    sandbox.set_faults(["nan_json"])
    assert "NaN" in api.get(seed_path).text
    assert "NaN" in api.get("/tracks?q=nothing-like-this&linked_partitioning=1").text
    plain = api_body(sandbox, api, seed_path)
    for encoding in ("utf-8-sig", "utf-16", "utf-32", "latin-1"):
        sandbox.set_faults([f"encoding:encoding={encoding}"])
        assert api.get(seed_path).content == plain.decode().encode(encoding, errors="replace")
    sandbox.set_faults(["truncated_body:how=json"])
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        api.get(seed_path).json()
    sandbox.set_faults(["truncated_body"])
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api.get(seed_path)
    sandbox.set_faults(["bad_gzip"])
    with pytest.raises(requests.exceptions.ContentDecodingError):
        api.get(seed_path)
    sandbox.set_faults(["deep_json:depth=5000"])
    assert api.get(seed_path).text == '{"collection":' + "[" * 5000 + "]" * 5000 + "}"
    sandbox.set_faults(["huge_body:mib=3"])
    assert len(api.json(seed_path)["padding"]) == 3 * 1024 * 1024


def test_links(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    sandbox.set_faults(["reset"])
    with pytest.raises(requests.exceptions.ConnectionError):
        api.get(seed_path)
    assert sandbox.log()[-1]["status"] == 0
    sandbox.set_faults(["slow:seconds=0.3"])
    start = time.monotonic()
    assert api.get(seed_path).status_code == 200
    assert 0.3 <= time.monotonic() - start < 5
    sandbox.set_faults(["hang"])
    with pytest.raises(requests.exceptions.ReadTimeout):
        api.session.get(sandbox.url + seed_path, timeout=0.3)


def test_revoke_tokens(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    sandbox.set_faults(["revoke_tokens:after=1"])
    assert [api.get(seed_path).status_code for _ in range(3)] == [200, 401, 401]
    api.token = api.exchange()
    assert api.get(seed_path).status_code == 200


def test_faults_strike_one_client(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    first, second = api.exchange("first"), api.exchange("second")
    sandbox.clear_log()

    def status(token: str) -> int:
        api.token = token
        return api.get(seed_path).status_code

    sandbox.set_faults(["json_403:client=first"])
    assert [status(token) for token in (first, second)] == [403, 200]
    sandbox.set_faults(["limiter:interval=60,by=client"])
    assert [status(token) for token in (first, second, first, second)] == [200, 200, 429, 429]
    assert [entry["client"] for entry in sandbox.log()][:3] == ["first", "second", "first"]
    sandbox.set_faults(["revoke_tokens:client=first"])
    assert [status(token) for token in (second, first, second)] == [200, 401, 200]
    sandbox.set_faults(["revoke_app:client=second"])
    assert [status(second), status(second)] == [401, 401]
    with pytest.raises(KeyError):
        api.exchange("second")
    sandbox.clear_faults()
    assert status(api.exchange("second")) == 200


def favoriters(api: ApiClient, path: str, query: str = "limit=20") -> dict[str, Any]:
    page: dict[str, Any] = api.json(f"{path}/favoriters?linked_partitioning=true&{query}")
    return page


def test_an_endless_list_repeats_its_pages(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    sandbox.set_faults(["endless_list:new=1"])
    pages, seen, page = [], set(), favoriters(api, seed_path)
    for _ in range(7):
        *items, invented = [item["urn"] for item in page["collection"]]
        assert invented not in seen
        seen.add(invented)
        pages.append(items)
        link = urlsplit(page["next_href"])
        assert link.query not in seen
        seen.add(link.query)
        page = api.json(f"{link.path}?{link.query}")
    assert pages[0] in pages[1:]
    assert len({tuple(items) for items in pages}) == pages[1:].index(pages[0]) + 1


@pytest.mark.parametrize("what", ["all", *ODD])
def test_odd_items(sandbox: SandboxProcess, api: ApiClient, seed_path: str, what: str) -> None:
    path = f"{seed_path}/favoriters?linked_partitioning=true&limit=20"
    plain = api_body(sandbox, api, path)
    sandbox.set_faults([f"odd_item:what={what}"])
    found = api.get(path).content
    assert (found[:200], found[-200:]) == (plain[:200], plain[-200:])
    odd = odd_items("users", what)
    assert b",".join(odd) in found
    assert len(odd) == (len(ODD) - 1 if what == "all" else 1)


def test_next_href_faults(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    true_link = favoriters(api, seed_path)["next_href"]
    sandbox.set_faults(["foreign_next_href"])
    internal = urlsplit(favoriters(api, seed_path)["next_href"])
    assert internal.hostname == "http.api.prod.api-public.srv.db.s-cloud.net"
    assert (internal.path, internal.query) == (urlsplit(true_link).path, urlsplit(true_link).query)
    honest = urlsplit(sandbox.url)
    differs: dict[str, Callable[[SplitResult], bool]] = {
        "host": lambda link: link.hostname != honest.hostname,
        "port": lambda link: link.hostname == honest.hostname and link.port != honest.port,
        "scheme": lambda link: link.scheme == "ftp" and link.netloc == honest.netloc,
        "userinfo": lambda link: link.hostname != honest.hostname and link.netloc.startswith("127.0.0.1"),
        "path": lambda link: link.netloc == honest.netloc and link.path == "/me",
    }
    for part, is_evil in differs.items():
        sandbox.set_faults([f"evil_next_href:to={part}"])
        assert is_evil(urlsplit(favoriters(api, seed_path)["next_href"])), part
    sandbox.set_faults(["repeat_next_href"])
    second = favoriters(api, seed_path)["next_href"]
    assert second == true_link
    assert api.json(second)["next_href"] == second


def test_drop_access(sandbox: SandboxProcess, api: ApiClient, world: World) -> None:
    path = f"/users/{world.seed_artist_id}/tracks?{ALL}&limit=2&linked_partitioning=true"
    assert "access=" in api.json(path)["next_href"]
    sandbox.set_faults(["drop_access"])
    dropped = api.json(path)["next_href"]
    assert "access=" not in dropped
    assert "cursor=" in dropped


def test_empty_list(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    assert api.ids(f"{seed_path}/comments")
    sandbox.set_faults([{"name": "empty_list", "path": "/comments"}])
    assert api.json(f"{seed_path}/comments") == {"collection": [], "next_href": None}
    assert api.ids(f"{seed_path}/favoriters")
    assert api.json(seed_path)["comment_count"] > 0


def test_endless_empty_search(sandbox: SandboxProcess, api: ApiClient) -> None:
    sandbox.set_faults(["endless_empty_search"])
    url = "/tracks?q=paper+lanterns&linked_partitioning=true&limit=200"
    seen = set()
    items = None
    for _ in range(5):
        page = api.json(url)
        url, items = page["next_href"], page["collection"]
        seen.add(url)
    assert items == []
    assert len(seen) == 5


def test_array_and_duplicates(sandbox: SandboxProcess, api: ApiClient, seed_path: str, world: World) -> None:
    sandbox.set_faults(["array_shape"])
    assert isinstance(api.json(f"{seed_path}/favoriters?linked_partitioning=true"), list)
    sandbox.set_faults(["duplicate_items"])
    found = api.ids(f"{seed_path}/favoriters", limit=20)
    assert len(found) > len(set(found))
    assert set(found) == set(world.likers(world.seed_track_id) or ())
    pages = [page["collection"] for page in api.walk(f"{seed_path}/comments", limit=10)]
    assert pages[0][0] == pages[0][-1]
    assert pages[1][0] == pages[0][-2]


@pytest.mark.parametrize("name", ["favoriters", "comments"])
def test_shifting_pages(sandbox: SandboxProcess, api: ApiClient, seed_path: str, name: str) -> None:
    whole = api.ids(f"{seed_path}/{name}", limit=200)
    sandbox.set_faults(["shifting_pages:shift=3"])
    shifted = api.ids(f"{seed_path}/{name}", limit=10)
    assert list(dict.fromkeys(shifted)) == whole
    assert len(shifted) > len(whole)
    sandbox.set_faults(["shifting_pages:shift=-2"])
    assert len(api.ids(f"{seed_path}/{name}", limit=10)) < len(whole)


@pytest.mark.parametrize("name", ["favoriters", "reposters"])
def test_odd_cursors(sandbox: SandboxProcess, api: ApiClient, seed_path: str, name: str) -> None:
    whole = api.ids(f"{seed_path}/{name}", limit=200)
    for kind, expected in (("rising", "2020-01-02T"), ("future", "2999-01-01T"), ("opaque", "page1")):
        sandbox.set_faults([f"odd_cursors:as={kind}"])
        assert f"cursor={expected}" in api.json(f"{seed_path}/{name}?limit=10")["next_href"]
        assert api.ids(f"{seed_path}/{name}", limit=10) == whole


def test_stale_cache(sandbox: SandboxProcess, api: ApiClient) -> None:
    sandbox.set_faults(["stale_cache:ignore=q"])
    first = api.json("/tracks?q=lanterns&limit=5")
    assert api.json("/tracks?q=glacier&limit=5") == first
    assert api.json("/tracks?q=glacier&limit=6") != first
    sandbox.clear_faults()
    assert api.json("/tracks?q=glacier&limit=5") != first


def test_every_fault_is_tested_here() -> None:
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123 (its own text)
        text = file.read()
    assert [name for name in KINDS if f'"{name}' not in text] == []


def statuses(api: ApiClient, path: str, count: int) -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def test_schedules(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    sandbox.set_faults(["empty_500:times=2"])
    assert statuses(api, seed_path, 4) == [500, 500, 200, 200]
    sandbox.set_faults(["empty_500:every=3"])
    assert statuses(api, seed_path, 6) == [200, 200, 500, 200, 200, 500]
    sandbox.set_faults(["empty_500:after=2,times=1"])
    assert statuses(api, seed_path, 4) == [200, 200, 500, 200]
    sandbox.set_faults([{"name": "empty_500", "per_url": 1}])
    paths = [seed_path, f"{seed_path}/comments", seed_path, f"{seed_path}/comments"]
    assert [api.get(path).status_code for path in paths] == [500, 500, 200, 200]
    sandbox.set_faults([{"name": "empty_500", "path": "/(comments|favoriters){1,2}$"}])
    assert [api.get(path).status_code for path in paths] == [200, 500, 200, 500]


def test_rates_are_deterministic(sandbox: SandboxProcess, api: ApiClient, seed_path: str) -> None:
    runs = []
    for seed in (1, 1, 2):
        sandbox.set_faults([f"empty_500:rate=0.5,seed={seed}"])
        runs.append(statuses(api, seed_path, 30))
    assert runs[0] == runs[1] != runs[2]
    assert 5 < runs[0].count(500) < 25


def test_a_comma_in_a_path_is_not_a_separator() -> None:
    rule = FaultRule.from_text("slow:path=/a{1,2},seconds=2")
    assert (rule.path, rule.get("seconds")) == ("/a{1,2}", "2")


@pytest.mark.parametrize(
    "text",
    [
        "nothing", "slow:wait=1", "slow:seconds=x", "slow:times=-1", "slow:times=x", "slow:rate=2",
        "slow:path=(", "evil_next_href:to=moon", "slow:seconds", "limiter:interval=0", "limiter:steps=9/x",
        "limiter:drift=4",
    ],
)  # fmt: skip
def test_bad_faults(sandbox: SandboxProcess, text: str) -> None:
    with pytest.raises(FaultError):
        FaultRule.from_text(text)
    response = requests.post(f"{sandbox.url}/_sandbox/faults", data=json.dumps([text]), timeout=TIMEOUT_S)
    assert response.status_code == 400
    assert response.json()["error"]
