"""Pseudonyms of users: keyed hashes of IDs and names, with a key outside the database.

The same account has the same pseudonym in every database of this user of the machine, also after it was
harvested again. Without the key, nobody can tell whose pseudonym it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.storage import private_files
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.schema import pseudonym_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.storage.store import Store

FIRST: Final = 1 << 62
"""Pseudonyms are 63-bit integers from here; the API's IDs are far smaller."""

KEY_BYTES: Final = 32
KEY_FILE: Final = "pseudonym.key"

_PSEUDONYM: Final = re.compile(r"user-[0-9a-f]{16}")
WORD: Final = re.compile(r"[^\W_]+")
"""A word of a name. ``The Plume-Drift`` and ``the_plume_drift`` have the same words."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms that a key gives."""

    key: bytes

    def of_id(self, user_id: int) -> int:
        """Return the pseudonym of an ID; a pseudonym is its own."""
        return user_id if user_id >= FIRST else FIRST | (int.from_bytes(self._hash(f"id {user_id}")) >> 2)

    def of_name(self, name: str) -> str:
        """Return the pseudonym of a name, the same for all spellings; a pseudonym is its own."""
        if _PSEUDONYM.fullmatch(name):
            return name
        words = " ".join(WORD.findall(name.casefold())) or name
        return f"user-{self._hash(f'name {words}').hex()}"

    @property
    def digest(self) -> str:
        """A hash by which a database recognises the key."""
        return self._hash("key").hex()

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self.key, digest_size=8).digest()


def key_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the key; the XDG specification says to ignore a relative directory."""
    base = Path(environment.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "soundgraph" / KEY_FILE


def load_pseudonyms(store: Store, *, unharmed: str) -> Pseudonyms:
    """Return the pseudonyms for a database; create the key if no database has used one.

    Raises ``ConfigError`` if the key is not the one that made the pseudonyms of the database; *unharmed* is
    what was not done then.
    """
    path = key_path()
    with store.read() as connection:
        known = connection.scalar(sa.select(pseudonym_key.c.digest))
    try:
        if known is None and not path.exists():
            create_key(path)
        pseudonyms = Pseudonyms(bytes.fromhex(path.read_text(encoding="ascii")))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a key"
        raise ConfigError(f"key of the pseudonyms {path}: {reason}; {unharmed}") from None
    if known not in (None, pseudonyms.digest):
        raise ConfigError(
            f"key of the pseudonyms {path}: not the key that made those of {store.describe()}; "
            f"put that one back (XDG_DATA_HOME sets its location); {unharmed}"
        )
    if known is None:
        with store.write() as connection:
            row = {"digest": pseudonyms.digest, "first_used_at": timestamp()}
            connection.execute(sa.insert(pseudonym_key).values(row))
    return pseudonyms


def create_key(path: Path) -> None:
    """Write a new key; keep the one that another process writes at the same time."""
    private_files.make_directory(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    try:
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor
            file.write(secrets.token_hex(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
