"""YAML as a configuration needs it: plain data only, and nothing in it passes silently."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import quote_value


class YamlError(Exception):
    """The text is no YAML, or YAML that says something twice. Its text is one line. Raised by ``read``."""


def read(content: bytes) -> object:
    """The one document in the content; ``None`` if there is none."""
    try:
        return yaml.load(content, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, only stricter
    except yaml.MarkedYAMLError as error:
        raise YamlError(_said(error)) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not a text in UTF-8: {for_message(str(error))}") from error
    except RecursionError as error:
        raise YamlError("nested too deeply") from error


class _StrictLoader(yaml.SafeLoader):
    """Safe data types only; a key is text and stands once; an impossible value is an error with its line."""

    # The signatures are the parent's.

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        self._refuse_traps(node)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:
            # What the scalar constructors raise on e.g. `2026-02-31` or `!!int ""`.
            raise ConstructorError(None, None, "a value that cannot be read", node.start_mark) from error

    def _refuse_traps(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TRAPS:
            return
        pattern, demand = _TRAPS[node.tag]
        # A type that is asked for, as `!!int ""`, may not fit the value; the constructors notice that.
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
                problem = f"a key must be text, not {quote_value(key)}"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            if key in seen:
                raise ConstructorError(None, None, f"`{for_message(key)}` stands twice", key_node.start_mark)
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
"""What a value of each type may look like. YAML 1.1 takes `yes` for true, `0100` for 64, `1:30` for 90."""


def _said(error: yaml.MarkedYAMLError) -> str:
    problem = for_message(error.problem or "cannot be read")
    return f"line {error.problem_mark.line + 1}: {problem}" if error.problem_mark else problem
