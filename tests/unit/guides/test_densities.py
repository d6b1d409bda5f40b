"""What every family of guides owes to every kind of site: its shape, its support, and one density, drawn or given."""

import dataclasses
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guide_families import FAMILIES, POINTS, TRAINED, WITHOUT_VARIANTS, built, guide_of
from guide_models import SHAPES, SUPPORTS, continuous, discrete, subsampled

import vipl
from vipl import guides

pytestmark = pytest.mark.usefixtures("quick_compilation")

DRAWS = 1000


def test_every_family_is_in_the_registry():
    public = {getattr(guides, name) for name in guides.__all__ if inspect.isclass(getattr(guides, name))}
    assert public - {guides.GuideFamily} == {type(family) for family in FAMILIES.values()}


@jax.jit
def drawn(guide, keys):
    """Draws of a guide, their log density, and the same of the values when they are given."""

    def one(key):
        trace = vipl.simulate(guide, key)
        return dict(trace.choices), trace.log_density, vipl.log_density(guide, trace)

    return jax.vmap(one)(keys)


def worst_difference(guide):
    """Return the draws, and the largest difference of the two log densities, relative to their size."""
    choices, found, given = drawn(guide, jax.random.split(jax.random.key(3), DRAWS))
    found, given = np.asarray(found, float), np.asarray(given, float)
    assert np.all(np.isfinite(found))
    return choices, np.max(np.abs(found - given) / np.maximum(1, np.abs(found)))


def check(guide, tolerance):
    """Check densities and supports; return the draws."""
    choices, worst = worst_difference(guide)
    assert worst < tolerance
    for address, values in choices.items():
        assert address not in SUPPORTS or bool(jnp.all(SUPPORTS[address](values))), address
    return choices


@pytest.mark.parametrize("name", WITHOUT_VARIANTS)
def test_continuous_sites(name):
    choices = check(guide_of(FAMILIES[name], continuous()), 1e-4)
    assert {address: values.shape[1:] for address, values in choices.items()} == SHAPES
    still = {address for address, values in choices.items() if values.size and np.all(np.ptp(values, axis=0) == 0)}
    assert still == (set(SHAPES) - {"nobody"} if name in POINTS else set())


def test_in_double_precision(x64):
    choices = check(guide_of(FAMILIES["flow_splines"], continuous()), 1e-9)
    assert {values.dtype for values in choices.values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("name", [name for name in WITHOUT_VARIANTS if name in TRAINED])
def test_discrete_and_subsampled_sites(name):
    check(guide_of(FAMILIES[name], subsampled()), 1e-4)


def test_discrete_sites_alone():
    choices = check(guide_of(guides.FullRank(), discrete()), 1e-4)
    assert {address: values.shape[1:] for address, values in choices.items()} == {
        "heads": (),
        "kind": (6,),
        "hot": (2,),
    }
    for name in TRAINED:
        of_family, params = built(FAMILIES[name], discrete())
        assert set(params) == {"heads.logits", "kind.logits", "hot.logits"}


@dataclasses.dataclass(frozen=True)
class Careless(guides.FullRank):
    """A normal whose draws leave out the Jacobian."""

    def law(self, params, coordinates):
        law = super().law(params, coordinates)
        return dataclasses.replace(law, push=lambda noise: (law.push(noise)[0], 0.0))


def test_a_density_without_the_jacobian_is_rejected():
    assert worst_difference(guide_of(Careless(), subsampled()))[1] > 0.1
