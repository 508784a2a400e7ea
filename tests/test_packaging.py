"""Pinned requirements and the contents of the egg."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest


def read_pins(path: Path) -> dict[str, str]:
    """Return the lines of each requirement by its normalised name."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
    return {re.match(r"[\w.-]+", entry)[0].replace("_", "-"): entry for entry in entries}  # type: ignore[index]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-server.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed_and_name_no_index(root: Path, name: str) -> None:
    text = (root / name).read_text()
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|--trusted", text)
    entries = read_pins(root / name)
    assert "scrapy" in entries
    for entry in entries.values():
        assert re.match(r"[\w.-]+==[\w.]+ ", entry)
        assert "--hash=sha256:" in entry


def pinned(entry: str) -> str:
    """Return version and hashes of an entry, without the condition under which it is needed."""
    return re.sub(r" ; .*(?= \\)", "", entry.split("# via", maxsplit=1)[0])


def test_all_files_pin_the_same_versions(root: Path) -> None:
    development = read_pins(root / "requirements-dev.txt")
    for file in ("requirements.txt", "requirements-server.txt"):
        for name, entry in read_pins(root / file).items():
            assert pinned(entry) == pinned(development[name])


def test_every_requirement_of_pyproject_is_pinned(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for file, asked in {
        "requirements.txt": project["dependencies"],
        "requirements-server.txt": project["optional-dependencies"]["server"],
        "requirements-dev.txt": project["optional-dependencies"]["dev"],
    }.items():
        names = {re.match(r"[\w.-]+", requirement)[0] for requirement in asked}  # type: ignore[index]
        assert names <= read_pins(root / file).keys()


def test_an_egg_contains_the_project_without_tests(root: Path, tmp_path: Path, egg: Path) -> None:
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
