"""Words that both the configuration and the options of commands take; apart from pydantic, a slow import."""

from __future__ import annotations

from typing import Literal, get_args

Method = Literal["svd", "als", "item2vec", "lightgcn"]
METHODS: tuple[Method, ...] = get_args(Method)
"""How vectors are made; all but ``svd`` need packages that ``make ml`` installs."""

EngagementKind = Literal["like", "repost", "comment"]
Source = Literal["like", "repost", "comment", "playlist"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""What may count as liking a track."""
