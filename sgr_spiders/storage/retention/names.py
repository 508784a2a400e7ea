"""Find the names of users in texts: titles and tags credit artists by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sgr_spiders.storage.retention.pseudonyms import WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIN_CHARACTERS: Final = 3
"""The length of a name from which it is looked for: shorter ones are found in most titles."""


class Names:
    """Names, by their words."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self._by_first: dict[str, set[tuple[str, ...]]] = {}
        for name in names:
            words = tuple(WORD.findall((name or "").casefold()))
            if words and len("".join(words)) >= MIN_CHARACTERS:
                self._by_first.setdefault(words[0], set()).add(words)

    def replace(self, text: str, pseudonym: Callable[[str], str]) -> str:
        """Return *text* with the *pseudonym* of each name in it, the longest first."""
        found = list(WORD.finditer(text))
        words = [match[0].casefold() for match in found]
        parts, at, index = [], 0, 0
        while index < len(found):
            length = self._longest(words, index)
            if length:
                start, end = found[index].start(), found[index + length - 1].end()
                parts += [text[at:start], pseudonym(text[start:end])]
                at = end
            index += length or 1
        return "".join([*parts, text[at:]])

    def _longest(self, words: list[str], index: int) -> int:
        """Return the number of words of the longest name at *index*, 0 if there is none."""
        known = self._by_first.get(words[index], ())
        return max(
            (len(name) for name in known if tuple(words[index : index + len(name)]) == name), default=0
        )
