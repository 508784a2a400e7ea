"""With ``CI=true`` a skip that is not allowed is a failure."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SKIPS = """
    import pytest

    def test_runs():
        pass

    def test_of_a_package_of_its_own():
        pytest.skip("could not import 'torch': No module named 'torch'")

    def test_that_needs_something():
        pytest.skip("the world is too small")

    @pytest.mark.skipif(True, reason="the weather")
    def test_of_fair_weather():
        raise AssertionError

    @pytest.mark.xfail(strict=True)
    def test_that_fails():
        raise AssertionError
"""
WHOLE_FILE = """
    import pytest

    pytest.importorskip("a_package_that_nobody_has")
"""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, root: object) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(root))
    pytester.makepyfile(test_some=SKIPS, test_whole=WHOLE_FILE)
    return pytester


def test_in_ci_a_skip_that_is_not_allowed_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    ended = pytester.runpytest_subprocess("-p", "tests.skips", "-n", "2", "test_some.py")
    ended.assert_outcomes(passed=1, skipped=1, failed=1, errors=1, xfailed=1)
    ended.stdout.fnmatch_lines(["*the weather: with CI=true only*", "*the world is too small: with CI=true*"])
    assert ended.ret == pytest.ExitCode.TESTS_FAILED


def test_in_ci_a_skipped_file_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    ended = pytester.runpytest_subprocess("-p", "tests.skips", "test_whole.py")
    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*could not import 'a_package_that_nobody_has'*with CI=true only*"])
    assert ended.ret != pytest.ExitCode.OK


def test_without_ci_tests_are_skipped(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    ended = pytester.runpytest_subprocess("-p", "tests.skips")
    ended.assert_outcomes(passed=1, skipped=4, xfailed=1)
    assert ended.ret == pytest.ExitCode.OK
