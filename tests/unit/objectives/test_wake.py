"""What wake-sleep refuses of a plate whose elements are to have weights of their own, by name."""

import jax
import jax.numpy as jnp
import pytest

import vipl
import vipl.distributions as dist
from vipl import objectives


def datum(latent, observed=lambda: None, plate="datum", size=3, batch=2, dim=None):
    """Return a program of a plate with what `latent` does inside and `observed` outside."""

    @vipl.program
    def program():
        observed()
        with vipl.plate(plate, size, subsample_size=batch, dim=dim) as index:
            latent(jnp.array([0.4, 1.9, 1.1])[index])

    return program()


def coin():
    return vipl.sample("b", dist.Bernoulli(0.4))


def tossed(y):
    vipl.sample("y", dist.Normal(coin(), 0.5), obs=y)


def known(_):
    coin()


def nothing(_):
    pass


def open_ended(_):
    tossed(None)


def shared():
    vipl.sample("mean", dist.Normal(0.0, 1.0))


def penalty():
    vipl.factor("penalty", -1.0)


def several():
    vipl.sample("several", dist.Normal(jnp.zeros(3), 1.0))


def inner(y):
    with vipl.plate("inner", 4, subsample_size=2):
        vipl.sample("y", dist.Normal(coin(), 0.5), obs=jnp.stack([y, y]))


REFUSED = {
    "the plate is another": (datum(tossed, plate="data"), datum(known), "plate 'data' is subsampled", "around all"),
    "a plate is subsampled inside": (datum(inner), datum(known), "plate 'inner' is subsampled", "around all"),
    "sizes differ": (datum(tossed), datum(known, size=4), "is 2 of 4 elements .* here, and 2 of 3", "the same size"),
    "a batch is not": (datum(tossed), datum(known, batch=1), "is 1 of 3 elements .* here, and 2 of 3", "the same size"),
    "a latent site is outside": (datum(tossed, shared), datum(known, shared), "site 'mean' is not in plate", "param"),
    "a vector is outside": (datum(tossed, several), datum(known, several), "site 'several' is not in plate", "param"),
    "a factor is outside": (datum(tossed, penalty), datum(known), "factor 'penalty' is not in plate", "without plate="),
    "one is whole": (datum(tossed, batch=None), datum(known), "is 2 of 3 elements .* and 3 of 3", "the same size"),
    "its dimension differs": (datum(tossed), datum(known, dim=-2), "in dim -2 here, and .* in dim -1", "dim in model"),
    "the whole one is another": (
        datum(tossed, plate="data", batch=None),
        datum(known, batch=None),
        "site 'b' is not in plate 'datum', .* it is in plate 'data'",
        "around it",
    ),
    "none is of this name": (
        datum(tossed, plate="data", batch=None),
        datum(known, plate="data", batch=None),
        "no site of program or program is in a plate 'datum'. Did you mean 'data'",
        "all sites are in",
    ),
    "a vector as long is outside": (
        datum(tossed, several, batch=None),
        datum(known, several, batch=None),
        "site 'several' is not in plate 'datum', .* it is in no plate",
        "param",
    ),
    "a latent site is missing": (datum(tossed), datum(nothing), "no value for the latent site 'b'", "a guide needs"),
    "the model has no data": (datum(open_ended), datum(known), "no value for the latent site 'y'", "with obs="),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    programs = REFUSED[name]
    with pytest.raises((vipl.AddressError, vipl.ShapeError), match=programs[2]) as caught:
        objectives.wake(2, plate="datum")(jax.random.key(0), *programs[:2])
    assert programs[3] in str(caught.value.fix)
    assert __file__ in str(caught.value.where)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: objectives.wake(1), "num_particles is 1; it must be an int, at least 2"),
        (lambda: objectives.wake(8.0), "num_particles is 8.0"),
        (lambda: objectives.wake(8, plate=3), "plate is 3; it must be the name"),
        (lambda: objectives.wake_p(8, plate=""), "plate is ''"),
    ],
)
def test_arguments(make, what):
    with pytest.raises(vipl.ParameterError, match=what):
        make()
