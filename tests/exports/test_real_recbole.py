"""RecBole trains on an export as docs/exports.md says, and reads every text as it is."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.databases import connect, copy_database
from tests.exports.conftest import export_from

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.recbole

TRAIN = """
from recbole.quick_start import run_recbole
run_recbole(model='LightGCN', config_file_list=['soundgraph.yaml'])
"""
READ = """
import json
from recbole.config import Config
from recbole.data import create_dataset
dataset = create_dataset(Config(model='LightGCN', config_file_list=['soundgraph.yaml']))
fields = {name: list(map(str, dataset.field2id_token[name])) for name in ('genre', 'country')}
print(json.dumps({'users': dataset.user_num, 'tracks': dataset.item_num, **fields}))
"""
FEW = ("--epochs=2", "--state=ERROR", "--show_progress=False")


@pytest.fixture(scope="module")
def folder(harvest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("recbole") / "harvest.db"
    copy_database(harvest, database)
    with closing(connect(database)) as connection, connection:
        connection.execute("UPDATE tracks SET genre = 'None' WHERE track_id = 112")
        connection.execute("UPDATE tracks SET genre = 'NA' WHERE track_id = 113")
    out = database.with_name("out")
    export_from(database, out, "ml", ["recbole"], min_per_user=3, split_seed=7)
    return out / "recbole"


def test_lightgcn_trains_and_is_evaluated(folder: Path) -> None:
    output = run(folder, TRAIN)
    assert (folder / "saved").is_dir(), output


def test_no_text_is_taken_for_a_missing_value(folder: Path) -> None:
    found = json.loads(run(folder, READ).splitlines()[-1])
    # Of each column, the first token is that of padding, and of missing values.
    assert {"None", "NA"} <= {text.strip() for text in found["genre"][1:]}
    assert "NA" in {text.strip() for text in found["country"][1:]}
    assert (found["users"], found["tracks"]) == (30, 62)


def run(folder: Path, program: str) -> str:
    """Run a program with the documented environment, and return its output."""
    ended = subprocess.run(
        [os.environ["RECBOLE_PYTHON"], "-c", program, *FEW],
        cwd=folder,
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout
