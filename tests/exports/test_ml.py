"""Each format of the training data contains the same data when its library loads it."""

from __future__ import annotations

import dataclasses
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
import yaml
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-untyped]

from sgr_spiders.embeddings.pair_times import PairTimes
from sgr_spiders.embeddings.preparation import TrainingData
from sgr_spiders.exports import interaction_table, recbole
from sgr_spiders.exports.package import Package
from sgr_spiders.relationships.processor import RelationshipProcessor
from tests.databases import url_of
from tests.exports.conftest import export_from

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {"like": 1.0, "repost": 0.5, "playlist": 2.0}
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def folder(harvest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ml")
    formats = ["npz", "edge_index", "recbole", "sequences", "parquet", "csv"]
    export_from(harvest, folder, "ml", formats, sources=SOURCES, min_per_user=3, split_seed=7)
    return folder


@pytest.fixture(scope="module")
def prepared(harvest: Path) -> TrainingData:
    processor = RelationshipProcessor(url_of(harvest))
    return processor.prepare_for_embeddings(sources=SOURCES, min_per_user=3, split_seed=7)


def same(found: sp.csr_matrix, wanted: sp.csr_array) -> bool:
    return found.shape == wanted.shape and found.dtype == wanted.dtype and not (found != wanted).nnz


def test_scipy_reads_the_matrices(folder: Path, prepared: TrainingData) -> None:
    assert same(sp.load_npz(folder / "interactions.npz"), prepared.interactions.matrix)
    for part in PARTS:
        assert same(sp.load_npz(folder / f"{part}.npz"), getattr(prepared.split, part))
    assert np.load(folder / "users.npy").tolist() == prepared.interactions.users.tolist()
    assert np.load(folder / "tracks.npy").tolist() == prepared.interactions.tracks.tolist()


def test_implicit_trains_on_the_matrices(folder: Path) -> None:
    als = pytest.importorskip("implicit.als")
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - a dependency of implicit

    train, test = (sp.load_npz(folder / f"{part}.npz") for part in ("train", "test"))
    users = np.arange(train.shape[0])
    with threadpool_limits(1, "blas"):
        model = als.AlternatingLeastSquares(factors=8, iterations=3, num_threads=1, random_state=1)
        model.fit(train, show_progress=False)  # a matrix that needs conversion warns, which fails
        recommended, _ = model.recommend(users, train, N=5, filter_already_liked_items=True)
    assert recommended.shape == (train.shape[0], 5)
    assert not train[np.repeat(users, 5), recommended.ravel()].any()
    assert test[np.repeat(users, 5), recommended.ravel()].any()


def test_pytorch_geometric_reads_the_edges(folder: Path, prepared: TrainingData) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses deprecated torch features
        pytest.importorskip("torch_geometric")
        from torch_geometric.data import Data  # noqa: PLC0415
        from torch_geometric.nn import LGConv  # noqa: PLC0415
        from torch_geometric.utils import to_undirected  # noqa: PLC0415
    index = torch.from_numpy(np.load(folder / "edge_index.npy"))
    part = torch.from_numpy(np.load(folder / "edge_part.npy"))
    weight = torch.from_numpy(np.load(folder / "edge_weight.npy"))
    users, tracks = len(prepared.interactions.users), len(prepared.interactions.tracks)
    graph = Data(edge_index=index, edge_attr=weight, num_nodes=users + tracks)
    assert graph.validate()
    for number, name in enumerate(PARTS):
        chosen = part == number
        ends = index[:, chosen].numpy()
        found = sp.csr_matrix((weight[chosen].numpy(), (ends[0], ends[1] - users)), shape=(users, tracks))
        assert same(found, getattr(prepared.split, name))
    both_ways = to_undirected(index[:, part == 0])
    assert both_ways.shape[1] == 2 * prepared.split.train.nnz
    assert LGConv()(torch.ones(users + tracks, 4), both_ways).shape == (users + tracks, 4)


def test_gensim_reads_the_playlists(folder: Path, prepared: TrainingData) -> None:
    word2vec = pytest.importorskip("gensim.models.word2vec")
    lines = list(word2vec.LineSentence(str(folder / "playlists.txt")))
    assert lines == [[str(track) for track in tracks] for tracks in prepared.playlists]
    assert np.load(folder / "playlist_ids.npy").tolist() == prepared.playlists.ids.tolist()
    model = word2vec.Word2Vec(lines, vector_size=4, min_count=1, workers=1, epochs=1)
    assert set(model.wv.key_to_index) == {str(track) for track in prepared.playlists.tracks}


def test_tables_have_ids_and_indices(folder: Path, prepared: TrainingData) -> None:
    frames = [pl.read_parquet(folder / "interactions.parquet"), pl.read_csv(folder / "interactions.csv")]
    assert frames[0].equals(frames[1])
    (frame, _) = frames
    for part in PARTS:
        chosen = frame.filter(pl.col("part") == part)
        found = sp.csr_array(
            (chosen["weight"].to_numpy().astype(np.float32), (chosen["user_index"], chosen["track_index"])),
            shape=prepared.interactions.matrix.shape,
        )
        assert same(found, getattr(prepared.split, part))
    users, tracks = (pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "tracks"))
    joined = frame.to_pandas().merge(tracks, left_on="track_index", right_on="index")
    assert (joined["track_id_x"] == joined["track_id_y"]).all()
    assert users["user_id"].tolist() == prepared.interactions.users.tolist()
    assert tracks["tags"].dropna().tolist()[0][0] == "drone"


