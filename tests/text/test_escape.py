"""Escaping: foreign text cannot control a terminal, break a line or reveal a key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.text.escape import for_cell, for_log, for_message, for_terminal

ANYTHING = st.text(st.characters())


def test_a_terminal_gets_escapes_instead_of_commands() -> None:
    assert for_terminal("a\x1b[2Jb\r\u202ec\ud800 \u2028é\u00a0👩\u200d👩") == (
        "a\\x1b[2Jb\\r\\u202ec\\ud800 \\u2028é\u00a0👩\u200d👩"
    )


def test_only_a_cell_loses_its_line_feeds() -> None:
    assert for_terminal("a\n\tb") == "a\n\tb"
    assert for_cell("a\n\tb") == "a\\n\\tb"


def test_a_message_keeps_both_ends() -> None:
    assert for_message("a\nb") == "a\\nb"
    assert for_message("a" * 100 + "/end.yaml").startswith("aaa")
    assert for_message("a" * 100 + "/end.yaml").endswith("aaa/end.yaml")


def test_the_log_repeats_no_key() -> None:
    assert for_log("a\n b\t\0c") == "a b c"
    assert for_log("Bearer abc said no") == "[…] said no"


@given(ANYTHING)
def test_all_of_them_can_be_written(text: str) -> None:
    for escaped in (for_log(text), for_message(text), for_cell(text), for_terminal(text)):
        escaped.encode()
        assert "\x1b" not in escaped
    for line in (for_log(text), for_message(text), for_cell(text)):
        assert len(line.splitlines()) <= 1
    assert len(for_log(text)) <= 80
    assert len(for_message(text)) <= 80
