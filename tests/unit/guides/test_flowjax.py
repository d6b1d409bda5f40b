"""Flows of flowjax as guides, and what is said where there is none."""

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import guides

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(y):
    x = vipl.sample("x", dist.Normal(jnp.zeros(2), 1.0).to_event(1))
    vipl.sample("y", dist.Normal(x[0] + 2 * x[1], 0.5), obs=y)


LOG_EVIDENCE = -0.5 * (np.log(2 * np.pi * 5.25) + 1 / 5.25)


def triangular(size):
    from flowjax.bijections import Chain, Permute, TriangularAffine
    from flowjax.distributions import StandardNormal, Transformed

    layer = TriangularAffine(jnp.zeros(size), jnp.eye(size))
    return Transformed(StandardNormal((size,)), Chain([layer, Permute(jnp.arange(size)[::-1]), layer]))


def test_a_flow_is_trained(key):
    posterior = vipl.infer(model(1.0), guides.Flow(flow=triangular), key=key, num_steps=2000, progress=False)
    assert abs(posterior.elbo - LOG_EVIDENCE) < 0.02
    trace = vipl.simulate(posterior.guide, key)
    np.testing.assert_allclose(vipl.log_density(posterior.guide, trace), trace.log_density, rtol=1e-4)


def of_another_size(size):
    return triangular(size + 1)


def of_another_base(size):
    from flowjax.distributions import StudentT, Transformed

    return Transformed(StudentT(jnp.full(size, 3.0)), triangular(size).bijection)


@pytest.mark.parametrize("make", [of_another_size, of_another_base, lambda size: size])
def test_what_is_no_flow_of_the_coordinates(make, key):
    with pytest.raises(vipl.ParameterError, match=r"flow\(2\) returns .* it is to be a bijection of \(2,\)") as caught:
        vipl.infer(model(1.0), guides.Flow(flow=make), key=key, num_steps=1, progress=False)
    assert re.search(r"test_flowjax.py:\d+", str(caught.value.where))
    assert caught.value.fix == "base_dist=StandardNormal((2,))"


def test_what_is_no_function():
    with pytest.raises(vipl.ParameterError, match="flow is 3; it is a function of the number of coordinates"):
        guides.Flow(flow=3)


def test_without_flowjax(monkeypatch):
    monkeypatch.setitem(sys.modules, "flowjax.bijections", None)
    with pytest.raises(vipl.VIPLError, match=r"guides.Flow\(flow=…\) needs flowjax") as caught:
        guides.Flow(flow=triangular)
    assert caught.value.fix == 'pip install "vipl[flows]"'


def test_weights_are_of_the_precision_in_use():
    with jax.enable_x64(True):
        start = guides.Flow(flow=triangular).initial(np.zeros(2), True, None, None)
    assert {value.dtype for value in start.values()} == {np.dtype(np.float64)}
