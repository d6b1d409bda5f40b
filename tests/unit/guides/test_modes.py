"""Where `Mixture` starts: a component in each mode that paths find, further ones beside; and the way back to values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guide_families import built

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.guides.coordinates import Frame
from vipl.guides.positive import lower_triangle
from vipl.guides.start.find import find_frame
from vipl.tracing.survey import survey

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def squared(y):
    """Two modes, at x = ±2, that are the image of each other."""
    x = vipl.sample("x", dist.Normal(0.0, 3.0))
    vipl.sample("z", dist.Normal(x, 0.5))
    vipl.sample("y", dist.Normal(x**2, 0.5), obs=y)


MODEL = squared(4.0)


def frame_of(kind, seed=0):
    family = guides.Mixture()
    return find_frame(survey(MODEL), MODEL, family.latents(survey(MODEL)), kind, jax.random.key(seed))


@pytest.fixture(scope="module")
def frame():
    return frame_of("modes")


def start_of(family, frame):
    """Return logits, means and scales of x in each component at the start."""
    _, params = family.build(survey(MODEL), frame)
    means = np.stack([frame.place(loc) for loc in params["mixture.loc"]])
    if family.full_rank:
        scales = [frame.scale @ lower_triangle(raw) for raw in params["mixture.scale_tril"]]
    else:
        scales = [frame.scale * jax.nn.softplus(raw) for raw in params["mixture.scale"]]
    return params["mixture.logits"], means[:, 0], np.stack(scales)[:, 0, 0]


@pytest.mark.parametrize("full_rank", [True, False])
def test_a_component_starts_in_each_mode(frame, full_rank):
    logits, means, scales = start_of(guides.Mixture(2, full_rank=full_rank), frame)
    np.testing.assert_allclose(np.sort(means), [-2, 2], atol=0.05)
    np.testing.assert_allclose(np.ptp(logits), 0, atol=0.3)
    if full_rank:
        np.testing.assert_allclose(scales, 0.125, rtol=0.1)


def test_further_components_start_beside(frame):
    logits, means, scales = start_of(guides.Mixture(5), frame)
    assert np.sum(means > 0) in (2, 3)
    np.testing.assert_allclose(np.abs(means), 2, atol=0.4)
    assert len(set(means)) == 5
    assert np.all(scales < 0.15)
    shares = np.exp(logits - np.logaddexp.reduce(logits))
    assert 0.3 < shares[means > 0].sum() < 0.7


def test_one_mode_is_one(frame):
    """Other families have the best mode alone; there is no second where there is none."""
    assert len(frame.modes) == 2
    assert abs(frame.center[0]) < 1
    assert frame.scale[0, 0] == pytest.approx(0.125, rel=0.1)  # within a mode, not from one to the other
    only = frame_of("full")
    assert len(only.modes) == 1
    assert abs(only.center[0]) == pytest.approx(2, rel=0.1)
    assert only.scale[0, 0] == pytest.approx(0.125, rel=0.1)


def test_training_keeps_both_modes(key):
    posterior = vipl.infer(MODEL, guides.Mixture(2), key=key, num_steps=500, progress=False)
    means, shares = posterior.params["mixture.loc"][:, 0], jax.nn.softmax(posterior.params["mixture.logits"])
    np.testing.assert_allclose(np.sort(means), [-2, 2], atol=0.05)
    np.testing.assert_allclose(shares, 0.5, atol=0.1)


@pytest.mark.parametrize("family", [guides.FullRank(0.5), guides.LowRank(2, 0.5), guides.Mixture(3, init_scale=0.5)])
def test_params_of_values_are_put_in_a_frame_and_back(family):
    surveyed = survey(MODEL)
    _, params = built(family, MODEL)
    frame, inside = family.reframe(surveyed, params)
    _, back = family.settle(surveyed, frame, inside)
    for name, value in params.items():
        counts = np.tril if name.endswith("scale_tril") else np.asarray
        np.testing.assert_allclose(counts(back[name]), counts(value), atol=1e-5, err_msg=name)
    moved = Frame(frame.center + 1.0, 2.0 * frame.scale)
    _, elsewhere = family.settle(surveyed, moved, inside)
    locs = jnp.reshape(params[f"{family.name}.loc"], (-1, 2))
    expected = frame.center + 1.0 + 2.0 * (locs - frame.center)
    np.testing.assert_allclose(jnp.reshape(elsewhere[f"{family.name}.loc"], (-1, 2)), expected, atol=1e-5)
