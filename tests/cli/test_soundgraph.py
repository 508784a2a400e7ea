"""The command ``soundgraph``: every command in any directory, with help, versions and suggestions."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sgr_spiders
from sgr_spiders.commands import harvest
from sgr_spiders.config.arguments import KNOWN
from sgr_spiders.config.databases import LIVE, in_user_data, url_of
from sgr_spiders.storage.migrate import HEAD
from sgr_spiders.storage.store import Store
from sgr_spiders.text import soundgraph_words
from sgr_spiders.text.resume_command import crawl_command
from tests.cli.test_help import NAMES
from tests.scrapy_process import ROOT, CommandResult

IN_ONE_PROCESS = """
import contextlib, io, json, sys
from sgr_spiders.cli.soundgraph import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["/opt/bin/soundgraph", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


def soundgraph(*commands: str, cwd: Path, **environment: str) -> list[CommandResult]:
    """Run ``soundgraph`` with each line of arguments, all in one process: starting one takes a second."""
    lines = json.dumps([shlex.split(command) for command in commands])
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("HARVEST_", "SOUNDCLOUD_"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_ONE_PROCESS, lines],
        cwd=cwd,
        env=env | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [CommandResult(*json.loads(line)) for line in done.stdout.splitlines()]


def test_help_lists_every_command_once_and_in_order(tmp_path: Path) -> None:
    helps = soundgraph("", "-h", "--help", "help", "--config x --help", cwd=tmp_path)
    assert len(set(helps)) == 1
    code, text, errors = helps[0]
    assert (code, errors) == (0, "")
    listed = re.findall(r"^  (\w+)  +[A-Z]", text, re.MULTILINE)
    assert sorted(listed) == NAMES
    assert "Other" not in text, "each of our commands has a group"
    assert listed.index("harvest") < listed.index("similar") < listed.index("export") < listed.index("vacuum")
    assert max(map(len, text.splitlines())) <= 100
    one, other = soundgraph("help status", "status --help", cwd=tmp_path)
    assert one == other
    assert "  soundgraph status [options]\n" in one.out


def test_versions(tmp_path: Path) -> None:
    answers = soundgraph("--version", "-V", "version", cwd=tmp_path)
    assert len(set(answers)) == 1
    python = re.escape(".".join(map(str, sys.version_info[:3])))
    others = rf"Scrapy 2\.\d+\.\d+, Python {python}, database schema {HEAD}"
    assert re.fullmatch(rf"soundgraph {sgr_spiders.__version__} \({others}\)\n", answers[0].out)


ERRORS = {
    "statsu": "unknown command 'statsu' (did you mean `status`?)",
    "xyzzy": "unknown command 'xyzzy'; `/opt/bin/soundgraph --help` lists all commands",
    "--databse x status": "unknown option '--databse' (did you mean `--database`?)",
    "--database x.db": "name a command after --database",
    "similar track 5 --bye x": "unknown option '--bye' (did you mean `--by`?)",
    "similar track 5 --xyzzy": "unknown option '--xyzzy'; `/opt/bin/soundgraph similar --help` lists",
    "similar trck 5": "e.g. `/opt/bin/soundgraph similar track 123`",
    "sandbox --prot 5": "unknown option '--prot' (did you mean `--port`?)",
    "completion --shell bash": "unknown option '--shell'",
    "completion tcsh": "name one of bash, zsh, fish, not 'tcsh'",
    "crawl deep_harvest --layer x": "unknown option '--layer'",
    "--database x.db status": "create it with `/opt/bin/soundgraph harvest ID --database x.db`",
    "status --database=x.db": "database x.db: no such file",
    "status --config nope": "configuration nope: no such file",
    "relate --config=": "option `--config`: is empty",
    "harvest": "no seed given; name tracks, playlists or users by ID, URN, URL or permalink, or add --seeds",
    "harvest 1 -a track_id=2": "spider argument `track_id`: given twice",
    "harvest 1 --layers user_depth -a layers=label_layer": "spider argument `layers`: given twice",
    "compare a.db b.db --database c.db": "option `--database`: name the databases as arguments",
    "compare a.db --before 1 --database c.db": "option `--database`: name the databases as arguments",
    "harvest abc": "seed: not an ID, URN, URL or permalink: 'abc'",
    "harvest 5,x": "seed: not an ID, URN, URL or permalink: 'x'",
    "harvest 5 --layers user_dept": "option `--layers`: unknown layer 'user_dept' (did you mean `user_d",
    "harvest 5 --max-requests many": "option `--max-requests`: must be an integer",
    "harvest 5 --refresh --delta": "option `--delta`: leave it out with `--refresh`",
    "harvest 5 --due": "spider argument `due`: takes its seeds from the database",
    "harvest 5 --refesh": "unknown option '--refesh' (did you mean `--refresh`?)",
}  # fmt: skip


def test_mistakes_are_one_line_with_what_was_meant(tmp_path: Path) -> None:
    for (line, message), result in zip(ERRORS.items(), soundgraph(*ERRORS, cwd=tmp_path), strict=True):
        assert result.code == 2, line
        assert message in result.err, line
        assert result.err.count("\n") == 1, result.err
        assert "scrapy" not in result.err, line


def test_a_dash_or_a_negative_number_is_an_argument_and_so_is_what_follows_two_dashes(tmp_path: Path) -> None:
    for line, argument in (("status -5", "-5"), ("status -", "-"), ("status -- --json", "--json")):
        (result,) = soundgraph(line, cwd=tmp_path)
        assert result.err == f"unexpected argument: '{argument}'\n"


# ---- the database


def test_the_default_database_is_the_users_and_is_named_first(tmp_path: Path) -> None:
    share = tmp_path / "share"
    path = share / "soundgraph" / "soundgraph.db"
    here = tmp_path / "here"
    here.mkdir()
    with closing(Store.open(f"sqlite:///{path}")):
        pass
    added, listed, as_json, status, given_one = soundgraph(
        "seeds add 5", "seeds list", "seeds list --json", "status", f"harvests --database {path}",
        cwd=here, XDG_DATA_HOME=str(share),
    )  # fmt: skip
    assert added.out.splitlines()[0] == listed.out.splitlines()[0] == f"Database: {path}"
    assert json.loads(as_json.out)[0]["track_id"] == 5
    assert as_json.err == f"Database: {path}\n"
    assert status.out.startswith(f"{path}, ")
    assert given_one.out.startswith("No harvest yet: ")
    assert not list(here.iterdir())


def test_the_default_database_in_a_project_and_in_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/users/share")
    users = "sqlite:////users/share/soundgraph/soundgraph.db"
    monkeypatch.chdir(tmp_path)
    assert in_user_data(LIVE) == users
    config = tmp_path / "scrapy.cfg"
    config.write_text("[settings]\ndefault = theirs.settings\n")
    assert in_user_data(LIVE) == users
    config.write_text("[settings]\ndefault = sgr_spiders.settings\n")
    assert in_user_data(LIVE) == LIVE
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert in_user_data(LIVE) == f"sqlite:///{tmp_path}/data/soundgraph.db"
    config.unlink()
    assert in_user_data(LIVE) == users
    (below / "data").mkdir()
    (below / "data" / "soundgraph.db").touch()
    assert in_user_data(LIVE) == LIVE, "scrapy made it before"


def test_a_database_is_a_path_or_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for text, url in {
        "x.db": "sqlite:///x.db",
        "/a b/x.db": "sqlite:////a b/x.db",
        "~/x.db": "sqlite:////home/me/x.db",
        "-x": "sqlite:///-x",
        "sqlite:///x.db": "sqlite:///x.db",
        "postgresql://me@host/x": "postgresql://me@host/x",
        "postgres:x": "postgres:x",
        "me:word@host/x": "me:word@host/x",
        "": "",
    }.items():
        assert url_of(text) == url


# ---- recorded commands


@pytest.mark.parametrize(
    ("recorded", "typed"),
    [
        ("crawl deep_harvest -a track_id=5,6 -a refresh=1", "harvest 5 6 --refresh"),
        ("crawl deep_harvest -a track_url=https://soundcloud.com/a/b -a refresh=delta",
         "harvest https://soundcloud.com/a/b --delta"),
        ("crawl deep_harvest -a due=1 -a max_minutes=50 -s HARVEST_CONFIG=sandbox",
         "harvest --due --max-minutes 50 --config sandbox"),
        ("crawl deep_harvest -a track_id=5 -a layers=user_depth -a config=my.yaml -a accept_gone=1",
         "harvest 5 --layers user_depth --config my.yaml --accept-gone"),
        ("crawl deep_harvest -a seeds=-x -s HARVEST_DATABASE_URL=sqlite:///-y",
         "harvest --seeds=-x --database=-y"),
        ("crawl deep_harvest -a 'track_id=5, 6' -a refresh=0 -s LOG_LEVEL=DEBUG",
         "harvest -a 'track_id=5, 6' -a refresh=0 -s LOG_LEVEL=DEBUG"),
        ("crawl user_depth -a track_id=5 -s HARVEST_DATABASE_URL=sqlite:////a/x.db",
         "crawl user_depth -a track_id=5 --database /a/x.db"),
        ("status -s 'HARVEST_DATABASE_URL=sqlite:///x.db?timeout=5'", "status --database 'sqlite:///x.db?timeout=5'"),
        ("status -s HARVEST_DATABASE_URL=postgresql://me@h/x", "status --database postgresql://me@h/x"),
    ],
)  # fmt: skip
def test_recorded_commands_are_translated(recorded: str, typed: str) -> None:
    assert shlex.join(soundgraph_words.translate(shlex.split(recorded))) == typed


@given(
    st.fixed_dictionaries(
        {"track_id": st.sampled_from(["5", "5,6", "soundcloud:tracks:5", "5 ,6"])},
        optional={
            "track_url": st.sampled_from(
                ["https://soundcloud.com/a/b", "https://soundcloud.com/a/b,https://soundcloud.com/c/d"]
            ),
            "layers": st.sampled_from(["user_depth", "user_depth,label_layer"]),
            "refresh": st.sampled_from(["0", "1", "delta"]),
            "max_requests": st.just("5"),
            "max_minutes": st.just("0.5"),
            "accept_gone": st.sampled_from(["0", "1"]),
        },
    )
)
def test_the_translation_means_the_same(arguments: dict[str, str]) -> None:
    line = crawl_command("deep_harvest", arguments)
    words = soundgraph_words.translate(shlex.split(line)[1:])
    assert words[0] == "harvest"
    command = harvest.Command()
    parser = ArgumentParser(conflict_handler="resolve")
    command.add_own_options(parser.add_argument_group())
    parser.add_argument("-a", dest="spargs", action="append", default=[])
    opts, args = parser.parse_known_args(words[1:], Namespace())
    harvest._read_arguments(args, opts)
    found = dict(text.split("=", 1) for text in opts.spargs)
    assert found == arguments


def test_every_spider_argument_has_an_option() -> None:
    by_option = {name for name, _ in soundgraph_words.SWITCHES.values()} | {*soundgraph_words.VALUES}
    assert by_option | {*soundgraph_words.SEEDS, "config"} == KNOWN.keys()


# ---- completion

COMPLETE = """
source "$1"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE="{words}"; COMP_POINT=${{#COMP_LINE}}
_shtab_soundgraph soundgraph "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
echo "${{COMPREPLY[@]}}"
"""


def test_completion(tmp_path: Path) -> None:
    shells = ("bash", "zsh", "fish")
    answers = soundgraph(*(f"completion {shell}" for shell in shells), cwd=tmp_path)
    for shell, (code, text, errors) in zip(shells, answers, strict=True):
        assert (code, errors) == (0, ""), shell
        assert {"harvest", "status", "max-requests", "database"} <= {
            *re.findall(r"[\w-]{2,}", text.replace("--", " "))
        }
    script = tmp_path / "soundgraph.bash"
    script.write_text(answers[0].out)
    (tmp_path / "mine.db").touch()
    for words, expected in {
        "soundgraph sta": "status",
        "soundgraph similar --met": "--method",
        "soundgraph similar art": "artist",
        "soundgraph harvest --max-": "--max-requests --max-minutes --max-seeds",
        "soundgraph status --database mi": "mine.db",
    }.items():
        done = subprocess.run(
            ["/bin/bash", "--norc", "-c", COMPLETE.format(words=words), "bash", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.split(), done.stderr) == (expected.split(), ""), words
