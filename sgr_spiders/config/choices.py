"""Values that both the configuration and command options accept, without the slow import of pydantic."""

from __future__ import annotations

from typing import Literal, get_args

Method = Literal["blend", "svd", "als", "item2vec", "lightgcn"]
METHODS: tuple[Method, ...] = get_args(Method)
"""Embedding methods; all but the first two need packages that ``make ml`` installs."""

EngagementKind = Literal["like", "repost", "comment"]
Source = Literal["like", "repost", "comment", "playlist"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""Interactions that may count as liking a track."""

PROFILE_SECTIONS = ("tracks", "artists", "genres", "tags", "countries", "cities")
"""The kinds of preferences of the listeners of a track."""
