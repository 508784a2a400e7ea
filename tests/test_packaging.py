"""What is installed, and what goes into an egg."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest


def pinned(path: Path) -> dict[str, str]:
    """Each requirement's lines, by its normalised name."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
    return {re.match(r"[\w.-]+", entry)[0].replace("_", "-"): entry for entry in entries}  # type: ignore[index]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed_and_name_no_index(root: Path, name: str) -> None:
    text = (root / name).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|--trusted", text)
    entries = pinned(root / name)
    assert "scrapy" in entries
    for entry in entries.values():
        assert re.match(r"[\w.-]+==[\w.]+ ", entry)
        assert "--hash=sha256:" in entry


def test_development_adds_to_what_a_harvest_needs(root: Path) -> None:
    runtime, development = pinned(root / "requirements.txt"), pinned(root / "requirements-dev.txt")
    for name, entry in runtime.items():
        assert entry.split("# via")[0] == development[name].split("# via")[0]


def test_what_pyproject_asks_for_is_pinned(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for file, asked in {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": project["optional-dependencies"]["dev"],
    }.items():
        names = {re.match(r"[\w.-]+", requirement)[0] for requirement in asked}  # type: ignore[index]
        assert names <= pinned(root / file).keys()


def test_an_egg_holds_what_a_job_needs_and_no_test(root: Path, tmp_path: Path, egg: Path) -> None:
    names = zipfile.ZipFile(egg).namelist()
    assert {"configs/deep_harvest.yaml", "configs/sandbox.yaml", "pipelines/__init__.py"} <= {*names}
    assert {name.split("/")[0] for name in names} == {"EGG-INFO", "configs", "pipelines", "sgr_spiders"}
    sources = {str(path.relative_to(root)) for path in (root / "sgr_spiders").rglob("*.py")}
    assert sources <= {*names}
    assert (
        "settings = sgr_spiders.settings" in zipfile.ZipFile(egg).read("EGG-INFO/entry_points.txt").decode()
    )

    code = (
        "from sgr_spiders.config import harvest; "
        "print(harvest.__file__, harvest.load('sandbox').deep_harvest.request_delay)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(egg)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{egg}/sgr_spiders/config/harvest.py 0.0\n"
