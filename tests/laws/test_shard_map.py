"""Expectations and programs inside `jax.shard_map` on four forced devices, with and without its checks."""

import os
import subprocess
import sys
import textwrap

import pytest

COMMON = """
    import jax, jax.numpy as jnp, numpy as np
    from jax import lax
    from jax.sharding import PartitionSpec as P
    import vipl, vipl.distributions as dist
    from vipl import estimators

    mesh = jax.make_mesh((4,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    KEY, Y = jax.random.key(0), jnp.arange(8.0)

    @vipl.program
    def guide(theta):
        x = vipl.sample("x", dist.Normal(theta, 1.0))
        with vipl.plate("n", 2):
            vipl.sample("z", dist.Bernoulli(logits=theta * jnp.ones(2)))

    @vipl.program
    def model(y):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        with vipl.plate("n", 2):
            z = vipl.sample("z", dist.Bernoulli(0.3))
            vipl.sample("y", dist.Normal(x + z, 1.0), obs=y)

    @vipl.expectation
    def elbo(theta, y):
        trace = vipl.simulate(guide(theta))
        return vipl.log_density(model(y), trace) - trace.log_density

    def keys(key):
        return jax.random.fold_in(key, lax.axis_index("d"))

    def shards(fn, **options):
        return jax.jit(jax.shard_map(fn, mesh=mesh, in_specs=(P(), P(), P("d")), **options))
"""

BY_HAND = """
    def by_hand(objective):
        each = [(jax.random.fold_in(KEY, i), Y[2 * i : 2 * i + 2]) for i in range(4)]
        results = [jax.value_and_grad(objective, argnums=1)(key, 0.3, y) for key, y in each]
        return sum(v for v, _ in results), sum(g for _, g in results)
"""

GRADIENTS = """
    objectives = [
        elbo,
        elbo.with_estimators({"*": estimators.ScoreFunction()}),
        elbo.with_estimators({"z": estimators.LeaveOneOut(2)}),
    ]
    for objective in objectives:
        def values(key, theta, y):
            return lax.psum(objective(keys(key), theta, y), "d")

        found = jax.value_and_grad(lambda t: shards(values, out_specs=P(), check_vma=CHECK)(KEY, t, Y))(0.3)
        np.testing.assert_allclose(found, by_hand(objective), rtol=1e-5)
"""

SIMULATE = """
    def density(key, theta, y):
        trace = vipl.simulate(guide(theta), keys(key))
        return (trace.log_density - vipl.log_density(guide(theta), trace))[None], trace["x"][None]

    apart, x = shards(density, out_specs=(P("d"), P("d")), check_vma=CHECK)(KEY, 0.3, Y)
    np.testing.assert_allclose(apart, 0.0, atol=1e-6)
    assert len(set(np.asarray(x).tolist())) == 4
"""


def run(*parts, check):
    code = "\n".join(textwrap.dedent(part) for part in (COMMON, f"CHECK = {check}", *parts))
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("check", [True, False])
def test_expectations_and_programs_in_shards(check):
    run(BY_HAND, GRADIENTS, SIMULATE, check=check)
