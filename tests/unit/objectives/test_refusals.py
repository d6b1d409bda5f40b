"""What objectives refuse, by name: what is wrong, where, and the fix."""

import re

import jax
import jax.numpy as jnp
import pytest

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives

EVERY = {
    "elbo": objectives.elbo,
    "ais": objectives.ais(2, 0.1),
    "path_elbo": objectives.path_elbo,
    "iwelbo": objectives.iwelbo(2),
    "iwelbo, dreg": objectives.iwelbo(2, "dreg"),
    "iwelbo, vimco": objectives.iwelbo(2, "vimco"),
    "renyi": objectives.renyi(0.5, 2),
    "renyi, dreg": objectives.renyi(0.5, 2, "dreg"),
    "cubo": objectives.cubo(2.0, 2),
    "cubo, dreg": objectives.cubo(2.0, 2, "dreg"),
    "tvo": objectives.tvo((0.0, 0.1, 1.0), 2),
    "beta_elbo": objectives.beta_elbo(4.0),
    "wake_p": objectives.wake_p(2),
    "wake_q": objectives.wake_q(2),
    "wake": objectives.wake(2),
    "log_variance": objectives.log_variance(2),
    "info_vae": objectives.info_vae("x", 50.0, 1.0),
    "symmetric_kl": objectives.symmetric_kl(2),
    "f_divergence": objectives.f_divergence(lambda t: (t - 1) ** 2, 2),
}
PATHWISE = {name: EVERY[name] for name in ("path_elbo", "iwelbo, dreg", "renyi, dreg", "cubo, dreg")}
every = pytest.mark.parametrize("objective", EVERY.values(), ids=EVERY)
pathwise = pytest.mark.parametrize("objective", PATHWISE.values(), ids=PATHWISE)


@vipl.program
def model(y):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def guide(loc):
    vipl.sample("x", dist.Normal(loc, 0.7))


def square(t):
    return (t - 1) ** 2


def refusal(kind, function, *args, **options):
    with pytest.raises(kind) as caught:
        function(*args, **options)
    assert caught.value.fix
    assert __file__ in str(caught.value.where)
    return caught.value


