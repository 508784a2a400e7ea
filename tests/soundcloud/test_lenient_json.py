"""Documents that the fast decoder refuses: what is good in them survives, and odd values are marked."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.soundcloud.answers import Kind, classify
from sgr_spiders.soundcloud.lenient_json import MAX_NESTING, DamagedError, OddValue, decode
from sgr_spiders.soundcloud.parse import ParsedPage, parse_page
from tests.soundcloud.documents import playlist, track, user

ODD_VALUES = {
    b"1e999": "a number too large",
    b"-1e999": "a number too large",
    b"9" * 400: "a number too large",
    b"NaN": "NaN is not a value of JSON",
    b"Infinity": "Infinity is not a value of JSON",
    b"-Infinity": "-Infinity is not a value of JSON",
    b"[" * 3_000 + b"]" * 3_000: "nested too deeply",
    b"[" * 100_000 + b"]" * 100_000: "nested too deeply",
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000: "nested too deeply",
}
BROKEN = (b"{a: 1}", b"[1,,2]", b"01", b"'x'", b"undefined", b'{"a" 1}', b'"\\x"', b"", b'{"a":1]', b"+1")


def shown(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return *value* with the reasons of its odd values in their places."""
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return ("odd", value.reason) if isinstance(value, OddValue) else value


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'{"a": [1e999, {"b": NaN}], "c": -Infinity}',
         {"a": [("odd", "a number too large"), {"b": ("odd", "NaN is not a value of JSON")}],
          "c": ("odd", "-Infinity is not a value of JSON")}),
        (b'{"a": 18446744073709551615, "b": -9223372036854775808, "c": NaN}',
         {"a": 2**64 - 1, "b": -(2**63), "c": ("odd", "NaN is not a value of JSON")}),
        (b'["\\ud800", "\\ud83d\\ude00", "\x00", "a\nb", "\xff"]',
         ["\ud800", "\U0001f600", "\0", "a\nb", "\udcff"]),
        (b'{"\\ud800": 1, "a": 1, "a": 2}', {"\ud800": 1, "a": 2}),
        (b'\xef\xbb\xbf{"collection": [1e999]}', {"collection": [("odd", "a number too large")]}),
        ('{"a": "\u2603"}'.encode("utf-16"), {"a": "\u2603"}),
        ('["\u2603"]'.encode("utf-32-be"), ["\u2603"]),
        (b'{"collection": {"a": [1, NaN]}, "b": {}}',
         {"collection": {"a": [1, ("odd", "NaN is not a value of JSON")]}, "b": {}}),
        (b" [ ] ", []),
        (b" { } ", {}),
        (b"NaN", ("odd", "NaN is not a value of JSON")),
    ],
)  # fmt: skip
def test_a_document_is_read(body: bytes, document: object) -> None:
    assert shown(decode(body)) == document


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nul", b"[1", b'{"a" 1}', b'{"a": 1,}', b"{1: 2}", b"[1] x", b'{"a": tru}', b'"a',
        b'{<upstream error>"collection": [1]}', b'{"collection": [1, 2', b"\xff\xfe\xff", b'["a\\',
        b'{"collection": [',
        b'{"collection": [1], "next_href": }', b'{"collection": [["a], 2]}',
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        decode(body)
    assert caught.value.document is None


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_item_is_marked_and_the_others_are_read(broken: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        decode(b'{"collection": [{"a": 1}, ' + broken + b', "b"], "next_href": "/next"}')
    found = {"collection": [{"a": 1}, ("odd", "not JSON"), "b"], "next_href": "/next"}
    assert shown(caught.value.document) == found


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2_000_000, b'{"a":' * 500_000, b'["' + b'\\"' * 1_000_000, b"[" + b"9" * 3_000_000 + b"]",
        b"[{}," * 500_000,
    ],
    ids=["lists", "objects", "quotes", "digits", "items"],
)  # fmt: skip
def test_hostile_documents_take_linear_time(body: bytes) -> None:
    began = time.process_time()
    with suppress(DamagedError):
        decode(body)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "body",
    [
        b'{"collection": [' + b"[}," * 600_000 + b"1]}",
        b'{"collection": [[NaN' + b",1" * 600_000 + b"]]}",
        b'{"a": [NaN' + b",1" * 600_000 + b"]}",
    ],
    ids=["items", "item", "field"],
)
def test_what_takes_too_long_is_refused(body: bytes) -> None:
    with pytest.raises(DamagedError, match="too many tokens") as caught:
        decode(body)
    assert caught.value.document is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), st.sampled_from([None, 2]))
