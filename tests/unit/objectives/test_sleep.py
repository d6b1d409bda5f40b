"""What the sleep phase refuses, by name, and which programs it takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import objectives


@vipl.program
def model(y=None):
    z = vipl.sample("z", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(z, 1.0), obs=y)


@vipl.program
def guide(y, address="z"):
    vipl.sample(address, dist.Normal(y, 1.0))


@vipl.program
def seeing(y, observe):
    z = vipl.sample("z", dist.Normal(0.0, 1.0))
    if observe:
        vipl.sample("y", dist.Normal(z, 1.0), obs=y)
    else:
        vipl.factor("y", z - y)


@vipl.program
def everything(y):
    vipl.sample("z", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(0.0, 1.0))


@vipl.program
def positive(y):
    vipl.sample("z", dist.HalfNormal(1.0))


def of_y(program, **options):
    return lambda data: program(data["y"], **options)


@pytest.mark.parametrize(
    ("model", "guide", "kind", "what", "fix"),
    [
        (model(), guide(0.5), vipl.ProgramError, "got guide, a Program", 'lambda data: guide(data["y"])'),
        (model(), 0.5, vipl.ProgramError, "got float", "lambda data"),
        (model(), lambda data: data["y"], vipl.ProgramError, "returned ", "return the program"),
        (model, of_y(guide), vipl.ProgramError, "needs a program and got model", "model(…)"),
        (model(1.0), of_y(guide), vipl.AddressError, "the model has evidence at 'y'", "model()"),
        (model() | {"y": 1.0}, of_y(guide), vipl.AddressError, "the model has evidence at 'y'", "model()"),
        (seeing(1.0, False), of_y(guide), vipl.AddressError, "the model has evidence at 'y'", "model()"),
        (model(), of_y(guide, address="zz"), vipl.AddressError, "samples 'zz', and model has no such", "correct"),
        (model(), of_y(everything), vipl.AddressError, "every site of model: nothing is left", "forward_kl"),
        (model(), of_y(seeing, observe=True), vipl.AddressError, "the guide has evidence at 'y'", "only samples"),
        (model(), of_y(seeing, observe=False), vipl.AddressError, "the guide has evidence at 'y'", "only samples"),
        (model(), lambda data: guide(data["z"]), vipl.AddressError, "reads 'z', which its program samples", "datum"),
        (model(), lambda data: guide(data["x"]), vipl.AddressError, "looks up 'x', which the model does not", "datum"),
        (model(), of_y(positive), vipl.SupportError, "'z'", "support"),
    ],
)
def test_refusal(model, guide, kind, what, fix, key):
    with pytest.raises(kind) as caught:
        objectives.sleep(key, model, guide)
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert __file__ in str(caught.value.where)


def test_a_program_of_all_data(key):
    """A program function of one argument serves as it is."""

    @vipl.program
    def of_dict(data):
        vipl.sample("z", dist.Normal(data["y"], 1.0))

    due = objectives.sleep(key, model(), of_y(guide))
    np.testing.assert_allclose(objectives.sleep(key, model(), of_dict), due)


def test_a_minibatch_is_that_of_the_model(key):
    """Model and guide have the same subsample, and are scaled alike: log q is known by hand for a guide of no width."""
    shifts = jnp.arange(6.0)

    @vipl.program
    def batches():
        with vipl.plate("n", 6, subsample_size=2) as index:
            z = vipl.sample("z", dist.Normal(shifts[index], 1e-4))
            vipl.sample("y", dist.Normal(z, 1e-4))

    @vipl.program
    def amortised(y):
        with vipl.plate("n", 6, subsample_size=2) as index:
            vipl.sample("z", dist.Normal(shifts[index] + 0 * y, 1.0))

    value = jax.jit(lambda key: objectives.sleep(key, batches(), of_y(amortised)))(key)
    np.testing.assert_allclose(value, -3 * np.log(2 * np.pi), rtol=1e-5)