@pytest.mark.parametrize(
    ("make", "what", "fix"),
    [
        (lambda: objectives.iwelbo(0), "num_particles is 0; it must be an int, at least 1", "num_particles=8"),
        (lambda: objectives.iwelbo(8.0), "num_particles is 8.0", "num_particles=8"),
        (lambda: objectives.iwelbo(True), "num_particles is True", "num_particles=8"),
        (lambda: objectives.iwelbo("8"), "num_particles is '8'", "num_particles=8"),
        (lambda: objectives.iwelbo([8]), r"num_particles is \[8\]", "num_particles=8"),
        (lambda: objectives.iwelbo(1, "vimco"), "num_particles is 1; it must be an int, at least 2", "=8"),
        (lambda: objectives.iwelbo(8, "doubly"), "gradient is 'doubly'; iwelbo offers 'plain', 'dreg'", '"dreg"'),
        (lambda: objectives.iwelbo(8, ["dreg"]), r"gradient is \['dreg'\]", '"dreg"'),
        (lambda: objectives.renyi(0.5, 8, "vimco"), "renyi offers 'plain', 'dreg'", '"plain"'),
        (lambda: objectives.renyi(8, 0.5), "num_particles is 0.5", "num_particles=8"),
        (lambda: objectives.renyi(float("inf"), 8), "alpha is inf; it must be a finite number", "alpha=0.5"),
        (lambda: objectives.renyi("half", 8), "alpha is 'half'", "alpha=0.5"),
        (lambda: objectives.renyi(None, 8), "alpha is None", "alpha=0.5"),
        (lambda: objectives.cubo(0, 8), "order is 0; it must be a positive number", "order=2.0"),
        (lambda: objectives.cubo("two", 8), "order is 'two'", "order=2.0"),
        (lambda: objectives.cubo(2, 8, "vimco"), "cubo offers 'plain', 'dreg'", '"plain"'),
        (lambda: objectives.cubo(2, 0), "num_particles is 0", "num_particles=8"),
        (lambda: objectives.tvo((0.0, 0.5), 8), r"partition is \(0.0, 0.5\); .* from 0 to 1", "partition=(0.0,"),
        (lambda: objectives.tvo((0.0, 0.5, 0.5, 1.0), 8), "must be increasing numbers", "partition=(0.0,"),
        (lambda: objectives.tvo(4, 8), "partition is 4", "partition=(0.0,"),
        (lambda: objectives.tvo((), 8), r"partition is \(\)", "partition=(0.0,"),
        (lambda: objectives.tvo((0.0, 1.0), 1.5), "num_particles is 1.5", "num_particles=8"),
        (lambda: objectives.wake_p(0), "num_particles is 0; it must be an int, at least 1", "=8"),
        (lambda: objectives.wake_q(2.0), "num_particles is 2.0", "=2"),
        (lambda: objectives.log_variance(1), "num_particles is 1; it must be an int, at least 2", "=8"),
        (lambda: objectives.beta_elbo(-1.0), "beta is -1.0; it must be a number of at least 0", "beta=4.0"),
        (lambda: objectives.beta_elbo(True), "beta is True", "beta=4.0"),
        (lambda: objectives.beta_elbo([1.0, 2.0]), r"beta is \[1.0, 2.0\]", "beta=4.0"),
        (lambda: objectives.ais(0, 0.1), "num_steps is 0; it must be an int, at least 1", "num_steps=8"),
        (lambda: objectives.ais(2.0, 0.1), "num_steps is 2.0", "num_steps=8"),
        (lambda: objectives.ais(2, 0.0), "step_size is 0.0; it must be a positive number", "step_size=0.1"),
        (lambda: objectives.ais(2, {"x": [0.1, -1]}), r"step_size of 'x' is \[0.1, -1\]", "{'x': 0.1"),
        (lambda: objectives.ais(2, {"x": "small"}), "step_size of 'x' is 'small'", "{'x': 0.1"),
        (lambda: objectives.ais(2, 0.1, (0.5,)), r"schedule is \(0.5,\); .* array of 2 rising", "/ 2"),
        (lambda: objectives.ais(2, 0.1, (0.5, 0.2)), "schedule is .* array of 2 rising", "/ 2"),
        (lambda: objectives.ais(2, 0.1, (0.5, 1.5)), r"schedule is .* numbers in \[0, 1\]", "/ 2"),
        (lambda: objectives.ais(2, 0.1, "linear"), "schedule is 'linear'", "/ 2"),
        (lambda: objectives.ais(2, 0.1, None, 1.0), "persistence is 1.0; it must be less than 1", "persistence=0.0"),
        (lambda: objectives.ais(2, 0.1, None, -0.5), "persistence is -0.5; it must be a number", "persistence=0.0"),
        (lambda: objectives.info_vae("x", -1.0, 1.0), "weight is -1.0; it must be a number of at least 0", "=50.0"),
        (lambda: objectives.info_vae("x", 1.0, 0.0), "bandwidth is 0.0; it must be a positive number", "bandwidth=1.0"),
        (lambda: objectives.info_vae("x", 1.0, "wide"), "bandwidth is 'wide'", "bandwidth=1.0"),
        (lambda: objectives.info_vae("x", 1.0, 1.0, beta=-1), "beta is -1; it must be a number of at least 0", "1.0"),
        (lambda: objectives.info_vae("x", 1.0, 1.0, 1), "num_particles is 1; it must be an int, at least 2", "=8"),
        (lambda: objectives.squared_mmd(jnp.ones((2, 1)), jnp.ones((2, 1)), -1), "bandwidth is -1", "bandwidth=1.0"),
        (lambda: objectives.symmetric_kl(1), "num_particles is 1; it must be an int, at least 2", "=8"),
        (lambda: objectives.f_divergence(square, 1), "num_particles is 1; it must be an int, at least 2", "=8"),
        (lambda: objectives.f_divergence(square, 0, 0.0), "num_particles is 0; it must be an int, at least 1", "=8"),
        (lambda: objectives.f_divergence(square, 2, "none"), "log_evidence is 'none'", "log_evidence=0.0"),
        (lambda: objectives.f_divergence(2.0, 8), "f is 2.0; it must be a function", "jnp.sqrt"),
        (lambda: objectives.f_divergence(lambda t: t**2, 8), r"f\(1\) is 1; it must be 0", "less its value at 1"),
        (lambda: objectives.f_divergence(jnp.log, 8), "f is not convex: .* above its chord", "its negative"),
        (lambda: objectives.f_divergence(lambda t: t[None], 8), r"f returns float32 of shape \(1,\)", "jnp.sqrt"),
        (lambda: objectives.f_divergence(lambda t: t > 1, 8), r"f returns bool of shape \(\)", "jnp.sqrt"),
        (lambda: objectives.f_divergence(lambda t: (t, t), 8), "f returns tuple of shape None", "jnp.sqrt"),
        (lambda: objectives.f_divergence(lambda t: jnp.log(t - 1) * 0, 8), r"f\(1\) is nan", "less its value"),
        (lambda: objectives.f_divergence(lambda t: (t**0.5 - 1) * (t - 100) ** 0.5 * 0, 8), r"is nan", "jnp.sqrt"),
        (lambda: jax.jit(lambda a: objectives.renyi(a, 8).num_samples)(0.5), "alpha is .*racer", "alpha=0.5"),
    ],
)
def test_arguments(make, what, fix):
    error = refusal(vipl.ParameterError, make)
    assert re.search(what, error.what)
    assert fix in error.fix


@every
def test_a_guide_that_observes(objective, key):
    error = refusal(vipl.AddressError, objective, key, model(1.0), model(2.0))
    assert "the guide observes 'y'" in error.what


@every
def test_a_guide_of_other_sites(objective, key):
    @vipl.program
    def misspelt(loc):
        vipl.sample("xx", dist.Normal(loc, 0.7))

    error = refusal(vipl.AddressError, objective, key, model(1.0), misspelt(0.0))
    assert "'xx'" in error.what
    assert "'x'" in error.what


