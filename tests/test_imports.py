"""Imports go downwards only, and no room escapes the rule."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path


def test_the_import_rules_hold(root: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_its_floor(root: Path) -> None:
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = " ".join(next(contract["layers"] for contract in contracts if contract["type"] == "layers"))
    placed = set(re.findall(r"sgr_spiders\.(\w+)", floors)) | {"sandbox"}  # which has a rule of its own
    rooms = {path.stem for path in (root / "sgr_spiders").iterdir() if not path.name.startswith("_")}
    assert not rooms - placed
