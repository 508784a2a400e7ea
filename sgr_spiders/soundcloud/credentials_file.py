"""The file of ``SOUNDCLOUD_CREDENTIALS``: several named API keys, each of which gets its own lane.

It is YAML, a mapping of names to entries; every value is read as text:

    anna:
      client_id: …
      client_secret: …
    archive:
      access_token: …

Error messages name the file, the line and the entry, and never quote anything else of the file.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from sgr_spiders.model.exceptions import CredentialsError
from sgr_spiders.soundcloud.tokens import Credentials, is_token
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTING: Final = "SOUNDCLOUD_CREDENTIALS"

ONLY: Final = "default"
"""The name of the only lane, if the settings themselves contain the credentials."""

MAX_BYTES: Final = 1 << 20
"""The size limit of the file."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_NAME_FORM = "a name is a letter followed by up to 31 letters, digits, `-` or `_`"
_KEYS = ("client_id", "client_secret", "access_token")
_NEEDED = "needs either client_id and client_secret, or access_token"


def named_credentials(settings: Mapping[str, Any]) -> dict[str, Credentials]:
    """Return the credentials of each lane by its name; raise ``CredentialsError`` for the first problem."""
    path = settings.get(SETTING)
    return read(Path(path)) if path else {ONLY: Credentials.from_settings(settings)}


def read(path: Path) -> dict[str, Credentials]:
    """Read the file at *path*; raise ``CredentialsError`` for the first problem in it."""
    where = f"credentials file {for_message(str(path))}"
    root = _compose(_content(path, where), where)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise CredentialsError(f"{where}: must be a mapping of names to entries; {_NAME_FORM}")
    found: dict[str, Credentials] = {}
    for key, value in root.value:
        at = f"{where}, line {_line(key)}"
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not _NAME.fullmatch(name):
            # It may be a secret at the wrong place.
            raise CredentialsError(f"{at}: {_NAME_FORM}")
        if name in found:
            raise CredentialsError(f"{at}: `{name}` is a duplicate entry")
        found[name] = _entry(value, f"{at}, entry `{name}`", where)
        _refuse_shared(name, found, at)
    return found


def _content(path: Path, where: str) -> bytes:
    """Return the content of a regular file that only its owner can read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CredentialsError(f"{where}: not a regular file")
        # Windows has no such permissions.
        if os.name != "nt" and found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise CredentialsError(
                f"{where}: others may read or change it (mode {mode:04o}); run `chmod 600` on it"
            )
        if found.st_size > MAX_BYTES:
            raise CredentialsError(f"{where}: larger than {MAX_BYTES} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise CredentialsError(f"{where}: {reason}; the setting `{SETTING}` names it") from None


def _compose(content: bytes, where: str) -> yaml.Node | None:
    """Return the nodes of the document: texts as they are written, with their lines."""
    try:
        return yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # The library's own text may quote the file.
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CredentialsError(f"{where}{line}: not valid YAML") from None
    except (yaml.YAMLError, RecursionError, UnicodeError):
        raise CredentialsError(f"{where}: not valid YAML in UTF-8") from None


def _entry(node: yaml.Node, at: str, where: str) -> Credentials:
    if not isinstance(node, yaml.MappingNode):
        raise CredentialsError(f"{at}: {_NEEDED}")
    values: dict[str, str] = {}
    for key, value, line in _pairs(node):
        here = f"{where}, line {line}, {at.rpartition(', ')[2]}"
        if key not in _KEYS:
            raise CredentialsError(f"{here}: unknown key; the keys are {', '.join(_KEYS)}")
        if key in values:
            raise CredentialsError(f"{here}: `{key}` is a duplicate key")
        if not isinstance(value, yaml.ScalarNode) or not value.value:
            raise CredentialsError(f"{here}: `{key}` must be text")
        if not is_token(value.value):
            raise CredentialsError(f"{here}: `{key}` contains whitespace or invalid characters")
        values[key] = value.value
    if set(values) not in ({"client_id", "client_secret"}, {"access_token"}):
        raise CredentialsError(f"{at}: {_NEEDED}")
    return Credentials(**values)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, int]]:
    for key, value in node.value:
        yield (key.value if isinstance(key, yaml.ScalarNode) else ""), value, _line(key)


def _refuse_shared(name: str, found: Mapping[str, Credentials], at: str) -> None:
    """Refuse an entry with the key of an earlier one: two lanes would exceed the limits of that key."""
    key = found[name].identity
    for other, credentials in found.items():
        if other != name and credentials.identity == key:
            raise CredentialsError(f"{at}: `{name}` and `{other}` have the same client ID or token")


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1
