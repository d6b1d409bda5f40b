"""A posterior as ArviZ takes it: what the groups hold, how dimensions are called, and that ArviZ does take it."""

import sys

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

import vipl
import vipl.distributions as dist

Y, SIGMA = jnp.array([28.0, 8.0, -3.0]), jnp.array([15.0, 10.0, 16.0])

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(sigma, y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("school", sigma.shape[0]):
        z = vipl.sample("z", dist.Normal(jnp.zeros(2), 1.0).to_event(1))
        theta = vipl.deterministic("theta", mu + z[:, 0])
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


@vipl.program
def guide():
    vipl.sample("mu", dist.Normal(vipl.param("loc", 1.0), 2.0))
    with vipl.plate("school", 3):
        vipl.sample("z", dist.Normal(jnp.zeros(2), 1.0).to_event(1))


@vipl.program
def guide_of_mu(address):
    vipl.sample(address, dist.Normal(vipl.param("loc", 1.0), 2.0))


def fit(program, of):
    return vipl.infer(program, of, key=jax.random.key(0), num_steps=0, progress=False)


@pytest.fixture(scope="module")
def posterior():
    return fit(model(SIGMA, Y), guide())


@pytest.fixture(scope="module")
def tree(posterior):
    return posterior.to_datatree({"school": ["A", "B", "C"]}, {"theta": ["school"]}, num_samples=400, prior=True)


def test_groups_and_dimensions(tree):
    sizes = {group: {name: dict(x.sizes) for name, x in tree[group].data_vars.items()} for group in tree.children}
    one = {"chain": 1, "draw": 400}
    school, event = one | {"school": 3}, one | {"school": 3, "z_dim_1": 2}
    assert sizes == {
        "posterior": {"mu": one, "z": event, "theta": school},
        "posterior_predictive": {"y": school},
        "sample_stats": {"lp": one, "log_weight": one},
        "log_likelihood": {"y": school},
        "prior": {"mu": one, "z": event, "theta": school},
        "prior_predictive": {"y": school},
        "observed_data": {"y": {"school": 3}},
    }
    assert list(tree["posterior"]["school"].values) == ["A", "B", "C"]
    np.testing.assert_array_equal(tree["observed_data"]["y"], Y)


def test_all_groups_are_of_the_same_draws(tree, posterior):
    values = tree["posterior"]
    np.testing.assert_allclose(values["theta"], values["mu"] + values["z"][..., 0], rtol=1e-5)
    likelihood = dist.Normal(values["theta"].values, SIGMA).log_prob(Y)
    np.testing.assert_allclose(tree["log_likelihood"]["y"], likelihood, rtol=1e-4)
    for i in (0, 399):
        choices = {"mu": values["mu"].values[0, i], "z": values["z"].values[0, i]}
        lp = vipl.log_density(posterior.model, choices)
        np.testing.assert_allclose(tree["sample_stats"]["lp"][0, i], lp, rtol=1e-4)
        weight = lp - posterior.log_density(choices)
        np.testing.assert_allclose(tree["sample_stats"]["log_weight"][0, i], weight, rtol=1e-4)
    noise = (tree["posterior_predictive"]["y"] - values["theta"]).values / SIGMA
    assert 0.9 < noise.std() < 1.1
    wide = tree["prior"]["mu"].values.std()
    assert 4.2 < wide < 5.8


def test_names_that_there_are_not(posterior):
    with pytest.raises(vipl.AddressError, match=r"dims has 'thta'(.|\n)*Did you mean 'theta'"):
        posterior.to_datatree(dims={"thta": ["school"]}, num_samples=2)
    with pytest.raises(vipl.AddressError, match=r"coords has 'schools'(.|\n)*Did you mean 'school'"):
        posterior.to_datatree(coords={"schools": ["A"]}, num_samples=2)


def test_addresses_with_scopes_and_plates_of_the_name_of_a_value():
    @vipl.program
    def scoped():
        with vipl.scope("group"):
            mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("y", 3):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=Y)

    tree = fit(scoped(), guide_of_mu("group/mu")).to_datatree(num_samples=5)
    assert list(tree["posterior"].data_vars) == ["group.mu"]
    assert tree["log_likelihood"]["y"].dims == ("chain", "draw", "y_dim_0")


def test_what_cannot_be_told_is_left_out():
    @vipl.program
    def mixture():
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("datum", 3):
            z = vipl.sample("z", dist.Bernoulli(0.5))
            vipl.sample("y", dist.Normal(jnp.where(z == 1, mu, -mu), 1.0), obs=Y)

    summed = fit(vipl.marginal(mixture(), ["mu"], vipl.Exact()), guide_of_mu("mu")).to_datatree(num_samples=5)
    assert "log_likelihood" not in summed.children
    assert "lp" in summed["sample_stats"]

    @vipl.program
    def minibatched():
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("datum", 3, subsample_size=2) as index:
            vipl.sample("y", dist.Normal(mu, 1.0), obs=Y[index])

    tree = fit(minibatched(), guide_of_mu("mu")).to_datatree(num_samples=5)
    assert not {"log_likelihood", "sample_stats"} & set(tree.children)


def test_without_arviz_the_error_says_what_to_install(posterior, monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz_base", None)
    with pytest.raises(vipl.MissingPackageError, match=r'arviz_base(.|\n)*pip install "vipl\[arviz\]"'):
        posterior.to_datatree()


@pytest.mark.filterwarnings("default")  # ArviZ warns of what it thinks of the draws, and its dependencies of each other
def test_arviz_takes_it(tree):
    az = pytest.importorskip("arviz")
    matplotlib.use("Agg")
    table = az.summary(tree)
    assert {"mu", "theta[A]", "z[C, 1]"} <= set(table.index)
    loo = az.loo(tree, pointwise=True)
    assert np.isfinite(loo.elpd)
    for plot in (az.plot_dist, az.plot_forest, az.plot_ppc_dist):
        plot(tree)
    az.plot_pair(tree, var_names=["mu", "theta"])
    az.plot_khat(loo)
    matplotlib.pyplot.close("all")
