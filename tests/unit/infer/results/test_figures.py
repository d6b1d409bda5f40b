"""Figures: what is drawn is what was found, and estimates of densities are right at the edge of a support too."""

import sys

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.results.kernel import density_of
from vipl.infer.results.objective_figure import plot_objective

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(autouse=True)
def _closed():
    yield
    matplotlib.pyplot.close("all")


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(jnp.zeros(2), 5.0).to_event(1))
    tau = vipl.sample("tau", dist.HalfNormal(1.0))
    z = vipl.sample("z", dist.Bernoulli(0.3))
    vipl.sample("y", dist.Normal(mu[0] + z, 1.0 + tau), obs=y)


@vipl.program
def guide():
    vipl.sample("mu", dist.Normal(vipl.param("loc", jnp.zeros(2)), 1.0).to_event(1))
    vipl.sample("tau", dist.HalfNormal(1.0))
    vipl.sample("z", dist.Bernoulli(0.3))


def fit(num_steps):
    return vipl.infer(model(1.0), guide(), key=jax.random.key(0), num_steps=num_steps, progress=False)


@pytest.fixture(scope="module")
def posterior():
    return fit(200)


def test_the_objective_is_drawn_with_its_running_mean(posterior):
    ax = posterior.plot_objective()
    raw, smooth = ax.get_lines()
    np.testing.assert_allclose(raw.get_ydata(), posterior.objective_history, rtol=1e-6)
    np.testing.assert_allclose(smooth.get_ydata()[10], np.mean(posterior.objective_history[9:11]), rtol=1e-5)
    assert "nats" in ax.get_ylabel()
    assert posterior.plot_objective(ax) is ax


def test_a_steep_beginning_does_not_hide_the_end():
    history = -1e6 * np.exp(-np.arange(2000.0)) + np.sin(np.arange(2000.0))
    low, high = plot_objective(history, "").get_ylim()
    assert -2 < low < -1 < 1 < high < 2


def test_steps_that_are_not_finite_are_left_out():
    history = np.sin(np.arange(500.0))
    history[::50] = np.nan
    smooth = plot_objective(history, "").get_lines()[1].get_ydata()
    assert np.isfinite(smooth).all()
    assert plot_objective(np.zeros(0), "").get_lines()


def test_a_panel_for_each_scalar(posterior):
    axes = posterior.plot_density()
    assert [ax.get_title() for ax in axes] == ["mu[0]", "mu[1]", "tau", "z"]
    guide = axes[2].get_lines()[0]
    area = np.trapezoid(guide.get_ydata(), guide.get_xdata())
    assert 0.97 < area < 1.01
    assert guide.get_xdata()[0] >= 0
    assert len(axes[3].patches) == 2  # bars


def test_some_scalars_and_a_reference(posterior):
    draws = np.random.default_rng(0).normal(3.0, 0.1, (4000, 2))
    axes = posterior.plot_density(["mu[1]", "tau"], {"mu": draws, "tau": lambda x: np.exp(-x)})
    assert [ax.get_title() for ax in axes] == ["mu[1]", "tau"]
    for ax, peak in zip(axes, (3.0, 0.0), strict=True):
        (line,) = [line for line in ax.get_lines() if line.get_label() == "reference"]
        assert abs(line.get_xdata()[np.argmax(line.get_ydata())] - peak) < 0.2
    with pytest.raises(vipl.AddressError, match=r"no 'tua'. Did you mean 'tau'"):
        posterior.plot_density("tua")
    with pytest.raises(vipl.AddressError, match=r"no 'mu\[2\]'"):
        posterior.plot_density("mu[2]")


def test_densities_at_the_edge_of_a_support():
    axis = np.linspace(0.0, 5.0, 101)
    draws = np.random.default_rng(0).exponential(size=20_000)
    exact = np.exp(-axis)
    assert np.abs(density_of(draws, None, axis, 0.0, np.inf) - exact).max() < 0.1
    assert np.abs(density_of(draws, None, axis, -np.inf, np.inf) - exact).max() > 0.3  # the twin: not reflected
    weights = np.exp(-draws)
    corrected = density_of(draws, weights / weights.sum(), axis, 0.0, np.inf)
    assert np.abs(corrected - 2 * np.exp(-2 * axis)).max() < 0.3
    assert np.abs(exact - 2 * np.exp(-2 * axis)).max() > 0.3  # the twin: not weighted


def test_without_matplotlib_the_error_says_what_to_install(posterior, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for plot in (posterior.plot_objective, posterior.plot_density):
        with pytest.raises(vipl.MissingPackageError, match=r'matplotlib(.|\n)*pip install "vipl\[plot\]"'):
            plot()


def test_html_is_a_table_and_escaped(posterior):
    page = posterior._repr_html_()
    assert "<table>" in page
    assert "200 steps" in page
    odd = fit(0)
    odd.status = "stopped: <b>"
    assert "<b>" not in odd._repr_html_()
    assert "&lt;b&gt;" in odd._repr_html_()
    assert "<td>mu[1]</td>" in posterior.summary()._repr_html_()
