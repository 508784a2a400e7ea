"""The file of named API keys: what it may contain, and errors that show nothing of it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import CredentialsError
from sgr_spiders.soundcloud.credentials_file import named_credentials, read
from sgr_spiders.soundcloud.tokens import Credentials

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "S3cr3tOfAnna"
ID = "1dOfAnna"
TWO = f"""
# Keys of the two labs
anna: {{client_id: {ID}, client_secret: {SECRET}}}
archive:
  access_token: 0123456789
"""


def written(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_every_value_is_text_as_it_is_written(tmp_path: Path) -> None:
    file = written(tmp_path / "keys.yaml", TWO)
    expected = {"anna": Credentials(ID, SECRET), "archive": Credentials(access_token="0123456789")}
    assert read(file) == expected
    assert named_credentials({"SOUNDCLOUD_CREDENTIALS": str(file), "SOUNDCLOUD_CLIENT_ID": "x"}) == expected


def test_without_the_file_there_is_one_lane() -> None:
    settings = {"SOUNDCLOUD_CREDENTIALS": "", "SOUNDCLOUD_ACCESS_TOKEN": "a-token"}
    assert named_credentials(settings) == {"default": Credentials(access_token="a-token")}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o700 | 0o020])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path / "keys.yaml", TWO, mode)
    with pytest.raises(
        CredentialsError, match=r"others may read or change it \(mode 0[0-7]{3}\); run `chmod"
    ):
        read(file)


PAIR = f"client_id: {ID}, client_secret: {SECRET}"
PROBLEMS = {
    "": "must be a mapping of names",
    f"{SECRET}": "must be a mapping of names",
    f"- {SECRET}": "must be a mapping of names",
    f"anna: {SECRET}": "line 1, entry `anna`: needs either",
    f"anna: [{SECRET}]": "line 1, entry `anna`: needs either",
    f"client_secret: {SECRET}": "line 1, entry `client_secret`: needs either",
    f"? [{SECRET}]\n: x": "line 1: a name is a letter",
    f"'{SECRET} !': x": "line 1: a name is a letter",
    f"\nanna: {{client_id: {ID}}}": "line 2, entry `anna`: needs either",
    f"anna: {{client_secret: {SECRET}}}": "entry `anna`: needs either",
    f"anna: {{{PAIR}, access_token: {SECRET}}}": "entry `anna`: needs either",
    f"anna:\n  client_id: {ID}\n  {SECRET}: x": "line 3, entry `anna`: unknown key; the keys are client_id",
    f"anna:\n  {PAIR[:12]}\n  client_secret: {{{SECRET}: 1}}": "line 3, entry `anna`: `client_secret` must",
    f"anna:\n  access_token: {SECRET}\n  access_token: x": "line 3, entry `anna`: `access_token` is a",
    f"anna: {{access_token: '{SECRET} '}}": "`access_token` contains whitespace or invalid characters",
    f"anna: {{access_token: {SECRET}ä}}": "`access_token` contains whitespace or invalid characters",
    "anna: {access_token: }": "`access_token` must be text",
    f"anna: {{{PAIR}}}\nanna: {{{PAIR}}}": "line 2: `anna` is a duplicate entry",
    f"anna: {{{PAIR}}}\nben: {{client_id: {ID}, client_secret: x}}": "line 2: `ben` and `anna` have the same",
    f"anna: {{client_secret: *{SECRET}}}": "line 1: not valid YAML",
    f"anna: {{\n{SECRET}": "not valid YAML",
    f"anna: {{access_token: '{SECRET}'}} {SECRET}": "line 1: not valid YAML",
    f"anna: {{access_token: a}}\n---\nben: {{access_token: {SECRET}}}": "not valid YAML",
    b"anna: {access_token: \xff\xfe}": "not valid YAML in UTF-8",
    "anna: " + "[" * 100_000: "not valid YAML",
}


@pytest.mark.parametrize("text", PROBLEMS, ids=range(len(PROBLEMS)))
def test_a_problem_is_named_in_one_line_without_a_secret(tmp_path: Path, text: str | bytes) -> None:
    file = written(tmp_path / "keys.yaml", text)
    with pytest.raises(CredentialsError) as caught:
        read(file)
    message = str(caught.value)
    assert re.match(r"credentials file \S+keys\.yaml[:,] ", message)
    assert PROBLEMS[text] in message
    assert not re.search(f"{SECRET}|{ID}|\n", message)
    # Nor does its traceback.
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, problem in (
        (tmp_path / "none", "No such file or directory; the setting `SOUNDCLOUD_CREDENTIALS` names it"),
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
    ):
        with pytest.raises(CredentialsError, match=problem):
            read(path)