# ---- RecBole: a reader as strict as RecBole, which requires numpy 1

TYPES = {"token", "token_seq", "float", "float_seq"}


def read_atomic(path: Path) -> pd.DataFrame:
    """Read an atomic file like RecBole, but reject any error."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    head = [column.split(":") for column in lines[0].split("\t")]
    assert all(len(column) == 2 and column[1] in TYPES for column in head)
    assert all(line.count("\t") == len(head) - 1 for line in lines)
    dtypes: Any = {f"{name}:{kind}": np.float64 if kind == "float" else str for name, kind in head}
    frame = pd.read_csv(path, delimiter="\t", dtype=dtypes, encoding="utf-8", engine="python")
    assert len(frame) == len(lines) - 1
    frame.columns = pd.Index([name for name, _ in head])
    return frame


def test_the_recbole_configuration_matches_the_files(folder: Path, prepared: TrainingData) -> None:
    config = yaml.safe_load((folder / "recbole" / "soundgraph.yaml").read_text())
    place = folder / "recbole" / config["data_path"] / config["dataset"]
    user, item = config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]
    assert config["eval_args"] == {"order": "RO", "group_by": "user", "mode": "full"}
    interactions = prepared.interactions
    for part in config["benchmark_filename"]:
        frame = read_atomic(place / f"{config['dataset']}.{part}.inter")
        assert list(frame.columns) == config["load_col"]["inter"]
        rows = interactions.user_indices(frame[user].astype("int64").to_numpy())
        columns = interactions.track_indices(frame[item].astype("int64").to_numpy())
        found = sp.csr_array(
            (frame["weight"].to_numpy().astype(np.float32), (rows, columns)), shape=interactions.matrix.shape
        )
        assert same(found, getattr(prepared.split, part))
    for suffix, key, ids in (("user", user, interactions.users), ("item", item, interactions.tracks)):
        frame = read_atomic(place / f"{config['dataset']}.{suffix}")
        assert list(frame.columns) == config["load_col"][suffix]
        assert frame[key].tolist() == [str(number) for number in ids]
    tracks = read_atomic(place / f"{config['dataset']}.item").set_index(item)
    assert tracks.loc["110", "bpm"] == 174.5
    assert tracks.loc["110", "tags"].split()[0] == "drone"
    assert "label_name" not in tracks.columns  # unknown for all tracks


def test_texts_that_pandas_takes_for_missing_survive(folder: Path, tmp_path: Path) -> None:
    """A country NA, a genre None; even quotes would not keep them."""
    users = read_atomic(folder / "recbole" / "soundgraph" / "soundgraph.user").set_index("user_id")
    assert users.loc["3", "country"].strip() == "NA"
    texts = sorted(STR_NA_VALUES - {""})
    path = tmp_path / "x.item"
    types = {"genre": "token", "tags": "token_seq"}
    table = pa.table({"genre": texts, "tags": [[text] for text in texts]})
    columns = recbole.Columns(types)
    path.write_text(columns.header() + "".join(columns.lines(table)), encoding="utf-8")
    frame = read_atomic(path)
    assert [text.strip() for text in frame["genre"]] == texts
    assert [text.split() for text in frame["tags"]] == [[text.replace(" ", "_")] for text in texts]


def test_times_of_interactions(prepared: TrainingData, tmp_path: Path) -> None:
    """A column of times is in the tables; RecBole gets one only if no time is missing."""
    matrix = prepared.interactions.matrix
    rows, columns = matrix.nonzero()
    keys = rows.astype(np.int64) * matrix.shape[1] + columns
    ends = np.datetime64("2024-01-01", "us") + np.arange(matrix.nnz)
    starts = ends.copy()
    starts[0] = np.datetime64("NaT")
    times = PairTimes(matrix.shape[1], keys, starts, ends)
    dated = dataclasses.replace(prepared, times=times)
    interaction_table.write_parquet(dated, Package(tmp_path))
    frame = pl.read_parquet(tmp_path / "interactions.parquet")
    assert frame["not_before"].to_list()[:2] == [None, datetime(2024, 1, 1, 0, 0, 0, 1, UTC)]
    assert frame["not_after"].to_list()[-1] == ends[-1].item().replace(tzinfo=UTC)
    recbole.write(dated, Package(tmp_path))
    config = yaml.safe_load((tmp_path / "recbole" / "soundgraph.yaml").read_text())
    assert config["TIME_FIELD"] == "not_after"
    test = read_atomic(tmp_path / "recbole" / "soundgraph" / "soundgraph.test.inter")
    assert list(test.columns) == config["load_col"]["inter"]
    row, column = (end[:1] for end in prepared.split.test.nonzero())
    assert test["not_after"][0] == (times.at(row, column)[1][0].astype(np.int64)) / 1e6
    ends[5] = np.datetime64("NaT")
    recbole.write(dated, Package(tmp_path / "gap"))
    assert "TIME_FIELD" not in (tmp_path / "gap" / "recbole" / "soundgraph.yaml").read_text()
