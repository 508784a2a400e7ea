"""The documents agree with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sgr_spiders import settings
from sgr_spiders.config.arguments import KNOWN
from sgr_spiders.layers import LAYERS
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage.schema import metadata

DOCUMENTS = [
    "README.md",
    "DATA_FORMAT.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{path.name}" for path in (Path(__file__).parents[1] / "docs").glob("*.md")),
]


def targets_of(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_have_targets(root: Path, name: str) -> None:
    document = root / name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_navigation_of_the_site_names_each_document(root: Path, name: str) -> None:
    assert f": {name.removeprefix('docs/')}\n" in (root / "mkdocs.yml").read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(root: Path, name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (root / name).read_text(), flags=re.MULTILINE))
    assert named <= targets_of((root / "Makefile").read_text())


def test_every_room_has_a_documented_responsibility(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text()
    rooms = [path for path in (root / "sgr_spiders").iterdir() if (path / "__init__.py").exists()]
    missing = [room.name for room in rooms if f"`sgr_spiders/{room.name}/`" not in text]
    assert not missing


def test_the_changelog_names_every_spider_argument(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    assert not [name for name in KNOWN if f"`{name}`" not in text]


def test_the_readme_names_the_layers(root: Path) -> None:
    text = (root / "README.md").read_text()
    assert not [name for name in LAYERS if f"`{name}`" not in text]


def test_the_page_on_live_use_names_arguments_and_environment_variables(root: Path) -> None:
    text = (root / "docs" / "live.md").read_text()
    assert not [name for name in KNOWN if f"{name}=" not in text and name != "config"]
    read = re.findall(r'_from_environment\("(\w+)"', Path(settings.__file__).read_text())
    assert len(read) > 5
    assert not [name for name in read if f"`{name}`" not in text]


def test_the_page_on_live_use_has_the_defaults_of_the_settings(root: Path) -> None:
    text = (root / "docs" / "live.md").read_text()
    for name in ("SOUNDCLOUD_API_URL", "SOUNDCLOUD_TOKEN_URL", "HARVEST_DATABASE_URL", "HARVEST_CONFIG"):
        source = Path(settings.__file__).read_text()
        default = re.search(rf'_from_environment\("{name}", "([^"]+)"\)', source)
        assert default is not None
        assert f"| `{name}` | `{default[1]}` |" in text


def test_every_cell_of_the_reference_is_filled(root: Path) -> None:
    """``make check`` verifies that the tables are up to date, but not that no cell is empty."""
    reference = (root / "docs" / "reference.md").read_text()
    rows = [line for line in reference.splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert not [row for row in rows if row.endswith("|  |")]


def test_the_data_format_describes_every_table_and_column(root: Path) -> None:
    text = (root / "DATA_FORMAT.md").read_text()
    for table in metadata.tables.values():
        section = text.split(f"## `{table.name}`")[1].split("## `")[0]
        assert not [column.name for column in table.columns if f"| `{column.name}` |" not in section]
    assert "## `discoveries`" in text


def test_the_data_format_describes_every_relationship(root: Path) -> None:
    text = (root / "DATA_FORMAT.md").read_text()
    for relationship in TYPES.values():
        section = text.split(f"## `{relationship.table.name}`")[1].split("## `")[0]
        names = relationship.table.as_table().columns.keys()
        assert not [name for name in names if f"| `{name}` |" not in section]
