"""Import Linter contract: one line per room, with the rooms it may import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph


class RoomsContract(Contract):
    """Allow each room to import only the rooms that its line names.

    ``rooms`` is a list of lines such as ``"layers -> config, model"``, higher rooms first: a line names
    only rooms of later lines. A room is a package or module directly in ``root``, or another root package.
    A room without a line is an error, and so is an allowance that nothing uses.
    """

    root = fields.StringField()
    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - the library defines the signature
        allowed = {room: set(_split(names)) for room, names in (line.split("->") for line in self._lines())}
        used: dict[str, set[str]] = {room: set() for room in allowed}
        broken = self._upward(list(allowed), allowed)
        for module in sorted(graph.modules):
            importer = self._room_of(module)
            if importer is None:
                continue
            if importer not in allowed:
                broken.append(f"{importer} has no line")
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                room = self._room_of(imported)
                if room in {None, importer}:
                    continue
                assert room is not None
                used[importer].add(room)
                if room not in allowed[importer]:
                    broken.append(f"{module} imports {imported}: {importer} may not import {room}")
        broken += [
            f"{room} does not import {', '.join(sorted(rest))}: take it out of its line"
            for room, names in allowed.items()
            if (rest := names - used[room])
        ]
        return ContractCheck(kept=not broken, metadata={"broken": sorted(set(broken))})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(line)

    def _upward(self, order: list[str], allowed: dict[str, set[str]]) -> list[str]:
        return [
            f"{room} may not import {name}: its line is not below"
            for room, names in allowed.items()
            for name in sorted(names)
            if name not in order or order.index(name) <= order.index(room)
        ]

    def _lines(self) -> list[str]:
        lines: list[Any] = list(self.rooms)  # type: ignore[call-overload]
        return [str(line).replace(" ", "") for line in lines]

    def _room_of(self, module: str) -> str | None:
        """Return the room of a module; ``None`` for the root package itself and for third-party modules."""
        first, _, rest = module.partition(".")
        if first == str(self.root):
            return rest.partition(".")[0] or None
        return first if first in {line.partition("->")[0] for line in self._lines()} else None


def _split(names: str) -> list[str]:
    return [name for name in names.split(",") if name]
