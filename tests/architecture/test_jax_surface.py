"""Nothing uses JAX's private modules, and only `vipl/_core` its `jax.extend` and `jax.interpreters`."""

import pytest
from architecture.sources import ROOT, attributes, files, imports

PLUMBING = ("vipl/_core/",)


def violations(source, path):
    """List the uses in one file, `path` relative to the repository, as `(line, dotted name)`."""
    names = [*imports(source, path.removesuffix(".py").replace("/", ".")), *attributes(source)]
    private = {(line, name) for line, name in names if "_src" in name.split(".")}
    if path.startswith(PLUMBING) or not path.startswith(("vipl/", "examples/")):
        return sorted(private)  # tests and benchmarks may look at jaxprs
    plumbing = {(line, name) for line, name in names if name.startswith(("jax.extend", "jax.interpreters"))}
    return sorted(private | plumbing)


FILES = files("vipl", "tests", "benchmarks", "examples", "docs")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_jax(path):
    relative = path.relative_to(ROOT).as_posix()
    wrong = violations(path.read_text(), relative)
    assert not wrong, "\n".join(f"{relative}:{line}: {name}" for line, name in wrong)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("import jax._src.core", "vipl/_core/staging.py"),
        ("from jax import _src", "vipl/_core/staging.py"),
        ("def f():\n    from jax._src import core", "tests/zoo.py"),
        ("import jax as j\nj._src.core.Jaxpr", "benchmarks/vae.py"),
        ("import jax.extend", "vipl/lang/sample.py"),
        ("import jax.extend as jex", "vipl/transform/plan.py"),
        ("from jax.interpreters import batching", "examples/first.py"),
        ("import jax\njax.extend.core.Primitive('p')", "vipl/transform/plan.py"),
    ],
)
def test_the_check_sees_a_wrong_use(source, path):
    assert violations(source, path)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("from jax.extend.core import Primitive", "vipl/_core/staging.py"),
        ("import jax.numpy as jnp\njnp.ones(3)", "vipl/lang/sample.py"),
        ("'jax._src is never imported'", "vipl/lang/sample.py"),
    ],
)
def test_the_check_lets_a_right_use_pass(source, path):
    assert not violations(source, path)
