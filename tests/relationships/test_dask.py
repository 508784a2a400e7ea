"""``scrapy relate --engine dask``: the same tables as the local engine, from a cluster of two workers."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import distributed
import pytest
import sqlalchemy as sa

import sgr_spiders
from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import ClusterError
from sgr_spiders.relationships import dask_engine, forecast
from sgr_spiders.relationships.dask_engine import DaskEngine, open_engine
from sgr_spiders.relationships.processor import relate
from sgr_spiders.relationships.spool import Spool
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.relationships.test_exact import crowd
from tests.relationships.test_processor import make_config, make_world, runs
from tests.relationships.worlds import World, stored
from tests.scrapy_process import run_command, scrapy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sgr_spiders.relationships.keys import Keys


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
    ) as started:
        yield started


@pytest.fixture
def engine(cluster: distributed.LocalCluster) -> Iterator[DaskEngine]:
    with open_engine(cluster.scheduler_address, 0) as opened:
        yield opened


def related(store: Store, world: World, config: HarvestConfig, engine: DaskEngine | None) -> Any:  # noqa: ANN401
    """Rebuild the tables; return the tables and what was recorded of them."""
    world.spill(store)
    results = relate(store, config, engine=engine)
    assert [result.error for result in results] == [None] * len(results)
    entries = [{name: run[name] for name in ("type", "parameters", "inputs", "rows")} for run in runs(store)]
    return stored(store, with_significance=True), entries


CONFIGS: list[dict[str, object]] = [
    {"user_cosine": {"enabled": True}, "user_similarity": {"min_common_tracks": 1, "min_similarity": 0.3}},
    {"track_cooccurrence": {"min_cooccurrences": 1, "top_k": 2}, "artist_relation": {"min_shared_fans": 1}},
    {"track_cooccurrence": {"weighting": "size", "max_contribution": 1, "playlists": "curated", "top_k": 3}},
    {"max_pairs": 20, "user_similarity": {"min_common_tracks": 1, "min_similarity": 0}},
]


@pytest.mark.parametrize("relationships", CONFIGS)
def test_the_tables_are_those_of_the_local_engine(
    store: Store,
    engine: DaskEngine,
    monkeypatch: pytest.MonkeyPatch,
    relationships: dict[str, object],
) -> None:
    """Also with libraries that are cut or left out, a forecast, and tasks that end early."""
    monkeypatch.setattr(forecast, "SMALL", 0)
    monkeypatch.setattr(forecast, "SAMPLE", 5)
    monkeypatch.setattr(dask_engine, "MOST_FOUND", 20)
    config = make_config(engagement_kinds=["like", "repost"], **relationships)
    local = related(store, crowd(5, 0.4), config, None)
    assert local[0]["track_relationships"]
    assert related(store, crowd(5, 0.4), config, engine) == local


def test_an_empty_database_gives_empty_tables(store: Store, engine: DaskEngine) -> None:
    assert related(store, World(), HarvestConfig(), engine) == related(store, World(), HarvestConfig(), None)


def test_a_killed_worker_costs_no_pair(
    store: Store,
    cluster: distributed.LocalCluster,
    engine: DaskEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[int] = []
    add = Spool.add

    def kill_once(spool: Spool, keys: Keys) -> None:
        if not killed:
            killed.append(cluster.workers[0].process.pid)
            os.kill(killed[0], signal.SIGKILL)
        add(spool, keys)

    local = related(store, make_world(), HarvestConfig(), None)
    monkeypatch.setattr(dask_engine, "TASKS_PER_THREAD", 20)  # more than there are ahead
    monkeypatch.setattr(Spool, "add", kill_once)
    assert related(store, make_world(), HarvestConfig(), engine) == local
    assert killed


def test_moments_without_workers_cost_no_pair(
    store: Store, engine: DaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first task, and between two."""
    local = related(store, make_world(), HarvestConfig(), None)
    monkeypatch.setattr(DaskEngine, "workers", lambda _: [])
    assert related(store, make_world(), HarvestConfig(), engine) == local


