"""The command line, identical bytes from two processes, and ageing worlds."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests

from sgr_spiders.sandbox import options as sandbox_options
from sgr_spiders.sandbox.objects import ObjectWriter
from sgr_spiders.sandbox.options import ShapeOptions, WorldOptions
from sgr_spiders.sandbox.world import World
from tests.sandbox.client import ALL, ApiClient
from tests.sandbox_process import ROOT, SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = ("--users", "60", "--tracks", "200", "--playlists", "30")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sgr_spiders.sandbox", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--users", "x"), "option --users: invalid value: 'x' (not an integer)"),
        (("--users", "3"), "option --users: invalid value: '3' (must be 30 to 5000000)"),
        (("--likes-per-user", "many"), "option --likes-per-user: invalid value: 'many' (not a number)"),
        (("--uri", "urns"), "option --uri: invalid value: 'urns' (must be one of urn, numeric, mixed)"),
        (
            ("--seed-likers", "200"),
            "option --seed-likers: invalid value: '200' (at most half of the 300 users)",
        ),
        (
            ("--fault", "earthquake"),
            "option --fault: invalid value: 'earthquake' (unknown fault 'earthquake')",
        ),
        (("--user", "300"), "unrecognized arguments: --user 300"),
    ],
)
def test_bad_options(arguments: tuple[str, ...], message: str) -> None:
    ended = command("--port", "0", *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", message + "\n")


def test_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = command("--port", port, *SMALL)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert re.fullmatch(
        rf"option --port: invalid value: '{port}' \(.*address.*in use.*\)\n", ended.stderr, re.IGNORECASE
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_output_and_exit(number: signal.Signals) -> None:
    arguments = [sys.executable, "-m", "sgr_spiders.sandbox", "--port", "0", *SMALL]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        match = re.fullmatch(r"sandbox listening on (http://127\.0\.0\.1:\d+)\n", first)
        assert match
        process.send_signal(number)
        rest, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 0
    assert errors == ""
    assert f"SOUNDCLOUD_API_URL={match[1]}\n" in rest
    assert f"SOUNDCLOUD_TOKEN_URL={match[1]}/oauth/token\n" in rest
    assert "SOUNDCLOUD_CLIENT_ID=sandbox SOUNDCLOUD_CLIENT_SECRET=sandbox\n" in rest
    assert f"seed track: {World.build(read(*SMALL).world).seed_track_id}\n" in rest


def test_a_hanging_client_does_not_keep_it_alive() -> None:
    sandbox = SandboxProcess("--fault", "hang", *SMALL)
    try:
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(sandbox.url + "/tracks/1", timeout=0.3)
    finally:
        assert sandbox.stop() == 0


def read(*arguments: str) -> sandbox_options.Options:
    import argparse  # noqa: PLC0415 (needed here alone)

    parser = argparse.ArgumentParser()
    sandbox_options.add_options(parser)
    return sandbox_options.read(parser.parse_args(arguments))


def test_scrapy_command_has_the_same_options() -> None:
    import argparse  # noqa: PLC0415 (needed here alone)

    from scrapy.settings import Settings  # noqa: PLC0415 (needed here alone)

    from sgr_spiders.commands.sandbox import Command  # noqa: PLC0415 (needed here alone)

    started = Command()
    started.settings = Settings()
    parser = argparse.ArgumentParser()
    started.add_options(parser)
    assert started.requires_project
    assert not started.requires_crawler_process
    started.run([], parser.parse_args(["--users", "none"]))
    assert started.exitcode == 2
    assert sandbox_options.read(parser.parse_args(["--users", "77"])).world.users == 77


def digest(*arguments: str, hash_seed: str) -> str:
    """Return a hash of many responses of a new process with its own hash seed."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = hash_seed
    try:
        process = SandboxProcess(*arguments)
    finally:
        del os.environ["PYTHONHASHSEED"]
        if before is not None:
            os.environ["PYTHONHASHSEED"] = before
    with process, requests.Session() as session:
        api = ApiClient(process, session)
        seed = process.seed_track_id
        total = hashlib.sha256()
        paths = [f"/tracks/{seed}", "/tracks?q=paper+lanterns&linked_partitioning=1", "/playlists?q=mix"]
        paths += [f"/tracks/{seed}/{name}" for name in ("favoriters", "reposters", "comments", "related")]
        people = [user["urn"] for user in api.json(f"/tracks/{seed}/favoriters?limit=10")["collection"]]
        for user in people:
            paths += [
                f"/users/{user}",
                f"/users/{user}/likes/tracks?{ALL}&limit=200",
                f"/users/{user}/playlists",
            ]
        for path in paths:
            total.update(api.get(path).text.replace(process.url, "").encode())
        return total.hexdigest()


