"""Each room imports only what its line in the import contract names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def _lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_the_import_rules_hold(root: Path) -> None:
    done = _lint_imports(root)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("line", "module", "complaint"),
    [
        ("layers -> config, model, soundcloud, titles", "layers/base.py", "layers may not import storage"),
        ("titles -> text", "titles/names.py", "titles may not import storage"),
        ("text ->", "text/messages.py", "text may not import storage"),
    ],
)
def test_an_import_without_permission_is_reported(
    sources: Path, root: Path, tmp_path: Path, line: str, module: str, complaint: str
) -> None:
    assert f'"{line}"' in (root / "pyproject.toml").read_text()
    copy = tmp_path / "copy"
    shutil.copytree(sources, copy)
    shutil.copy(root / "tests" / "room_contract.py", copy / "tests")
    file = copy / "sgr_spiders" / module
    file.write_text(file.read_text() + "\nfrom sgr_spiders.storage import schema  # noqa\n")
    done = _lint_imports(copy)
    assert done.returncode != 0
    assert complaint in " ".join(done.stdout.split())  # the tool wraps its lines
