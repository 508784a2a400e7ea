"""The pseudonyms of a study: HMAC-SHA256 of kind and ID, with a key that is kept apart from the study.

The same key gives the same pseudonym in every table and in every study. Without the key, nobody can compute
the pseudonym of an account, not even by trying all IDs.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.storage.retention.pseudonyms import create_key, key_path
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from pathlib import Path

DIGITS: Final = 20
"""Hexadecimal digits, 80 bits: of 100 million records, two share a pseudonym with a chance of 4e-9."""
KEY_BYTES: Final = 32
KEY_FILE: Final = "study.key"
LETTERS: Final = {"user": "u", "track": "t", "playlist": "p", "comment": "c"}
"""The first letter of a pseudonym by kind, so that no program takes it for a number."""


class Pseudonyms:
    """The pseudonyms that a key gives; those given are remembered."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, int], str] = {}

    def of(self, kind: str, record_id: int) -> str:
        """Return the pseudonym of a record."""
        known = self._known.get((kind, record_id))
        if known is None:
            known = self._known[kind, record_id] = LETTERS[kind] + self._digest(f"{kind} {record_id}")
        return known

    @property
    def key_digest(self) -> str:
        """A hash by which two studies of the same key recognise each other."""
        return self._digest("key")

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()[:DIGITS]


def default_key() -> Path:
    """Return the path of the key that is used if none is named."""
    return key_path().with_name(KEY_FILE)


def load_pseudonyms(path: Path, study: Path) -> Pseudonyms:
    """Return the pseudonyms of the key in the file *path*, which is created if it does not exist.

    Raises:
        ArgumentError: The file is inside the directory *study*.
        ConfigError: The file cannot be read or created, or does not contain a key.
    """
    name = for_message(str(path))
    if path.resolve().is_relative_to(study.resolve()):
        raise ArgumentError(f"option `--key`: {name} is inside the study; whoever has both knows all IDs")
    try:
        if not path.exists():
            create_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a key"
        raise ConfigError(f"key {name}: {reason}; nothing was written") from None
    if len(key) != KEY_BYTES:
        raise ConfigError(f"key {name}: not a key of {KEY_BYTES} bytes in hexadecimal; nothing was written")
    return Pseudonyms(key)