def test_it_decodes_as_the_standard_decoder(document: object, encoding: str, indent: int | None) -> None:
    body = json.dumps(document, indent=indent).encode(encoding)
    assert decode(body) == json.loads(json.dumps(document))


@given(st.binary(max_size=60) | st.lists(st.sampled_from(list(b'[]{},:"\\1eN-\xff')), max_size=30).map(bytes))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = decode(body)
    except DamagedError:
        return
    try:
        assert orjson.loads(body) == found
    except orjson.JSONDecodeError:
        assert found is not None


# Pages


MAKERS = {"user_likes": track, "search_users": user, "user_playlists": playlist}


def parsed(endpoint: str, items: list[bytes]) -> ParsedPage:
    """Return the page of a response with these items, which retries have not changed."""
    body = b'{"collection": [' + b", ".join(items) + b'], "next_href": "https://x"}'
    answer = classify(200, {}, body, now=0)
    assert answer.kind in {Kind.OK, Kind.RETRY}
    return parse_page(endpoint, "1", answer.document)


@pytest.mark.parametrize("endpoint", sorted(MAKERS))
@pytest.mark.parametrize("odd", ODD_VALUES)
def test_an_odd_value_costs_its_record(endpoint: str, odd: bytes) -> None:
    good = [orjson.dumps(MAKERS[endpoint](number)) for number in (1, 3)]
    bad = orjson.dumps(MAKERS[endpoint](2, mood=[1, "HERE"])).replace(b'"HERE"', odd)
    page = parsed(endpoint, [good[0], bad, odd, good[1]])
    assert [entry.record.record_id for entry in page.entries] == [1, 3]
    assert page.received == 4
    assert page.next_href == "https://x"
    rejected, bare = page.rejects
    assert (rejected.record_id, rejected.reason) == (2, ODD_VALUES[odd])
    assert bare.record_id is None


def test_an_odd_value_inside_a_playlist_costs_only_the_track() -> None:
    tracks = [track(1), track(2, mood="HERE"), track(3, user=user(9, mood="HERE")), track(4)]
    body = orjson.dumps(playlist(tracks=tracks)).replace(b'"HERE"', b"1e999")
    page = parsed("user_playlists", [body])
    (entry,) = page.entries
    assert set(entry.main()) == {
        *(("playlist", 3), ("user", 8), ("user", 7), ("track", 1), ("track", 3), ("track", 4))
    }
    assert [(reject.kind, reject.record_id) for reject in page.rejects] == [("track", 2), ("user", 9)]


@given(st.data())
def test_good_items_survive_any_bytes_beside_them(data: st.DataObject) -> None:
    """The bytes may be anything in which brackets and quotes are balanced."""
    endpoint = data.draw(st.sampled_from(sorted(MAKERS)))
    good = orjson.dumps(MAKERS[endpoint](1))
    names = sorted(MAKERS[endpoint]())
    odd = data.draw(st.sampled_from([*ODD_VALUES, *BROKEN, b'"\xff"', b'"\\ud800"', b'{"\\ud800": 1}']))
    text = data.draw(st.binary(max_size=9)).translate(None, b'"[]{},\\')
    field = orjson.dumps(MAKERS[endpoint](2, **{data.draw(st.sampled_from(names)): "HERE"}))
    bad = data.draw(
        st.sampled_from(
            [odd, text, b'"' + text + b'"', b'{"' + text + b'":1}', field.replace(b'"HERE"', odd)]
        )
    )
    page = parsed(endpoint, [good, bad, good])
    found = [entry.record.record_id for entry in page.entries]
    assert (found[0], found[-1], len(found) >= 2) == (1, 1, True)
    assert page.received == 3
    assert len(page.entries) + len(page.rejects) >= 3
    assert all(reject.reason.isprintable() for reject in page.rejects)


def test_the_deepest_nesting_is_more_than_a_record_may_have() -> None:
    document = decode(b"[" * MAX_NESTING + b"NaN" + b"]" * MAX_NESTING)
    for _ in range(MAX_NESTING):
        (document,) = document
    assert shown(document) == ("odd", "NaN is not a value of JSON")
