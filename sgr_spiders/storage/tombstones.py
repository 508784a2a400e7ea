"""Tombstones: hashes of what was forgotten, so that it is never stored again.

The key of the hashes is in the database, because a file beside it could be lost, and then everything that
was forgotten would come back unnoticed. The key makes hashes useless outside of this database: they can
neither be looked up in a prepared list nor compared with those of another. Whoever has the whole database
can test whether a given ID was forgotten, as a crawl does.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sgr_spiders.storage import upserts
from sgr_spiders.storage.chunks import chunked
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.prepared import CompiledStatement
from sgr_spiders.storage.schema import tombstone_salt, tombstones

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sgr_spiders.model.items import Reference
    from sgr_spiders.storage.store import Connection

Reason = Literal["asked", "gone", "private"]

SALT_BYTES = 32

_SALT = CompiledStatement(sa.select(tombstone_salt.c.salt).limit(1))


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The tombstones of a database, in the transaction of ``connection``."""

    connection: Connection
    salt: bytes

    def digest(self, reference: Reference) -> int:
        """Return the hash of a record or URL."""
        kind, key = reference
        text = f"{kind}\n{key}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self.salt).digest(), "big") >> 1

    def find(self, references: Collection[Reference]) -> set[Reference]:
        """Return those of *references* that were forgotten."""
        digests = {self.digest(reference): reference for reference in references}
        found: set[Reference] = set()
        for chunk in chunked(digests):
            query = sa.select(tombstones.c.digest).where(tombstones.c.digest.in_(chunk))
            found.update(digests[digest] for digest in self.connection.scalars(query))
        return found

    def date_of(self, reference: Reference) -> str | None:
        """Return when *reference* was forgotten; ``None`` if it was not."""
        query = sa.select(tombstones.c.forgotten_at).where(tombstones.c.digest == self.digest(reference))
        date: str | None = self.connection.scalar(query)
        return date

    def add(self, references: Mapping[Reference, Reference], reason: Reason) -> None:
        """Add tombstones; *references* maps each record or URL to the named record that it belongs to."""
        now = timestamp()
        rows = [
            (self.digest(reference), reference[0], self.digest(named), now, reason)
            for reference, named in references.items()
        ]
        upserts.insert_new(self.connection, tombstones, tuple(tombstones.columns.keys()), rows)

    def lift(self, references: Iterable[Reference]) -> int:
        """Remove the tombstones of the named records and all that belongs to them; return their number."""
        digests = list(map(self.digest, references))
        lifted = sa.delete(tombstones).where(
            sa.or_(tombstones.c.digest.in_(digests), tombstones.c.forgotten_with.in_(digests))
        )
        return self.connection.execute(lifted).rowcount


def read(connection: Connection) -> Tombstones | None:
    """Return the tombstones; ``None`` if nothing was ever forgotten. Every page asks this."""
    salt = _SALT.execute(connection, {}).scalar()
    return None if salt is None else Tombstones(connection, bytes(salt))


def prepare(connection: Connection) -> Tombstones:
    """Return the tombstones, and make their salt if nothing was forgotten before."""
    known = read(connection)
    if known is not None:
        return known
    salt = secrets.token_bytes(SALT_BYTES)
    connection.execute(sa.insert(tombstone_salt).values(salt=salt))
    return Tombstones(connection, salt)
