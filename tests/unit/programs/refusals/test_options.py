"""Options of the inference algorithms that are refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from unit.programs.refusals.checking import check

import vipl
from vipl import SMC, Importance


@pytest.mark.parametrize("make", [lambda n: Importance(num_particles=n), SMC], ids=["Importance", "SMC"])
@pytest.mark.parametrize("number", [0, -1, True, 2.0, "3", None, np.int64(3), jnp.arange(3)], ids=repr)
def test_numbers_of_particles(make, number):
    check(vipl.ParameterError, lambda: make(number), "at least one particle, and got num_particles=", "vipl.")


@pytest.mark.parametrize("scheme", ["residual", "Systematic", None, ["systematic"], 3], ids=repr)
def test_schemes(scheme):
    check(vipl.ParameterError, lambda: SMC(3, resampling=scheme), "is no scheme", "'stratified'")


@pytest.mark.parametrize("threshold", [0, 0.0, -0.1, 1.5, float("nan"), "half", True, jnp.array(0.5)], ids=repr)
def test_thresholds(threshold):
    check(vipl.ParameterError, lambda: SMC(3, threshold=threshold), "is no share of the particles", "at most 1")


@pytest.mark.parametrize("gradient", ["none", None, ["biased"], True], ids=repr)
def test_gradients(gradient):
    check(vipl.ParameterError, lambda: SMC(3, gradient=gradient), "gradient=", '"biased"')
