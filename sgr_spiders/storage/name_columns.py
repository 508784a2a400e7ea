"""The SQL of names and addresses that indexes contain, on both kinds of databases.

PostgreSQL refuses a row whose value in an index is longer than 2,700 bytes, and the API limits no title. So
its indexes contain only beginnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class Beginning(sa.sql.functions.FunctionElement[str]):
    """The beginning of a text, which sorts as the text does."""

    inherit_cache = True
    type = sa.Text()


class AnyCase(sa.sql.functions.FunctionElement[str]):
    """An address to compare without regard to case; the other side is in lower case."""

    inherit_cache = True
    type = sa.Text()


@compiles(Beginning)
def _whole(beginning: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(beginning.clauses, **options)


@compiles(Beginning, "postgresql")
def _cut(beginning: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return f"left({compiler.process(beginning.clauses, **options)}, 60)"


@compiles(AnyCase)
def _without_case(address: AnyCase, compiler: SQLCompiler, **options: Any) -> str:
    return f"{compiler.process(address.clauses, **options)} COLLATE NOCASE"


@compiles(AnyCase, "postgresql")
def _in_lower_case(address: AnyCase, compiler: SQLCompiler, **options: Any) -> str:
    return f"left(lower({compiler.process(address.clauses, **options)}), 500)"
