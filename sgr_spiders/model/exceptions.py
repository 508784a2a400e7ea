"""The errors that end a crawl before or during its run, each with the exit code it stands for."""

from __future__ import annotations


class HarvestError(Exception):
    """Base of the errors a user can act on. Its text is one line and names what and where.

    ``exit_code`` is what ``scrapy crawl`` exits with when the error ends the crawl.
    """

    exit_code = 1


class ArgumentError(HarvestError):
    """A spider argument is unknown or has a bad value. Raised by ``arguments.parse``."""

    exit_code = 2


class ConfigError(HarvestError):
    """The configuration file is missing or wrong. Raised by ``config.load``."""

    exit_code = 2


class CredentialsError(HarvestError):
    """No way to a token is configured. Raised before the first request."""

    exit_code = 2


class UnauthorisedError(HarvestError):
    """The API or its token endpoint refuses the credentials. Raised while authorising a request."""

    exit_code = 4


class BlockedError(HarvestError):
    """The API answers with a block page or a bot challenge; nothing may be sent any more."""

    exit_code = 4


class BudgetSpentError(HarvestError):
    """``max_requests`` are sent or ``max_minutes`` are over; the rest is for the next run."""

    exit_code = 3


class DatabaseInUseError(HarvestError):
    """Another crawl holds the database. Raised when the storage is opened."""

    exit_code = 5


class StorageError(HarvestError):
    """The database cannot be read or written: no space, no permission, a broken file."""

    exit_code = 1


class EmbeddingError(HarvestError):
    """Vectors cannot be made, or nothing can be measured: something that is needed is missing."""

    exit_code = 2


class NothingToLearnError(EmbeddingError):
    """The database holds nothing that vectors could be learned from."""


class CrawlFailedError(HarvestError):
    """The crawl had an internal error, or came to no end of its own. Raised by ``sgr_spiders.harvest``."""

    exit_code = 1


class NextHrefError(HarvestError):
    """A ``next_href`` leaves the walk it belongs to. Ends the walk, not the crawl."""


class BadRecordError(HarvestError):
    """A record of the API cannot be kept. Ends in ``rejects``, the rest of the page goes on."""
