"""Strict YAML for configuration files: plain data, and errors for ambiguous values."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import quote_value


class YamlError(Exception):
    """Invalid YAML, or YAML with an ambiguous value or duplicate key. The message is one line."""


def read(content: bytes) -> object:
    """Return the document in *content*, or ``None`` if it is empty; raise ``YamlError`` if it is invalid."""
    try:
        return yaml.load(content, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, only stricter
    except yaml.MarkedYAMLError as error:
        raise YamlError(_describe(error)) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not UTF-8 text: {for_message(str(error))}") from error
    except RecursionError as error:
        raise YamlError("nested too deeply") from error


class _StrictLoader(yaml.SafeLoader):
    """Loader for safe data types that refuses duplicate keys, non-string keys and impossible values."""

    # These signatures are those of the base class.

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        self._refuse_traps(node)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:
            # The scalar constructors raise these, e.g. for `2026-02-31` or `!!int ""`.
            raise ConstructorError(None, None, "a value that cannot be read", node.start_mark) from error

    def _refuse_traps(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TRAPS:
            return
        pattern, demand = _TRAPS[node.tag]
        # An explicit type, as in `!!int ""`, may not fit the value; the constructors detect that.
        guessed = self.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
        if guessed == node.tag and not pattern.fullmatch(node.value):
            raise ConstructorError(None, None, f"{demand}, not {quote_value(node.value)}", node.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        self._refuse_odd_keys(node)
        return super().construct_mapping(node, deep=deep)

    def _refuse_odd_keys(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                problem = f"a key must be a string, not {quote_value(key)}"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            if key in seen:
                raise ConstructorError(
                    None, None, f"`{for_message(key)}` is a duplicate key", key_node.start_mark
                )
            seen.add(key)


_TRAPS = {
    "tag:yaml.org,2002:bool": (re.compile("true|false"), "must be written `true` or `false`"),
    "tag:yaml.org,2002:int": (re.compile("[-+]?(0|[1-9][0-9]*)"), "must be written in decimal digits"),
    "tag:yaml.org,2002:float": (
        re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?"),
        "must be written in decimal digits",
    ),
    "tag:yaml.org,2002:timestamp": (re.compile("(?!)"), "must not be a date"),
}
"""The accepted form of values per type. YAML 1.1 reads `yes` as true, `0100` as 64 and `1:30` as 90."""


def _describe(error: yaml.MarkedYAMLError) -> str:
    problem = for_message(error.problem or "cannot be read")
    return f"line {error.problem_mark.line + 1}: {problem}" if error.problem_mark else problem
