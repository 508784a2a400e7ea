"""The notebook of the documents runs in a real kernel, against the sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

pytestmark = [
    pytest.mark.sqlite("a database in the notebook's directory"),
    # Libraries of Jupyter warn about themselves.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def notebook(root: Path) -> NotebookNode:
    path = root / "docs" / "notebook.ipynb"
    read: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return read


def test_the_document_contains_no_outputs(notebook: NotebookNode) -> None:
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.slow
def test_the_notebook_runs(
    notebook: NotebookNode, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [
        [output["data"] for output in cell.outputs if "data" in output]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    _, (bar, result), (tracks,), _, (similar,), (recommended,), (data,), (report,), _ = shown

    # Each update has replaced the bar; the last one has its final numbers.
    assert bar["text/plain"].startswith("Harvest complete · ")
    finished, known = re.findall(r'value="(\d+)" max="(\d+)"', bar["text/html"])[0]
    assert finished == known > "0"
    assert "<b>complete</b>" in result["text/html"]
    assert "user_depth" in result["text/html"]
    assert "<table" in tracks["text/html"]
    for answer in (similar, recommended):
        assert "https://soundcloud.com/" in answer["text/html"]
    assert data["text/plain"].startswith("TrainingData(Interactions(")
    assert len(data["text/plain"]) < 300
    assert report["text/html"].startswith("<iframe srcdoc=")
    written = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    assert not written, "the log is hidden"
