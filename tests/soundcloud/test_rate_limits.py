"""The waits that responses name, by the server's clock where it shows one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sgr_spiders.soundcloud.answers import Kind, classify
from sgr_spiders.soundcloud.rate_limits import MAX_HOLD
from sgr_spiders.traffic.response import ApiResponse, header_fields

NOW = 1_700_000_000.0
LOCAL = datetime.fromtimestamp(NOW, UTC)


def http_date(seconds: float) -> str:
    return format_datetime(LOCAL + timedelta(seconds=seconds), usegmt=True)


def wait_of(headers: dict[str, str], body: bytes = b"", status: int = 429) -> float | None:
    return classify(status, headers, body, now=NOW).hold


@pytest.mark.parametrize("skew", [0, 7200, -7200, 40 * 365 * 86400, -20 * 365 * 86400])
def test_a_time_is_judged_by_the_date_of_its_response(skew: float) -> None:
    named = {"Retry-After": http_date(skew + 4), "Date": http_date(skew)}
    assert wait_of(named) == 4
    moment = (LOCAL + timedelta(seconds=skew + 4)).strftime("%Y/%m/%d %H:%M:%S +0000")
    body = b'{"errors":[{"meta":{"reset_time":"%s"}}]}' % moment.encode()
    assert wait_of({"Date": http_date(skew)}, body) == 4
    reset = {"X-RateLimit-Reset": str(int(NOW + skew + 4)), "X-RateLimit-Remaining": "0"}
    assert wait_of({**reset, "Date": http_date(skew)}) == 4


@pytest.mark.parametrize(
    "date", ["", "yesterday", http_date(-40 * 365 * 86400), "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_a_missing_or_absurd_date_leaves_the_local_clock(date: str) -> None:
    assert wait_of({"Retry-After": http_date(4), "Date": date}) == 4
    assert wait_of({"Retry-After": http_date(4)}) == 4


def test_a_time_before_the_date_is_past_even_if_the_local_clock_is_behind() -> None:
    assert wait_of({"Retry-After": http_date(7199), "Date": http_date(7200)}) is None


def test_seconds_need_no_clock() -> None:
    assert wait_of({"Retry-After": "4", "Date": http_date(7200)}) == 4


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2,5", 5),
        ("5, 2", 5),
        ("soon,3", 3),
        ("0,3", 3),
        ("-1,3", 3),
        ("3,999999999", 3),
        ("999999999,999999999", MAX_HOLD),
        (f"3,{http_date(7)}", 7),
        (f"{http_date(7)},{http_date(9)}", 9),
        ("Sunday, 06-Nov-94 08:49:37 GMT,3", 3),
        (str(int(NOW) + 6), 6),
        (",", None),
    ],
)
def test_of_several_times_the_longest_sensible_one_counts(value: str, seconds: float | None) -> None:
    assert wait_of({"Retry-After": value}) == seconds


def test_a_header_sent_twice_is_read_twice() -> None:
    response = ApiResponse("http://api/", headers={"Retry-After": ["2", "5"]})
    assert wait_of(header_fields(response)) == 5


@pytest.mark.parametrize("start", ["X-RateLimit-", "X-Rate-Limit-", "RateLimit-"])
@pytest.mark.parametrize("reset", ["30", str(int(NOW) + 30), str((int(NOW) + 30) * 1000), http_date(30)])
def test_a_used_up_window_is_waited_for(start: str, reset: str) -> None:
    headers = {f"{start}Limit": "100", f"{start}Remaining": "0", f"{start}Reset": reset}
    assert wait_of(headers) == 30
    good = classify(200, headers, b"{}", now=NOW)
    assert (good.kind, good.hold) == (Kind.OK, 30)


@pytest.mark.parametrize("value", ["limit=10, remaining=0, reset=30", '"default";r=0;t=30'])
def test_the_drafts_of_the_ietf_are_read(value: str) -> None:
    assert wait_of({"RateLimit": value}, b"{}", 200) == 30
    assert wait_of({"RateLimit": value.replace("=0", "=1")}, b"{}", 200) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Limit": "-1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"},
        {"X-RateLimit-Limit": "-1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"},
        {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "9", "X-RateLimit-Reset": "30"},
        {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "", "X-RateLimit-Reset": "30"},
        {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "999999"},
        {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "x"},
    ],
)
def test_other_windows_do_not_delay_good_responses(headers: dict[str, str]) -> None:
    assert wait_of(headers, b"{}", 200) is None


def test_a_refusal_ignores_a_window_with_requests_left() -> None:
    left = {"X-RateLimit-Limit": "15000", "X-RateLimit-Remaining": "9000", "X-RateLimit-Reset": "3600"}
    assert wait_of({**left, "Retry-After": "2"}) == 2
    assert wait_of({"X-RateLimit-Reset": "30"}) == 30
