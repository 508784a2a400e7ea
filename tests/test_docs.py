"""Documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sgr_spiders.arguments import KNOWN

DOCUMENTS = ["CONTRIBUTING.md", "CHANGELOG.md", "docs/terms.md"]


def targets_of(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(root: Path, name: str) -> None:
    document = root / name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(root: Path, name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (root / name).read_text(), flags=re.MULTILINE))
    assert named <= targets_of((root / "Makefile").read_text())


def test_every_room_has_its_duty_written_down(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text()
    rooms = [path for path in (root / "sgr_spiders").iterdir() if (path / "__init__.py").exists()]
    missing = [room.name for room in rooms if f"`sgr_spiders/{room.name}/`" not in text]
    assert not missing


def test_the_changelog_names_every_spider_argument(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    assert not [name for name in KNOWN if f"`{name}`" not in text]
