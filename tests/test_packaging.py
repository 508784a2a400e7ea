"""Pinned requirements, and the contents of the egg and the wheel."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import sgr_spiders


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
        "from sgr_spiders.config import harvest; from sgr_spiders.titles.genres import normalise_tag; "
        "print(harvest.__file__, harvest.load('sandbox').deep_harvest.request_delay, normalise_tag('DnB'))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(egg)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{egg}/sgr_spiders/config/harvest.py 0.0 drum & bass\n"


@pytest.fixture(scope="module")
def wheel(sources: Path, egg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel that ``pip install .`` installs, where an egg was built before."""
    assert egg.is_file()
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder))
    command = [sys.executable, "-m", "pip", "wheel", *options, str(sources)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_a_release_has_a_complete_source_distribution_and_checksums(
    sources: Path, wheel: Path, root: Path, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    shutil.copytree(sources, release)
    shutil.copy(root / "Makefile", release)
    command = ["make", "-o", "setup", "release", f"BIN={Path(sys.executable).parent}"]
    subprocess.run(command, cwd=release, check=True, capture_output=True)
    dist = release / "dist"
    (archive,) = dist.glob("*.tar.gz")
    (built,) = dist.glob("*.whl")
    lines = [line.split() for line in (dist / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (archive, built)}
    assert sorted(zipfile.ZipFile(built).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(archive) as opened:
        packed = {name.partition("/")[2] for name in opened.getnames()}
    parts = [
        path for part in ("sgr_spiders", "pipelines", "configs") for path in (sources / part).rglob("*.*")
    ]
    needed = {
        str(path.relative_to(sources))
        for path in parts
        if path.suffix in {".py", ".yaml", ".css", ".js", ".csv"}
    }
    assert not needed - packed


def test_a_wheel_claims_one_name(wheel: Path, root: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    (info,) = {name.split("/")[0] for name in names} - {"sgr_spiders"}
    assert info == f"soundgraph_deep_harvest-{sgr_spiders.__version__}.dist-info"
    sources = {str(path.relative_to(root)) for path in (root / "sgr_spiders").rglob("*") if path.is_file()}
    for folder in ("pipelines", "configs"):
        sources |= {f"sgr_spiders/{path.relative_to(root)}" for path in (root / folder).glob("*.[py]*")}
    sources = {name for name in sources if "__pycache__" not in name}
    assert {name for name in names if name.startswith("sgr_spiders/")} == sources


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel and with other packages of these names."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for name in ("pipelines", "configs"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text("OWNER = 'another project'\n")
    python = folder / "bin" / "python"
    options = ("install", "--quiet", "--no-deps", "--no-index", str(wheel))
    command = [sys.executable, "-m", "pip", "--python", str(python), *options]
    subprocess.run(command, check=True, capture_output=True)
    # What it requires is here already; its own packages come first.
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


WHERE = """
from scrapy.utils.misc import load_object
from scrapy.utils.project import get_project_settings
import configs, pipelines, sgr_spiders
from sgr_spiders.config.harvest import load
from sgr_spiders.crawl.own_pipelines import OwnPipelines
settings = get_project_settings()
def found():
    print(*(load_object(path).__module__ for path in settings.getdict("ITEM_PIPELINES")))
found()
own = {"validate.Validate": 100, "dedupe.Dedupe": 200, "spill.Spill": 300}
theirs = {f"pipelines.{name}Pipeline": position for name, position in own.items()}
settings.set("ITEM_PIPELINES", theirs | {"logging.Logger": 400}, "cmdline")
OwnPipelines().update_settings(settings)
found()
print(sgr_spiders.__file__, configs.OWNER, pipelines.OWNER, load("sandbox").deep_harvest.request_delay)
"""


def test_an_installed_package_leaves_the_names_of_others_alone(installed: Path, tmp_path: Path) -> None:
    own = "sgr_spiders.pipelines.validate sgr_spiders.pipelines.dedupe sgr_spiders.pipelines.spill"
    done = subprocess.run(
        [str(installed), "-W", "error", "-c", WHERE],
        cwd=tmp_path,
        env={"SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings"},
        check=True,
        capture_output=True,
        text=True,
    )
    first, second, rest = done.stdout.splitlines()
    assert (first, second) == (own, f"{own} logging")
    where, names = rest.split(" ", 1)
    assert Path(where).is_relative_to(installed.parents[1])
    assert names == "another project another project 0.0"


def test_the_installed_program_works_in_any_directory(installed: Path, tmp_path: Path) -> None:
    program = installed.with_name("soundgraph")

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | environment
        return subprocess.run(
            [program, *arguments], cwd=tmp_path, env=env, check=False, capture_output=True, text=True
        )

    assert run("--version").stdout.startswith(f"soundgraph {sgr_spiders.__version__} (Scrapy ")
    added = run("seeds", "add", "5")
    path = tmp_path / ".local" / "share" / "soundgraph" / "soundgraph.db"
    assert (added.returncode, added.stdout.splitlines()[0]) == (0, f"Database: {path}"), added.stderr
    # What it prints works as printed.
    due = run("status").stdout.splitlines()[-1].strip()
    assert due == f"{program} harvest --due"
    found = run("status", PATH=f"{program.parent}:/usr/bin:/bin").stdout.splitlines()[-1].strip()
    assert found == "soundgraph harvest --due"