def test_two_processes_give_the_same_bytes() -> None:
    first = digest(*SMALL, hash_seed="1")
    assert digest(*SMALL, hash_seed="2") == first
    assert digest(*SMALL, "--world-seed", "2", hash_seed="1") != first


@pytest.fixture
def young() -> Iterator[SandboxProcess]:
    with SandboxProcess(*SMALL) as process:
        yield process


def likers(process: SandboxProcess) -> list[int]:
    with requests.Session() as session:
        return ApiClient(process, session).ids(f"/tracks/{process.seed_track_id}/favoriters")


def test_generations(young: SandboxProcess) -> None:
    options = read(*SMALL).world
    assert likers(young) == World.build(options).likers(young.seed_track_id)
    young.mutate(rounds=4)
    older = World.build(read(*SMALL, "--generation", "4").world)
    assert likers(young) == older.likers(young.seed_track_id)
    with SandboxProcess(*SMALL, "--generation", "4") as reborn:
        assert reborn.seed_track_id == young.seed_track_id
        assert likers(reborn) == likers(young)
    fresh = World.build(options)
    assert len(older.likes) < len(fresh.likes)
    assert len(older.comments.ids) < len(fresh.comments.ids)
    for old, new in ((fresh.track_visible, older.track_visible), (fresh.user_visible, older.user_visible)):
        assert (old & ~new).any()
    assert (~fresh.track_visible & older.track_visible).any() or (older.catalogue.state == 1).any()


def test_explicit_changes(young: SandboxProcess) -> None:
    with requests.Session() as session:
        api = ApiClient(young, session)
        seed = young.seed_track_id
        before = likers(young)
        young.mutate(unlike=[[before[0], seed]], delete_users=[before[1]])
        assert likers(young) == before[2:]
        assert api.get(f"/users/{before[1]}").status_code == 404
        assert api.json(f"/tracks/{seed}")["favoritings_count"] >= len(before) - 1
        young.mutate(private_tracks=[seed])
        assert api.get(f"/tracks/{seed}").status_code == 404
        response = session.post(f"{young.url}/_sandbox/mutate", json={"delete_tracks": [1]}, timeout=10)
        assert response.status_code == 400
        assert session.post(f"{young.url}/_sandbox/mutate", json={"eat": 1}, timeout=10).status_code == 400


def test_shapes() -> None:
    world = World.build(read(*SMALL).world)
    plain = ObjectWriter(world, ShapeOptions())
    off = ObjectWriter(world, ShapeOptions(numeric_ids="off", uri="numeric"))
    mixed = ObjectWriter(world, ShapeOptions(numeric_ids="mixed", uri="mixed"))
    hostile = ObjectWriter(world, ShapeOptions(hostile_text=True))
    everything = {
        writer: b"\n".join(
            [writer.track(index) for index in range(200)] + [writer.comment(n) for n in range(300)]
        )
        for writer in (plain, off, mixed, hostile)
    }
    assert everything[plain].count(b'"id":') >= 500
    assert b'"id":' not in everything[off]
    assert b"/tracks/soundcloud:tracks:" not in re.sub(rb'"stream_url":"[^"]*"', b"", everything[off])
    assert 0 < everything[mixed].count(b'"id":') < everything[plain].count(b'"id":')
    for mark in (b"\\ud800", b"\\u0000", b"\\u001b"):
        assert mark in everything[hostile]
        assert mark not in everything[plain]
    stamps = re.findall(rb'"timestamp":(null|"?)', everything[plain])
    assert set(stamps) == {b"null", b'"', b""}
    assert b'"station_urn"' in everything[plain]
    assert b'"reveal_stats":false' in everything[plain]
    assert b'"user":null' in everything[plain]


def test_gzip() -> None:
    with SandboxProcess(*SMALL, "--gzip") as process, requests.Session() as session:
        api = ApiClient(process, session)
        path = f"/tracks/{process.seed_track_id}"
        packed = api.get(path, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        plain = api.get(path, **{"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert packed.json() == plain.json()


def test_a_large_world_is_built_quickly_and_small() -> None:
    start = time.process_time()
    world = World.build(WorldOptions(users=10_000, tracks=30_000, playlists=1_000, likes_per_user=100))
    assert 900_000 < len(world.likes) <= 1_000_000 + 1_000
    assert time.process_time() - start < 25
    # Kilobytes on Linux, for the whole test process: hence the generous limit.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
    user = world.user_ids()[77]
    assert world.library(user) is None or len(world.library(user) or []) <= 400
