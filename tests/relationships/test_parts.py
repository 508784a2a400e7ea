"""Edge cases of single parts."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.relationships import kernel_cache, spool
from sgr_spiders.relationships.inputs import Incidence
from sgr_spiders.relationships.integer_roots import ceil_root
from sgr_spiders.relationships.keys import KeyLayout
from sgr_spiders.relationships.spool import Spool
from tests.relationships.test_exact import REUSED

if TYPE_CHECKING:
    from pathlib import Path

SIZES = st.integers(0, 2**31)


@given(st.decimals(0, 1, places=6), SIZES, SIZES)
def test_the_root_is_the_smallest_sufficient_integer(decimal: float, a: int, b: int) -> None:
    ratio = Fraction(str(decimal))
    root = int(ceil_root(ratio, np.array([a]), np.array([b]))[0])
    enough = ratio * ratio * a * b
    assert root * root >= enough
    assert root == 0 or (root - 1) * (root - 1) < enough


@given(st.integers(1, 2**20), st.integers(1, 2**20), st.data())
def test_a_key_contains_its_pair(nodes: int, largest: int, data: st.DataObject) -> None:
    layout = KeyLayout.of(nodes, largest)
    node = st.integers(0, nodes - 1)
    node_a, node_b, count = data.draw(node), data.draw(node), data.draw(st.integers(1, largest))
    key = layout.pack(np.array([node_a]), np.array([node_b]), np.array([count]))
    low, high = min(node_a, node_b), max(node_a, node_b)
    assert [int(part[0]) for part in layout.unpack(key)] == [low, high, count]
    assert [int(part[0]) for part in layout.unpack_mirrored(layout.mirror(key))] == [high, low]


INCIDENCE = Incidence(
    np.array([3, 5, 9]), np.array([0, 2, 2, 4]), np.array([0, 2, 1, 2], np.int32), context_count=3
)


def test_transposing_an_incidence() -> None:
    turned = INCIDENCE.transposed(np.array([10, 20, 30]))
    assert turned.ids.tolist() == [10, 20, 30]
    assert turned.starts.tolist() == [0, 1, 2, 4]
    assert turned.contexts.tolist() == [0, 2, 0, 2]
    assert turned.context_count == 3
    assert turned.sizes.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("share", "starts", "contexts"),
    [
        (1.0, [0, 2, 2, 4], [0, 2, 1, 2]),
        (0.67, [0, 2, 2, 4], [0, 2, 1, 2]),  # two of three nodes are at most 0.67 of all
        (0.66, [0, 1, 1, 2], [0, 1]),
        (0.3, [0, 0, 0, 0], []),
    ],
)
def test_frequent_contexts_are_dropped(share: float, starts: list[int], contexts: list[int]) -> None:
    left = INCIDENCE.without_contexts_of_more_than(share)
    assert (left.starts.tolist(), left.contexts.tolist()) == (starts, contexts)
    assert (left.ids.tolist(), left.context_count) == ([3, 5, 9], 3)


def test_too_many_nodes_for_a_key() -> None:
    with pytest.raises(
        ConfigError, match=r"too many nodes \(2,000,000,000, with up to 1,000 contexts each\)"
    ):
        KeyLayout.of(2_000_000_000, 1_000)


@REUSED
@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=60), max_size=20), st.integers(0, 4_000))
def test_a_spool_sorts(tmp_path: Path, parts: list[list[int]], memory: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "BLOCK", 16)
        sorting = Spool(tmp_path, memory)
        for part in parts:
            sorting.add(np.array(part, np.uint64))
        assert sorting.length == sum(map(len, parts))
        blocks = [block.tolist() for block in sorting.sorted()]
    assert [number for block in blocks for number in block] == sorted(n for part in parts for n in part)
    assert all(len(block) <= 16 + 20 + len(parts) for block in blocks)


def test_kernels_are_stored_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert kernel_cache.cache_directory() == tmp_path / "cache" / "soundgraph" / "kernels"
    assert not kernel_cache.is_compiled()


def test_a_function_is_compiled_without_a_writable_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))

    def twice(number: int) -> int:
        return 2 * number

    assert kernel_cache.kernel(twice)(21) == 42


@pytest.mark.parametrize("open_to", ["others", "parent", "file"])
def test_code_that_somebody_else_may_have_written_is_not_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_to: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "parent" / "kernels"
    compiled = cache / "0123" / "kernel.nbc"
    compiled.parent.mkdir(parents=True)
    compiled.touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    assert kernel_cache.is_compiled()
    wrong = {"others": cache, "parent": cache.parent, "file": compiled}[open_to]
    wrong.chmod(0o777)
    assert not kernel_cache.is_compiled()

    def twice(number: int) -> int:
        return 2 * number

    with caplog.at_level("INFO"):
        kernel = kernel_cache.kernel(twice)
        kernel_cache.kernel(twice)
    assert kernel(21) == 42
    assert not list(cache.rglob("*.nbi"))
    assert caplog.text.count(f"others can write to {wrong}") == 1
    wrong.chmod(0o1777)
    # Only in a parent the sticky bit protects what is ours.
    assert kernel_cache.is_compiled() == (open_to == "parent")
