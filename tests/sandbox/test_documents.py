"""The document lists exactly the options and faults that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sgr_spiders.sandbox import options
from sgr_spiders.sandbox.faults import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.fixture(scope="module")
def rows() -> dict[str, str]:
    """Return the rows of the tables by their first cell."""
    lines = re.findall(r"^\| `([^`]+)` \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(dict(lines)) == len(lines), "a row appears twice"
    return dict(lines)


def test_options(rows: dict[str, str]) -> None:
    listed = {name for name in rows if name.startswith("--")}
    assert listed == {switch.flag for switch in options.SWITCHES} | {"--fault"}
    for switch in options.SWITCHES:
        default, meaning = rows[switch.flag].split(" | ", 1)
        value = getattr(getattr(options.Options(), switch.group), switch.name)
        assert default == ("off" if switch.read is None else f"`{value}`"), switch.flag
        assert meaning == switch.help, switch.flag


def test_faults(rows: dict[str, str]) -> None:
    listed = {name for name in rows if name in KINDS or re.fullmatch(r"[a-z]+_[a-z0-9_]+", name)} - {
        "per_url"
    }
    assert listed == set(KINDS)
    for name, kind in KINDS.items():
        stage, parameters, meaning = rows[name].split(" | ")
        assert (stage, meaning) == (kind.stage, kind.meaning), name
        assert parameters == ", ".join(f"`{key}={value}`" for key, value in kind.parameters.items()), name


def test_no_private_paths() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert not re.search(r"/(work|home|root|tmp)/|\.\./", text)
