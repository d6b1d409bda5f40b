"""Fixtures for every test. Warnings are errors and the markers are declared in pyproject.toml."""

import jax
import pytest

pytest.register_assert_rewrite("helpers")


@pytest.fixture
def key():
    """A fixed key: a test that splits it sees the same draws on every run."""
    return jax.random.key(0)


@pytest.fixture
def x64():
    """Run the test in double precision, and only this test."""
    with jax.enable_x64(True):
        yield


def pytest_ignore_collect(collection_path):
    """Collect test files only: what they share is imported once, by them, and holds no examples to run."""
    return collection_path.suffix == ".py" and not collection_path.name.startswith("test_") or None
