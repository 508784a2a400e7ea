"""The block below the log: every log line appears, and none controls the terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import logging, os, signal, sys
from rich.text import Text
from sgr_spiders.reports.progress.terminal import Terminal

handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
logging.root.addHandler(handler)
terminal = Terminal(handler, logging.Formatter("%(levelname)s: %(message)s"), forced=False)

def show(*rows):
    terminal.show(Text("\\n", end="").join(Text(row) for row in rows))

show("the block", "its end")
"""

URL = "https://api.soundcloud.com/users/soundcloud:users:1/likes/tracks?" + "cursor=0123456789" * 8


def run(root: Path, script: str, columns: int = 80) -> PseudoTerminal:
    return PseudoTerminal([sys.executable, "-c", BEGIN + script], cwd=root, columns=columns)


def test_log_lines_appear_above_the_block(root: Path) -> None:
    script = """
for number in range(3):
    logging.warning("line %d", number)
    show(f"the block {number}", "its end")
print("from print", flush=True)
sys.stderr.write("from stderr\\n")
signal.pause()
"""
    with run(root, script) as terminal:
        terminal.wait_until(lambda terminal: "from stderr" in terminal.text)
        lines = ["WARNING: line 0", "WARNING: line 1", "WARNING: line 2", "from print", "from stderr"]
        assert terminal.rows == [*lines, "the block 2", "its end"]


def test_the_log_is_as_before_when_the_block_is_hidden(root: Path) -> None:
    script = """
logging.warning("before")
terminal.hide()
assert handler.stream is sys.stderr is sys.__stderr__ and sys.stdout is sys.__stdout__
logging.warning("between")
show("again")
logging.warning("after")
terminal.hide()
"""
    with run(root, script) as terminal:
        assert terminal.wait() == 0
        assert terminal.rows == ["WARNING: before", "WARNING: between", "WARNING: after"]
        assert terminal.restored


def test_long_lines_stay_whole(root: Path) -> None:
    with run(root, f"logging.warning('see {URL} for more'); terminal.hide()") as terminal:
        assert terminal.wait() == 0
        assert f"see {URL} for more" in terminal.text


def test_control_characters_are_escaped(root: Path) -> None:
    script = r"""
logging.warning("[bold red]a title[/] :smile: \x1b[2J\x1b[?25l\x9b2J \x07\r\x08 \u202eturned [link=x]")
terminal.hide()
"""
    with run(root, script) as terminal:
        assert terminal.wait() == 0
        shown = r"[bold red]a title[/] :smile: \x1b[2J\x1b[?25l\x9b2J \x07\r\x08 \u202eturned [link=x]"
        assert terminal.text.rstrip() == "WARNING: " + shown
        assert terminal.restored


def test_a_traceback_stays_readable(root: Path) -> None:
    script = """
try:
    raise ValueError("[a bug]")
except ValueError:
    logging.exception("It happened")
terminal.hide()
"""
    with run(root, script) as terminal:
        assert terminal.wait() == 0
        assert terminal.rows[:2] == ["ERROR: It happened", "Traceback (most recent call last):"]
        assert terminal.rows[-1] == "ValueError: [a bug]"


@pytest.mark.parametrize(
    ("end", "code", "rows"),
    [
        ("sys.exit(3)", 3, []),
        ("raise SystemExit('an error of one line')", 1, ["an error of one line"]),
        ("raise KeyboardInterrupt", -signal.SIGINT, None),
        # After SIGKILL nothing can be cleaned up, but the cursor must be visible.
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ["the block", "its end"]),
    ],
)
def test_the_terminal_remains_usable_after_any_exit(
    root: Path, end: str, code: int, rows: list[str] | None
) -> None:
    with run(root, end) as terminal:
        assert terminal.wait() == code
        assert terminal.restored
        if rows is not None:
            assert [row for row in terminal.rows if row] == rows


def test_a_broken_pipe_does_not_end_the_program(root: Path) -> None:
    script = BEGIN.replace("forced=False", "forced=True") + "show('more'); logging.warning('x'); sys.exit(7)"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=root, stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(60) == 7
