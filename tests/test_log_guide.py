"""docs/log.md names every warning and error of this project, and no other lines."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

LEVELS = {"warning", "error", "exception", "critical"}
NOT_OURS = {"Spider error processing …", "Error processing …"}
SUMMARY = "Harvest … after …: …"


def logged_lines(root: Path, levels: set[str]) -> set[str]:
    """Return the format strings logged at these levels, with … for each value."""
    sources = [*(root / "sgr_spiders").rglob("*.py"), *(root / "pipelines").glob("*.py")]
    found = set()
    for source in sources:
        if "sandbox" in source.parts:
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_log(node.func, levels):
                assert isinstance(node.args[0], ast.Constant), (
                    f"{source}:{node.lineno}: not a constant string"
                )
                text = re.sub(r"%[-+,.\d]*[a-z]", "…", str(node.args[0].value))
                found.add(text.replace("%%", "%"))
    return found


def _is_log(function: ast.expr, levels: set[str]) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in levels
        and isinstance(function.value, ast.Name)
        and function.value.id == "logger"
    )


@pytest.fixture(scope="module")
def guide(root: Path) -> set[str]:
    first_cells = re.findall(r"^\| (`.+?`) \|", (root / "docs" / "log.md").read_text(), flags=re.MULTILINE)
    return {line for cell in first_cells for line in re.findall("`([^`]+)`", cell)}


def test_the_guide_names_every_warning(root: Path, guide: set[str]) -> None:
    logged = logged_lines(root, LEVELS)
    assert len(logged) > 8
    assert logged - guide == set()


def test_the_guide_names_no_line_that_is_never_logged(root: Path, guide: set[str]) -> None:
    assert guide - logged_lines(root, LEVELS | {"info"}) - NOT_OURS - {SUMMARY} == set()