@every
def test_a_guide_that_reaches_beyond_the_support(objective, key):
    @vipl.program
    def positive():
        x = vipl.sample("x", dist.HalfNormal(1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)

    error = refusal(vipl.SupportError, objective, key, positive(), guide(0.0))
    assert "'x'" in error.what


def of_data(plate, size=4, batch=2, observed=None):
    """Return a program with a location for each datum of a subsampled plate."""

    @vipl.program
    def program():
        with vipl.plate(plate, size, subsample_size=batch) as index:
            x = vipl.sample("x", dist.Normal(0.0, 1.0))
            if observed is not None:
                vipl.sample("y", dist.Normal(x, 1.0), obs=observed[index])

    return program()


@every
@pytest.mark.parametrize(
    ("other", "said"),
    [
        (of_data("row"), "2 of 4 elements of plate 'row' in the guide"),
        (of_data("datum", 8), "2 of 8 elements of plate 'datum' in the guide"),
        (of_data("datum", 2), "no subsampled plate in the guide"),
    ],
    ids=["another name", "another size", "none"],
)
def test_a_guide_with_a_subsample_of_its_own(objective, other, said, key):
    """The shapes agree, and the data would not."""
    error = refusal(vipl.ShapeError, objective, key, of_data("datum", observed=jnp.arange(4.0)), other)
    assert said in error.what
    assert "2 of 4 elements of plate 'datum' in the model" in error.what
    assert "same name, size and subsample_size" in error.fix


def test_a_guide_may_look_at_some_data_for_what_they_share(key):
    @vipl.program
    def glance(y):
        with vipl.plate("glance", 4, subsample_size=2) as index:
            near = y[index].mean()
        vipl.sample("x", dist.Normal(near, 0.7))

    for objective in (objectives.elbo, objectives.iwelbo(2), objectives.wake(2)):
        assert objective(key, model(1.0), glance(jnp.arange(4.0))) < 0


@pytest.mark.parametrize("f", [lambda t: jnp.abs(t - 1), lambda t: jnp.exp(t) - jnp.e, lambda t: 0 * t])
def test_convex_functions_that_are_let_pass(f):
    """With a corner, beyond what numbers hold, and without any curve."""
    assert objectives.f_divergence(f, 2)


def test_a_convex_function_that_closes_over_what_is_differentiated(key):
    def bound(power):
        return objectives.f_divergence(lambda t: t**power - 1, 2)(key, model(1.0), guide(0.0))

    assert jax.grad(bound)(2.0) != 0


@pathwise
def test_a_discrete_choice_where_draws_are_differentiated(objective, key):
    @vipl.program
    def flip(observed=None):
        vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("b", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=observed) if observed is not None else None

    error = refusal(vipl.EstimatorError, objective, key, flip(1.0), flip())
    assert "site 'b' has Enumerate" in error.what
    assert "gradient=" in error.fix


@pathwise
@pytest.mark.parametrize(
    "estimator", [estimators.ScoreFunction(), estimators.MeasureValued(), estimators.Antithetic()], ids=repr
)
def test_another_estimator_where_draws_are_differentiated(objective, estimator, key):
    """Also of a copy: the requirement goes with it."""
    for copy in (objective.with_estimators({"x": estimator}), objective.with_estimators({"*": estimator})):
        error = refusal(vipl.EstimatorError, copy.with_num_samples(2), key, model(1.0), guide(0.0))
        assert f"{objective.__name__} differentiates through the draws alone, and site 'x' has" in error.what
    assert objective.with_num_samples(3).pathwise_only


@pathwise
def test_a_jump_where_draws_are_differentiated(objective, key):
    @vipl.program
    def jumping(y):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(jnp.where(x > 0, 1.0, 0.0), 1.0), obs=y)

    error = refusal(vipl.EstimatorError, objective, key, jumping(1.0), guide(0.0))
    assert "through a jump (gt at" in error.what


@pathwise
def test_a_guide_with_a_factor(objective, key):
    @vipl.program
    def weighted(loc):
        vipl.sample("x", dist.Normal(loc, 0.7))
        vipl.factor("w", -loc)

    error = refusal(vipl.EstimatorError, objective, key, model(1.0), weighted(0.0))
    assert "the guide has a factor, 'w'" in error.what


def test_forward_divergence_from_what_cannot_be_drawn_from(key):
    error = refusal(vipl.AddressError, objectives.forward_kl, key, model(1.0), guide(0.0))
    assert "the model has evidence at 'y'" in error.what

    @vipl.program
    def weighted():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.factor("w", -x)

    error = refusal(vipl.AddressError, objectives.forward_kl, key, weighted(), guide(0.0))
    assert "the model has evidence at 'w'" in error.what


def test_forward_divergence_to_a_narrower_guide(key):
    """The model's draws must be in the guide's support, not the other way round."""

    @vipl.program
    def positive(scale):
        vipl.sample("x", dist.HalfNormal(scale))

    assert jnp.isfinite(objectives.forward_kl(key, positive(1.0), guide(0.0)))
    error = refusal(vipl.SupportError, objectives.forward_kl, key, guide(0.0), positive(1.0))
    assert "'x'" in error.what
