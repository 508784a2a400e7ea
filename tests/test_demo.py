"""``make demo`` harvests the sandbox, prints the results, and leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.crawls import invariants


def start(root: Path, folder: Path) -> subprocess.Popen[str]:
    """Start the demo in *folder*."""
    (folder / "data").mkdir()
    harvest = {"PYTHONPATH": str(root), "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings"}
    with (folder / "demo.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sgr_spiders.sandbox.demo"],
            cwd=folder,
            env={**os.environ, **harvest, "HARVEST_DATABASE_URL": "sqlite:///elsewhere.db"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def demo(root: Path, tmp_path: Path) -> subprocess.Popen[str]:
    return start(root, tmp_path)


class FinishedDemo(NamedTuple):
    """The directory, the output and the log of a demo."""

    folder: Path
    output: str
    log: str


@pytest.fixture(scope="module")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedDemo:
    folder = tmp_path_factory.mktemp("demo")
    process = start(root, folder)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    (database,) = folder.glob("data/*.db")
    invariants.check_ended(database, 0)
    return FinishedDemo(folder, output, (folder / "demo.log").read_text())


def is_reachable(address: str) -> bool:
    try:
        return requests.get(f"{address}/robots.txt", timeout=10).ok
    except requests.ConnectionError:
        return False


def address_in(output: str) -> str:
    found = re.search(r"SOUNDCLOUD_API_URL=(\S+)", output)
    assert found, output
    return found[1]


def test_the_demo_harvests_and_counts_the_tables(finished: FinishedDemo) -> None:
    assert not is_reachable(address_in(finished.output))
    assert "scrapy crawl deep_harvest -a track_id=" in finished.output
    counts = dict(re.findall(r"^  (\w+) +([\d,]+)$", finished.output, flags=re.MULTILINE))
    assert all(counts[table] != "0" for table in ("tracks", "users", "engagements", "walks"))
    assert not (finished.folder / "elsewhere.db").exists()  # the user's own database is not touched


def test_the_readme_shows_its_output(finished: FinishedDemo, root: Path) -> None:
    # The README shows it from the checkout, where scrapy.cfg is.
    typed = re.sub(
        r"(\w+=\S+ )*\S*/scrapy (?=crawl|status)", ".venv/bin/scrapy ", finished.output + finished.log
    )
    printed = _without_figures(typed)
    block = re.search(
        r"^\$ make demo\n(.*?)^\$ make test", (root / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert block
    shown = [line.removeprefix("… ") for line in block[1].splitlines() if line not in {"", "…"}]
    assert len(shown) > 15
    assert [line for line in shown if _without_figures(line) not in printed] == []


def test_the_tutorial_shows_the_output_of_its_commands(finished: FinishedDemo, root: Path) -> None:
    """Figures are ignored: their last digits may depend on the processor."""
    blocks = re.findall(
        r"^```\n(\$ .*?)^```", (root / "docs" / "tutorial.md").read_text(), re.DOTALL | re.MULTILINE
    )
    shown = [
        part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]
    assert len(shown) >= 7
    printed = run_commands(finished, root, [command for command, _, _ in shown])
    for (command, _, expected), actual in zip(shown, printed, strict=True):
        assert _without_figures(actual) == _without_figures(expected), command


@pytest.mark.parametrize(
    ("name", "least"), [("README.md", 5), ("docs/tour.md", 8), ("docs/publishing.md", 4)]
)
def test_the_commands_of_the_documents_work_on_the_demo(
    finished: FinishedDemo, root: Path, name: str, least: int
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (root / name).read_text(), re.DOTALL | re.MULTILINE)
    commands = [
        line.partition("#")[0].strip()
        for block in blocks
        for line in block.splitlines()
        # A crawl needs the API, a copy a server. The tutorial's test creates vectors. `follow` has no end.
        if line.startswith("scrapy ") and line.split()[1] not in {"copy", "crawl", "embed", "follow"}
    ]
    assert len(commands) >= least
    assert all(run_commands(finished, root, commands))


def run_commands(finished: FinishedDemo, root: Path, commands: list[str]) -> list[str]:
    """Run *commands* of scrapy on the demo's database; return the output of each."""
    code = (
        "import json, sys\n"
        "from scrapy.cmdline import execute\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    print('$', command, flush=True)\n"
        "    try:\n"
        "        execute(command.split())\n"
        "    except SystemExit as ended:\n"
        "        assert not ended.code, command\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)],
        cwd=finished.folder,
        env={
            **os.environ,
            "PYTHONPATH": str(root),
            "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings",
            "HARVEST_DATABASE_URL": "sqlite:///data/demo.db",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    return re.split(r"^\$ .*\n", ran.stdout, flags=re.MULTILINE)[1:]


def _without_figures(text: str) -> str:
    """Return the text without what differs between runs: numbers and their width."""
    return re.sub(r" +", " ", re.sub(r"[\d,.]*\d", "0", text))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_also_ends_the_sandbox(demo: subprocess.Popen[str], number: int) -> None:
    assert demo.stdout
    address = address_in(demo.stdout.readline())
    assert is_reachable(address)
    if number == signal.SIGINT:
        os.killpg(demo.pid, number)  # Ctrl-C reaches both the demo and its crawl
    else:
        demo.send_signal(number)
    demo.communicate(timeout=120)
    assert not is_reachable(address)