def test_a_lost_cluster_is_one_line_and_the_old_tables_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = related(store, make_world(), HarvestConfig(), None)
    with store.write() as connection:
        connection.execute(sa.update(schema.relationship_runs).values(stamp="", fingerprint=""))
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
    ) as lost:
        monkeypatch.setattr(dask_engine, "MOST_FOUND", 1)
        monkeypatch.setitem(dask_engine.SETTINGS, "distributed.comm.timeouts.connect", "1s")
        monkeypatch.setattr(Spool, "add", lambda _spool, _keys: lost.close())
        with open_engine(lost.scheduler_address, 0) as engine:
            results = relate(store, HarvestConfig(), engine=engine)
    assert [result.rows for result in results] == [len(rows) for rows in before[0].values() if rows]
    for result in results:
        assert isinstance(result.error, ClusterError)
        assert str(result.error).startswith(f"Dask cluster {lost.scheduler_address} was lost: ")
        assert "\n" not in str(result.error)
    assert stored(store, with_significance=True) == before[0]


@pytest.mark.parametrize("version", [None, "0.0.9"])
def test_another_version_is_an_error(
    cluster: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    """Of the scheduler, which is in this process, or of a worker that joins later."""
    needed = sgr_spiders.__version__
    if version is None:
        monkeypatch.setitem(sys.modules, "sgr_spiders.relationships.blocks", None)
    monkeypatch.setattr(sgr_spiders, "__version__", version)
    machine = f"Dask scheduler {cluster.scheduler_address}"
    expected = f"^{machine}: has {version or 'no'} soundgraph-deep-harvest, needs {needed}; "
    with pytest.raises(ClusterError, match=expected), open_engine(cluster.scheduler_address, 0):
        pass
    with distributed.Client(cluster) as client:
        task = client.submit(dask_engine._do, "9.9", None, None)
        with pytest.raises(ClusterError, match=r"^Dask worker tcp://\S+: .*, needs 9\.9; "):
            task.result()


@pytest.mark.slow
def test_the_command_uses_a_cluster(store: Store, url: str, cluster: distributed.LocalCluster) -> None:
    """A given one, and one on this machine."""
    make_world().spill(store)
    relate(store, HarvestConfig())
    expected = stored(store)
    store.close()
    for options in (["--scheduler", cluster.scheduler_address], []):
        with closing(Store.open(url)) as opened:
            make_world().spill(opened)
        done = scrapy("relate", "--engine", "dask", *options, HARVEST_DATABASE_URL=url)
        assert done.code == 0, done.err
        assert "WARNING" not in done.err
        assert " blocks, " in done.err
        with closing(Store.open(url)) as opened:
            assert stored(opened) == expected


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--engine", "dusk"], "option `--engine`: must be local or dask, not 'dusk' (did you mean `dask`?)"),
        (["--scheduler", "tcp://10.0.0.1:8786"], "option `--scheduler`: only with `--engine dask`"),
        (
            ["--engine", "dask", "--scheduler", "10.0.0.1"],
            "option `--scheduler`: must be an address such as tcp://10.0.0.1:8786, not '10.0.0.1'",
        ),
    ],
)
def test_wrong_options_are_one_line(options: list[str], error: str) -> None:
    done = run_command("relate", *options)
    assert (done.code, done.err) == (2, f"{error}\n")


def test_without_dask_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    done = run_command("relate", "--engine", "dask")
    assert done.code == 2
    assert done.err == (
        "option `--engine`: dask needs the package distributed, which is not installed; install it with `pip "
        "install 'soundgraph-deep-harvest[dask]'`\n"
    )


def test_no_scheduler_at_the_address_is_one_line(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dask_engine.SETTINGS, "distributed.comm.timeouts.connect", "1s")
    store.close()
    arguments = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    done = run_command("relate", *arguments, HARVEST_DATABASE_URL=url)
    assert done.code == 1
    assert done.err.startswith("Dask cluster tcp://127.0.0.1:1: could not connect: ")
    assert done.err.count("\n") == 1
