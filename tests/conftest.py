"""Fixtures for every test. Warnings are errors and the markers are declared in pyproject.toml."""

import jax
import pytest

pytest.register_assert_rewrite("helpers")

from helpers import LONG  # noqa: E402


@pytest.fixture
def key():
    """A fixed key: a test that splits it sees the same draws on every run."""
    return jax.random.key(0)


@pytest.fixture
def x64():
    """Run the test in double precision, and only this test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def quick_compilation():
    """Make XLA spend less on fast code: for modules that compile much and draw little. A long run draws much."""
    jax.config.update("jax_disable_most_optimizations", not LONG)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def pytest_ignore_collect(collection_path):
    """Collect test files only: what they share is imported once, by them, and holds no examples to run."""
    return collection_path.suffix == ".py" and not collection_path.name.startswith("test_") or None
