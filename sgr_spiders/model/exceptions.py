"""The errors that end a crawl, with their exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sgr_spiders.model.outcome import Name


class HarvestError(Exception):
    """Base class of the errors a user can act on. The message is one line: where, and what is wrong.

    ``exit_code`` is the exit code of ``scrapy crawl`` if the error ends the crawl, and ``outcome`` the
    outcome of its run.
    """

    exit_code = 1
    outcome: Name = "failed"


class ArgumentError(HarvestError):
    """A spider argument is unknown or invalid. Raised by ``arguments.parse``."""

    exit_code = 2


class ConfigError(HarvestError):
    """The configuration file is missing or invalid. Raised by ``config.load``."""

    exit_code = 2


class CredentialsError(HarvestError):
    """No credentials are configured. Raised before the first request."""

    exit_code = 2


class UnauthorisedError(HarvestError):
    """The API or its token endpoint refuses the credentials. Raised while authorising a request."""

    exit_code = 4
    outcome = "blocked"


class TokenEndedError(HarvestError):
    """An access token without credentials to renew it ends during the run; the next run continues."""

    exit_code = 130
    outcome = "interrupted"


class UnreachableError(HarvestError):
    """The API or its token endpoint does not answer, or something else does; the next run continues."""

    exit_code = 3
    outcome = "unreachable"


class BlockedError(HarvestError):
    """The API or its edge refuses this client, or misses too many records to be believed."""

    exit_code = 4
    outcome = "blocked"


class BudgetSpentError(HarvestError):
    """``max_requests`` or ``max_minutes`` is used up; the next run continues."""

    exit_code = 3
    outcome = "unfinished"


class DatabaseInUseError(HarvestError):
    """Another crawl has locked the database. Raised when the storage is opened."""

    exit_code = 5


class SourceError(HarvestError):
    """The database holds data of another API. Raised before anything of this one is stored."""

    exit_code = 5


class StorageError(HarvestError):
    """The database cannot be read or written, e.g. no space, no permission, a corrupt file."""

    exit_code = 1


class DatabaseGoneError(StorageError):
    """The database file was deleted, moved or replaced while it was in use."""


class ClusterError(HarvestError):
    """A Dask cluster cannot be used or was lost. What was being built is unchanged."""


class ConflictError(StorageError):
    """A transaction and one of another worker waited for each other; it may be run again."""


class DatabaseAwayError(StorageError):
    """The database server cannot be reached, or is shutting down or starting."""


class EmbeddingError(HarvestError):
    """Vectors cannot be learned or evaluated, because data or a package is missing."""

    exit_code = 2


class NothingToLearnError(EmbeddingError):
    """The database contains no interactions to learn vectors from."""


class CrawlFailedError(HarvestError):
    """The crawl had an internal error, or did not end normally. Raised by ``sgr_spiders.harvest``."""

    exit_code = 1


class NextHrefError(HarvestError):
    """A ``next_href`` leads out of its walk. It ends the walk, not the crawl."""


class BadRecordError(HarvestError):
    """A record of the API is invalid. It is stored in ``rejects``; the rest of the page is kept."""
