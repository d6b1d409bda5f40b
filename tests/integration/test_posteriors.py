"""The posteriors of `examples/posteriors`: each program is what the reference is of, and the table is true.

Where the posterior given sigma is normal, the program's own gradient and Hessian give its moments exactly, by one
quadrature. The others are compared with densities written a second time, where the reference's draws are.
"""

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from example_folders import posteriors, run_folder
from posterior_densities import DENSITIES
from scipy.special import logsumexp

import vipl
from vipl.tracing.survey import survey

pytestmark = pytest.mark.usefixtures("quick_compilation")

EXACT = ("earnings", "kidscore", "kilpisjarvi", "linear_regression", "mesquite", "nes")


@pytest.fixture(scope="module")
def example():
    """What the command has at hand, without a run of it."""
    return posteriors()


def test_every_program_is_held_to_something(example):
    assert set(example["POSTERIORS"]) == {*EXACT, *DENSITIES}
    for name in example["POSTERIORS"]:
        assert ("exact" in example["read"](name)) == (name in EXACT)


def regression_moments(model, center, spread, log_prior=lambda sigma: 0.0):
    """Return `{parameter: (mean, sd)}` and the log evidence of a posterior that is normal given sigma."""
    shapes = {a: group[0].full_shape for a, group in survey(model).latents.items() if a != "sigma"}
    names = [a + (f"[{i}]" if shape else "") for a, shape in shapes.items() for i in range(int(np.prod(shape)))]

    def log_density(coefficients, sigma):
        values, start = {"sigma": sigma}, 0
        for address, shape in shapes.items():
            values[address] = coefficients[start : start + int(np.prod(shape))].reshape(shape)
            start += int(np.prod(shape))
        return vipl.log_density(model, values) + log_prior(sigma)

    @jax.jit
    @jax.vmap
    def given(log_sigma):
        sigma, zeros = jnp.exp(log_sigma), jnp.zeros(len(names))
        value, gradient = jax.value_and_grad(log_density)(zeros, sigma)
        precision = -jax.hessian(log_density)(zeros, sigma)
        mean = jnp.linalg.solve(precision, gradient)
        log_det = jnp.linalg.slogdet(precision / (2 * jnp.pi))[1]
        return value + gradient @ mean / 2 - log_det / 2 + log_sigma, mean, jnp.diagonal(jnp.linalg.inv(precision))

    grid = np.log(center) + spread / center * np.linspace(-12, 12, 481)
    log_weights, means, variances = map(np.asarray, given(jnp.array(grid)))
    log_evidence = logsumexp(log_weights) + np.log(grid[1] - grid[0])
    means = np.concatenate([means, np.exp(grid)[:, None]], axis=1)
    weights = np.exp(log_weights - logsumexp(log_weights))[:, None]
    mean = np.sum(weights * means, axis=0)
    variance = np.sum(weights * (means - mean) ** 2, axis=0) + np.append(np.sum(weights * variances, axis=0), 0.0)
    return dict(zip([*names, "sigma"], zip(mean, np.sqrt(variance), strict=True), strict=True)), log_evidence


def worst_moment(example, name, log_prior=lambda sigma: 0.0):
    known = example["read"](name)
    sigma = known["exact"]["sigma"]
    found, log_evidence = regression_moments(example["POSTERIORS"][name].model(), sigma["mean"], sigma["sd"], log_prior)
    assert set(found) == set(known["exact"]) == set(known["reference"])
    errors = [abs(found[p][0] - row["mean"]) / row["sd"] for p, row in known["exact"].items()]
    errors += [abs(found[p][1] / row["sd"] - 1) for p, row in known["exact"].items()]
    return max(errors), log_evidence - known.get("log_evidence", log_evidence)


@pytest.mark.parametrize("name", EXACT)
def test_moments_are_exact(name, example, x64):
    worst, evidence = worst_moment(example, name)
    assert worst < 1e-5
    assert abs(evidence) < 1e-5


def test_a_prior_flat_in_the_logarithm_is_rejected(example, x64):
    assert worst_moment(example, "nes", lambda sigma: -jnp.log(sigma))[0] > 0.01


def points(example, name, count=4):
    """Return what the parameters may be: between the quartiles of the reference, more or less."""
    rng, found = np.random.default_rng(0), {}
    for parameter, row in example["read"](name)["reference"].items():
        draws = row["q50"] + 0.7 * row["sd"] * rng.uniform(-1, 1, count)
        found.setdefault(parameter.partition("[")[0], []).append(draws)
    scalars = {parameter for parameter in found if f"{parameter}[0]" not in example["read"](name)["reference"]}
    found = {p: draws[0] if p in scalars else np.stack(draws, axis=1) for p, draws in found.items()}
    for simplex in {"theta1", "theta2"} & set(found):
        found[simplex][:, 1] = 1 - found[simplex][:, 0]
    return found


