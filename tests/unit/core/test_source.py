"""Errors and traces name the user's own line."""

import inspect
import runpy
import textwrap

import jax
import jax.numpy as jnp
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl._core.source import is_user_file


def line_of(marker, fn):
    """Return the line of `fn`, in this file, that ends in a comment with the marker."""
    lines, start = inspect.getsourcelines(fn)
    return start + next(i for i, line in enumerate(lines) if line.rstrip().endswith(f"# {marker}"))


def everywhere():
    def step(carry, x):
        z = jax.jit(lambda c: vipl.sample("jit", dist.Normal(c, 1.0)))(carry)  # jit
        return z, x

    lax.scan(step, 0.0, jnp.arange(2.0))
    jax.vmap(
        lambda x: vipl.sample(  # lanes
            "lanes",
            dist.Normal(x, 1.0),
        )
    )(jnp.arange(2.0))
    lax.cond(
        jnp.ones(()) > 0,
        lambda: vipl.sample("branch", dist.Normal(0.0, 1.0)),  # branch
        lambda: 0.0,
    )
    with vipl.plate("p", 2), vipl.scope("s"):
        vipl.sample("plate", dist.Normal(0.0, 1.0))  # plate
        vipl.factor("factor", 1.0)  # factor
        vipl.deterministic("deterministic", 1.0)  # deterministic
    vipl.param("param", 1.0)  # param
    vipl.vmap(jax.checkpoint(lambda x: vipl.sample("vmap", dist.Normal(x, 1.0))))(jnp.ones(2))  # vmap
    vipl.sample("nested", vipl.program(lambda: vipl.sample("in", dist.Normal(0.0, 1.0)))())  # in


def test_every_statement_knows_its_line():
    statements = [located.statement for located in vipl.program(everywhere)().stage().statements]
    found = {statement.address.split("/")[-1]: statement.source for statement in statements}
    assert len(found) == 9
    for marker, source in found.items():
        assert source.file == __file__
        assert source.line == line_of(marker, everywhere), marker


def test_a_trace_cache_does_not_move_lines():
    @jax.jit
    def block():
        return vipl.sample("z", dist.Normal(0.0, 1.0))  # block

    def body():
        with vipl.scope("a"):
            block()
        with vipl.scope("b"):
            block()

    for located in vipl.program(body)().stage().statements:
        assert located.statement.source.line == line_of("block", test_a_trace_cache_does_not_move_lines)


@pytest.mark.parametrize("folder", ["plain", "my_functools", "contextlib_models", "jax_models", "vipl"])
def test_any_folder_of_the_user_is_the_users(tmp_path, folder):
    path = tmp_path / folder / "model.py"
    path.parent.mkdir()
    path.write_text(
        textwrap.dedent("""
        import vipl
        import vipl.distributions as dist

        def model():
            vipl.sample("x", dist.Normal(0.0, -1.0))
        """)
    )
    model = runpy.run_path(str(path))["model"]
    with pytest.raises(vipl.SupportError, match=rf"{path}:6 in model"):
        vipl.simulate(vipl.program(model)(), jax.random.key(0))


def test_libraries_are_not_the_users():
    for module in (jax, vipl, jax.numpy, vipl.lang, dist):
        assert not is_user_file(module.__file__)
    assert is_user_file(__file__)
    assert is_user_file("<ipython-input-3>")
    assert is_user_file("<stdin>")


def test_a_mapping_method_is_not_the_users_line():
    trace = vipl.simulate(vipl.program(lambda: vipl.sample("x", dist.Normal(0.0, 1.0)))(), jax.random.key(0))
    with pytest.raises(vipl.AddressError, match=r"test_source\.py:\d+ in test_a_mapping") as caught:
        trace["y"]
    assert "Did you mean" in str(caught.value) or "Known: 'x'" in str(caught.value)
