"""What `Auto` takes for each distribution of NumPyro is right: its gradient against finite differences of the mean."""

import inspect
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest
from distribution_registry import CASES, EXCLUDED
from finite_differences import cost, differences, direction
from helpers import LONG

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.testing import strategy

RESOLUTION = 0.02 if LONG else 0.1  # of the whole gradient: the error that must be seen
BATCH, MOST_BATCHES = 4000, 20_000 if LONG else 2000
CLOSED_OVER = ["EulerMaruyama"]  # its case's function closes over the parameter: refused
WITH_GRADIENT = [
    name for name, case in CASES.items() if case.parameters and name not in CLOSED_OVER and strategy(case.make()).picked
]


TRUNCATED = ["LeftTruncatedDistribution", "RightTruncatedDistribution", "TwoSidedTruncatedDistribution"]
OF_UNIFORMS = [
    *[
        (name, estimator)
        for name in TRUNCATED
        for estimator in (estimators.Antithetic(), estimators.QuasiMonteCarlo(4))
    ],
    ("TwoSidedTruncatedDistribution", estimators.Systematic(3)),  # by the score: the others' supports move
]


def gradient_of(case, estimator=None):
    """Return the gradients of the mean cost along each parameter's direction, of a batch of keys."""
    parameters = [np.asarray(p, float) for p in case.parameters]
    several = 4 if strategy(case.make()).picked == "ScoreFunction" else 1  # a baseline of the other samples

    @vipl.expectation(num_samples=several)
    def objective(steps):
        moved = [p + s * direction(p) for p, s in zip(parameters, steps, strict=True)]
        return cost(vipl.sample("x", case.build(*moved), estimator=estimator))

    each = jax.jit(jax.vmap(jax.grad(objective, argnums=1), (0, None)))
    zero = np.zeros(len(case.parameters))
    return lambda key: np.asarray(each(jax.random.split(key, BATCH // several), zero))


class Mean:
    """A running mean of vectors, and its standard error."""

    def __init__(self):
        self.batches = []

    def add(self, draws):
        self.batches.append((len(draws), draws.mean(axis=0), draws.var(axis=0)))

    @property
    def mean(self):
        return np.average([mean for _, mean, _ in self.batches], axis=0)

    @property
    def error(self):
        return np.sqrt(np.mean([var for *_, var in self.batches], axis=0) / sum(n for n, *_ in self.batches))


def compared(case, scale=1.0, estimator=None):
    """Draw until an error of the resolution would be seen; return the distance of both means in standard errors."""
    draw, drawn, ours, due = gradient_of(case, estimator), differences(case, BATCH), Mean(), Mean()
    wanted = resolution = np.inf
    for batch in range(MOST_BATCHES):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(5), batch))
        # whichever is further from being known is drawn on
        if batch < 3 or np.linalg.norm(ours.error) >= 0.5 * np.linalg.norm(due.error):
            ours.add(scale * draw(keys[0]))
        if batch < 3 or np.linalg.norm(due.error) >= 0.5 * np.linalg.norm(ours.error):
            due.add(np.asarray(drawn(keys[1])))
        error = np.hypot(ours.error, due.error)
        resolution, wanted = 4.5 * np.linalg.norm(error), RESOLUTION * np.linalg.norm(due.mean)
        if batch >= 2 and resolution <= wanted:
            break
    assert resolution <= wanted, f"not shown: {resolution} > {wanted}"
    slack = 1e-6 * np.linalg.norm(due.mean)  # of the finite difference
    return np.maximum(np.abs(ours.mean - due.mean) - slack, 0) / np.maximum(error, 1e-300)


@pytest.mark.statistical
@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_gradient_of_what_auto_takes(name):
    with jax.enable_x64(True):
        assert np.all(compared(CASES[name]) <= 4.5)


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "estimator"), OF_UNIFORMS, ids=str)
def test_gradient_of_estimators_of_uniform_noise(name, estimator):
    with jax.enable_x64(True):
        assert np.all(compared(CASES[name], estimator=estimator) <= 4.5)


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["Beta", "BinomialProbs", "HurdleGamma", "Uniform"])
def test_error_of_twice_the_resolution_is_seen(name):
    with jax.enable_x64(True):
        assert np.any(compared(CASES[name], 1 + 2.5 * RESOLUTION) > 4.5)


def test_every_class_has_a_row():
    classes = {n for n in dist.__all__ if inspect.isclass(getattr(dist, n))} - set(EXCLUDED)
    assert classes <= set(CASES)
    page = (pathlib.Path(__file__).parents[3] / "docs" / "distributions.md").read_text()
    assert all(f"| `{name}` |" in page for name in classes)


def test_parameter_that_a_distributions_function_closes_over_is_refused():
    with pytest.raises(vipl.ProgramError, match="holds a function that uses 'scale'"):
        gradient_of(CASES["EulerMaruyama"])(jax.random.key(0))


def test_distributions_that_are_refused():
    found = {name: strategy(case.make()) for name, case in CASES.items()}
    refused = {name: each.why for name, each in found.items() if each.picked is None}
    assert set(refused) == {
        "GaussianCopulaBeta",
        "ImproperUniform",
        "IntervalCensoredDistribution",
        "LeftCensoredDistribution",
        "RightCensoredDistribution",
    }
    assert all(name in why for name, why in refused.items())


def test_page_is_up_to_date():
    page = pathlib.Path(__file__).parents[3] / "docs" / "distributions.md"
    script = f"import sys; sys.path.insert(0, {str(page.parent)!r}); import distribution_table as t; print(t.page())"
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == page.read_text().strip()


@pytest.mark.parametrize(
    ("make", "picked"),
    [
        (lambda: dist.MixtureSameFamily(dist.Categorical(logits=np.zeros(3)), dist.Normal(np.zeros(3), 1.0)), "ByC"),
        (lambda: dist.MixtureSameFamily(dist.Categorical(logits=np.zeros(3)), dist.Poisson(np.ones(3))), "Score"),
        (lambda: dist.ZeroInflatedPoisson(0.3, 2.0), "Score"),
        (lambda: dist.TruncatedNormal(0.0, 1.0, low=0.0), "Reparam"),
        (lambda: dist.LKJCholesky(3, 1.0), "Reparam"),
    ],
)
def test_picked(make, picked):
    assert strategy(make()).picked.startswith(picked)