def in_coordinates(name, p):
    """Return the values of the program's sites, and the log Jacobian of the parameters that are computed from them."""
    if name == "garch":
        latent = {"mu": p["mu"], "alpha0": p["alpha0"], "alpha1": p["alpha1"], "share": p["beta1"] / (1 - p["alpha1"])}
        return latent, np.log(1 - p["alpha1"])
    if name == "eight_schools_noncentered":
        eta = (p["theta"] - p["mu"][:, None]) / p["tau"][:, None]
        return {"mu": p["mu"], "tau": p["tau"], "eta": eta}, 8 * np.log(p["tau"])
    return p, 0.0


def spread_of_difference(example, name, density):
    """Return how far from a constant the difference of two log densities is."""
    parameters = points(example, name)
    values, log_jacobian = in_coordinates(name, parameters)
    model = example["POSTERIORS"][name].model()
    found = jax.jit(jax.vmap(lambda values: vipl.log_density(model, values)))(jax.tree.map(jnp.array, values))
    data, count = example["read"](name)["data"], len(found)
    expected = [density(data, **{p: draws[i] for p, draws in parameters.items()}) for i in range(count)]
    assert np.ptp(expected) > 0.1
    return np.ptp(np.asarray(found) - (np.array(expected) + log_jacobian))


@pytest.mark.parametrize("name", DENSITIES)
def test_the_density_is_that_of_the_description(name, example, x64):
    solver = 1e-4 if name == "lotka_volterra" else 0.0  # what 40 steps of Runge and Kutta a year are off by
    assert spread_of_difference(example, name, DENSITIES[name]) < 1e-8 + solver


MISREAD = {
    "gaussian_process": lambda data, rho, alpha, sigma: DENSITIES["gaussian_process"](data, rho, alpha, sigma**2),
    "garch": lambda data, **p: DENSITIES["garch"](data, **p) - np.log(1 - p["alpha1"]),
    "hidden_markov": lambda data, theta1, theta2, mu: DENSITIES["hidden_markov"](data, theta1, theta2[::-1], mu),
    "lotka_volterra": lambda data, **p: DENSITIES["lotka_volterra"](data, **p) + np.sum(np.log(p["sigma"])),
}


@pytest.mark.parametrize("name", MISREAD)
def test_a_description_read_wrongly_is_rejected(name, example, x64):
    assert spread_of_difference(example, name, MISREAD[name]) > 0.05


ROW = r"^(\w+) +(\w+) +(\S+) +([\d.]*) +(\S+) – *(\S+) +(\S+) +(good|usable|poor|unknown) +(right|wrong) +\d+  (\w+)"


def test_the_command_prints_a_true_table(example, capsys, monkeypatch):
    """Of a guide that serves one posterior and not the other, and is refused for a third."""
    options = ["--guide", "mean_field", "--posterior", "gaussian_process", "mesquite"]
    monkeypatch.setattr(sys, "argv", ["posteriors", *options])
    run_folder("posteriors", run_name="__main__")
    printed = capsys.readouterr().out
    good, narrow = re.findall(ROW, printed, re.MULTILINE)
    assert (*good[:2], *good[7:9]) == ("gaussian_process", "mean_field", "good", "right")
    assert (*narrow[:2], narrow[8]) == ("mesquite", "mean_field", "wrong")
    assert narrow[7] != "good"
    assert float(good[2]) < 0.25
    assert good[3] == ""
    assert abs(float(narrow[2]) - float(narrow[3])) < 0.05  # of the reference and of the exact means
    assert float(narrow[4]) < 0.5 < float(good[4])
    assert "mean_field: 1 of 2 are right\nmisses that vipl calls good: none" in printed


def fit_like(example, **changes):
    facts = {"error": 0.2, "exact_error": None, "spreads": (0.81, 1.24), "khat": 0.3, "status": "finished"}
    return example["Fit"](**facts | {"verdict": "good", "seconds": 1.0} | changes)


def test_misses_that_are_called_good_are_named(example, capsys, monkeypatch):
    fits = {
        "ark": fit_like(example),
        "garch": fit_like(example, error=0.26),
        "nes": fit_like(example, spreads=(0.79, 1.0), verdict="poor"),
        "kidscore": fit_like(example, spreads=(1.0, 1.26)),
    }
    monkeypatch.setitem(example["main"].__globals__, "fit", lambda name, guide, key: fits[name])
    monkeypatch.setattr(sys, "argv", ["posteriors", "--guide", "none", "--posterior", *fits, "mesquite"])
    example["main"]()
    printed = capsys.readouterr().out
    assert "none: 1 of 5 are right\nmisses that vipl calls good: garch by none, kidscore by none" in printed
    assert re.search(r"^mesquite +none +KeyError: 'mesquite'$", printed, re.MULTILINE)


def test_guides_are_found_by_name(example):
    found = example["families"]()
    assert found["none"] is None
    assert found["auto"] == "auto"
    assert found["mean_field"] == vipl.guides.MeanField()
    assert "guide_family" not in found
