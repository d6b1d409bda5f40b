"""What marginals and posteriors refuse, by name: what is wrong, where, and the fix."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(0)
SERIES = jnp.array([0.1, 0.2, 0.3])


@vipl.program
def base(y=None):
    u = vipl.sample("u", dist.Normal(0.0, 1.0))
    x = vipl.sample("x", dist.Normal(u, 1.0))
    if y is not None:
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def proposes(**sites):
    for address, distribution in sites.items():
        vipl.sample(address, distribution)


@vipl.program
def walk(y, times=1):
    for i in range(times):

        def step(x, y, i=i):
            x = vipl.sample(f"x{i}", dist.Normal(x, 1.0))
            vipl.sample(f"y{i}", dist.Normal(x, 1.0), obs=y)
            return x, None

        lax.scan(step, 0.0, y)


@vipl.program
def steps(length=3, reverse=False):
    lax.scan(
        lambda c, _: (c + vipl.sample("x0", dist.Normal(0.0, 1.0)), None), 0.0, None, length=length, reverse=reverse
    )


def refusal(kind, function):
    with pytest.raises(vipl.VIPLError) as caught:
        function()
    assert type(caught.value) is kind, caught.value
    assert caught.value.fix
    assert __file__ in str(caught.value.where), caught.value.where
    return caught.value


def check(kind, function, what, fix):
    error = refusal(kind, function)
    assert re.search(what, error.what), error.what
    assert fix in error.fix, error.fix


NORMAL = dist.Normal(0.0, 1.0)


def proposed(proposal):
    return lambda: marginal(base(), ["x"], Importance(proposal, num_particles=3))


@vipl.program
def twice():
    vipl.sample("u", NORMAL)
    vipl.sample("u", NORMAL)


@vipl.program
def observing():
    vipl.sample("u", NORMAL)
    vipl.sample("o", NORMAL, obs=1.0)


@vipl.program
def weighted():
    vipl.sample("u", NORMAL)
    vipl.factor("o", 1.0)


@vipl.program
def subsampled(y):
    m = vipl.sample("m", NORMAL)
    u = vipl.sample("u", NORMAL)
    with vipl.plate("data", 10, subsample_size=2) as i:
        vipl.sample("y", dist.Normal(m + u, 1.0), obs=y[i])


@vipl.program
def looping():
    vipl.sample("x", NORMAL)
    lax.while_loop(lambda c: c < 1.0, lambda c: c + vipl.sample("s", dist.HalfNormal(1.0)), 0.0)


@vipl.program
def in_a_plate():
    with vipl.plate("n", 3):
        vipl.sample("m", marginal(base(), ["x"]))


@vipl.program
def under_jax_vmap():
    jax.vmap(lambda y: vipl.sample("m", marginal(base(y), ["x"])))(jnp.arange(3.0))


@vipl.program
def lanes_alike():
    jax.vmap(lambda _: vipl.sample("m", marginal(base(), ["x"])), axis_size=3)(jnp.arange(3.0))


MADE = {
    "keeps what is not there": (
        vipl.AddressError,
        lambda: marginal(base(), ["z"]),
        "base has no latent site 'z'. Known: 'u', 'x'",
        "'u', 'x'",
    ),
    "keeps what is misspelt": (
        vipl.AddressError,
        lambda: marginal(base(), ["x", "uu"]),
        "no latent site 'uu'. Did you mean 'u'",
        "'u', 'x'",
    ),
    "keeps what is observed": (vipl.AddressError, lambda: marginal(base(1.0), ["y"]), "observes 'y'", "'u', 'x'"),
    "keeps a number": (vipl.AddressError, lambda: marginal(base(), [3]), "no latent site 3", "'u', 'x'"),
    "keeps None": (vipl.AddressError, lambda: marginal(base(), None), "None", "'u', 'x'"),
    "proposal misses": (vipl.AddressError, proposed(proposes()), "misses 'u'", "vipl.sample('u', …)"),
    "proposal misspells": (
        vipl.AddressError,
        proposed(proposes(uu=NORMAL)),
        "'uu', which vipl.marginal does not ask of it. Did you mean 'u'",
        "'u'",
    ),
    "proposal adds": (vipl.AddressError, proposed(proposes(u=NORMAL, w=NORMAL)), "samples 'w'", "'u'"),
    "proposal has what is kept": (vipl.AddressError, proposed(proposes(u=NORMAL, x=NORMAL)), "samples 'x'", "'u'"),
    "proposal repeats": (vipl.AddressError, proposed(twice()), "'u' twice", "one site"),
    "proposal of another shape": (
        vipl.ShapeError,
        proposed(proposes(u=NORMAL.expand([2]).to_event(1))),
        r"'u' has shape \(2,\) in the proposal .* and \(\)",
        "shape ()",
    ),
    "proposal on a part of the support": (
        vipl.SupportError,
        proposed(proposes(u=dist.HalfNormal(1.0))),
        "'u' is drawn from positive reals .* does not cover reals",
        "same support",
    ),
    "discrete proposal": (vipl.SupportError, proposed(proposes(u=dist.Bernoulli(0.5))), "'u' is drawn from 0 or 1", ""),
    "proposal observes": (vipl.DensityError, proposed(observing()), "observes 'o'", "remove"),
    "proposal has a factor": (vipl.DensityError, proposed(weighted()), "'o'", "remove"),
    "proposal is a number": (vipl.ProgramError, proposed(3), "as proposal, .* got int", "Importance(proposal(…)"),
    "proposal is a function of nothing good": (vipl.ProgramError, proposed(lambda kept: 3), "got int", "proposal"),
    "proposal is not called": (vipl.ProgramError, proposed(twice), "proposal", "proposal(…)"),
    "proposal asks for what is not kept": (
        vipl.AddressError,
        proposed(lambda kept: proposes(u=dist.Normal(kept["q"], 1.0))),
        "'q'",
        "'x'",
    ),
    "proposal of a posterior misses": (
        vipl.AddressError,
        lambda: normalize(base(1.0), Importance(proposes(u=NORMAL))),
        "misses 'x'",
        "'u', 'x'",
    ),
    "marginal of a function": (vipl.ProgramError, lambda: marginal(base, ["x"]), "got base", "vipl.marginal(base(…)"),
    "posterior of a function": (vipl.ProgramError, lambda: normalize(base, Importance()), "got base", "base(…)"),
    "marginal by a number": (vipl.ParameterError, lambda: marginal(base(), ["x"], 3), "int", "vipl.Importance("),
    "marginal by a class": (
        vipl.ParameterError,
        lambda: marginal(base(), ["x"], Importance),
        "Importance",
        "vipl.Importance(",
    ),
    "posterior by nothing": (vipl.ParameterError, lambda: normalize(base(1.0), None), "None", "vipl.Importance("),
    "posterior without observations": (
        vipl.DensityError,
        lambda: normalize(base(), Importance()),
        "base observes nothing",
        'program | {"y": data}',
    ),
    "posterior without latents": (
        vipl.AddressError,
        lambda: normalize(base(1.0) | {"u": 0.0, "x": 1.0}, Importance()),
        "no latent site",
        "draws something",
    ),
    "subsampled marginal": (
        vipl.DensityError,
        lambda: marginal(subsampled(jnp.zeros(10)), ["m"]),
        "plate 'data' is subsampled",
        "subsample_size",
    ),
    "subsampled posterior": (
        vipl.DensityError,
        lambda: normalize(subsampled(jnp.zeros(10)), Importance()),
        "plate 'data' is subsampled",
        "subsample_size",
    ),
    "while_loop": (vipl.DensityError, lambda: marginal(looping(), ["x"]), "'s' is inside a while_loop", "scan"),
    "inside a plate": (vipl.ShapeError, lambda: vipl.simulate(in_a_plate(), KEY), "plate 'n'", "vipl.vmap("),
    "under jax.vmap": (vipl.ProgramError, lambda: vipl.simulate(under_jax_vmap(), KEY), "jax.vmap", "vipl.vmap("),
    "under jax.vmap, all alike": (
        vipl.ProgramError,
        lambda: vipl.simulate(lanes_alike(), KEY),
        "jax.vmap",
        "vipl.vmap(",
    ),
    "SMC without scan": (
        vipl.ProgramError,
        lambda: normalize(base(1.0), SMC(3)),
        "one jax.lax.scan .* got one with 0",
        "vipl.Importance(",
    ),
    "SMC with two scans": (
        vipl.ProgramError,
        lambda: normalize(walk(SERIES, 2), SMC(3)),
        "one jax.lax.scan .* got one with 2",
        "one scan",
    ),
    "SMC of a scan that is kept": (
        vipl.ProgramError,
        lambda: marginal(walk(SERIES), ["x0"], SMC(3)),
        "got one with 0",
        "vipl.Importance(",
    ),
    "SMC with a proposal of other length": (
        vipl.ShapeError,
        lambda: normalize(walk(SERIES), SMC(3, steps(2))),
        r"'x0' has shape \(2,\) in the proposal",
        "shape (3,)",
    ),
    "SMC with a proposal that runs backwards": (
        vipl.ProgramError,
        lambda: vipl.simulate(normalize(walk(SERIES), SMC(3, steps(reverse=True))), KEY),
        "opposite directions",
        "program's scan",
    ),
    "SMC with a proposal without scan": (
        vipl.ProgramError,
        lambda: vipl.simulate(normalize(walk(SERIES), SMC(3, proposes(x0=NORMAL.expand([3])))), KEY),
        "the proposal of vipl.SMC .* got one with 0",
        "",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_what_cannot_be_made(name):
    check(*MADE[name])


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


ON_X = marginal(base(), ["x"])
POSTERIOR = normalize(base(1.0), Importance())
ESTIMATES = {"marginal": (ON_X, {"x": 1.0}), "posterior": (POSTERIOR, {"u": 0.0, "x": 1.0})}
ESTIMATES["filter"] = (normalize(walk(SERIES), SMC(3)), {"x0": SERIES})
estimates = pytest.mark.parametrize(("program", "choices"), ESTIMATES.values(), ids=ESTIMATES)


@estimates
def test_randomness(program, choices):
    check(
        vipl.RandomnessError, lambda: vipl.log_density(program, choices), "an estimate that draws", "inside vipl.expect"
    )
    inside = vipl.expectation(lambda: vipl.log_density(program, choices, KEY))
    check(vipl.RandomnessError, lambda: inside(KEY), "takes no key: the expectation", "log_density(program, choices)")
    check(vipl.RandomnessError, lambda: vipl.log_density(program, choices, 3), "needs a key and got int", "key(0)")
    check(vipl.RandomnessError, lambda: vipl.simulate(program), "needs a key", "jax.random.key(0)")
    assert np.isfinite(vipl.expectation(lambda: vipl.log_density(program, choices))(KEY))


@pytest.mark.parametrize("program", [base(), marginal(base(), ["u", "x"])], ids=["plain", "nothing integrated out"])
def test_a_key_where_the_density_is_exact(program):
    choices = {"u": 0.0, "x": 1.0}
    check(vipl.RandomnessError, lambda: vipl.log_density(program, choices, KEY), "takes no key", "choices)")
    np.testing.assert_allclose(vipl.log_density(program, choices), -0.5 - np.log(2 * np.pi), rtol=1e-6)


@estimates
def test_interventions(program, choices):
    address = list(choices)[-1]
    changed = vipl.do(program, {address: choices[address]})
    check(vipl.ProgramError, lambda: vipl.simulate(changed, KEY), f"vipl.do sets '{address}'", "intervene first")
    rest = {name: value for name, value in choices.items() if name != address}
    check(vipl.ProgramError, lambda: vipl.log_density(changed, rest, KEY), f"sets '{address}'", "intervene first")


def test_addresses_of_a_marginal():
    check(vipl.AddressError, lambda: vipl.log_density(ON_X, {"x": 1.0, "u": 0.0}, KEY), "no latent site 'u'", "")
    check(vipl.AddressError, lambda: vipl.log_density(ON_X, {}, KEY), "no value for the latent site 'x'", "")
    check(vipl.AddressError, lambda: vipl.simulate(ON_X | {"u": 0.0}, KEY), "'u'", "")


def test_a_posterior_observed_afterwards():
    check(vipl.DensityError, lambda: vipl.simulate(POSTERIOR | {"u": 0.0}, KEY), "'u' is observed", "observe first")
    smoothed = normalize(measured(SERIES), SMC(3)) | {"x": SERIES}
    check(vipl.DensityError, lambda: vipl.simulate(smoothed, KEY), "'x' is observed", "observe first")


@vipl.program
def measured(y, emit=None):
    def step(x, y):
        x = vipl.sample("x", dist.Normal(x, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        vipl.sample("z", dist.Normal(x, 1.0))
        return x, None

    lax.scan(step, 0.0, y)


@pytest.mark.parametrize(
    "program",
    [
        marginal(base(1.0), ["u"]),
        marginal(base(1.0), ["u"], Importance(proposes(x=NORMAL), num_particles=1)),
        marginal(base(), ["u", "x"]) | {"x": 1.0},
        marginal(measured(SERIES), ["z"], SMC(3)),
    ],
    ids=["inside", "one particle", "conditioned", "filter"],
)
def test_a_draw_that_was_made_without_regard_to_the_data(program):
    trace = vipl.simulate(program, KEY)
    check(vipl.DensityError, lambda: trace.log_density, "without regard to what is observed", "vipl.normalize(program")


# Where nothing has a weight.


@vipl.program
def impossible(theta):
    x = vipl.sample("x", dist.Normal(theta, 1.0))
    vipl.factor("f", jnp.where(x > 1e6, theta * x, -jnp.inf))


@vipl.program
def proposal(theta):
    vipl.sample("x", dist.Normal(theta, 1.0))


@vipl.program
def impossible_walk(theta, at):
    """No particle survives the step `at`."""

    def step(x, t):
        x = vipl.sample("x", dist.Normal(theta + x, 1.0))
        vipl.factor("f", jnp.where(jnp.logical_or(x > 1e6, t != at), theta * x, -jnp.inf))
        return x, None

    lax.scan(step, 0.0, jnp.arange(3))


@vipl.program
def walking(theta):
    lax.scan(lambda x, _: (vipl.sample("x", dist.Normal(theta + x, 1.0)), None), 0.0, None, length=3)


def _by_importance(count, own):
    return lambda theta: Importance(None if own else proposal(theta), num_particles=count)


def _by_filter(count, own, **options):
    return lambda theta: SMC(count, None if own else walking(theta), **options)


PATH = jnp.array([0.1, 0.2, 0.3])
HOPELESS = {
    **{
        f"Importance of {count}{'' if own else ', proposed'}": (impossible, _by_importance(count, own), 0.3)
        for count in (1, 3)
        for own in (True, False)
    },
    **{
        f"{scheme} at {at}{', adaptive' if threshold else ''}": (
            lambda theta, at=at: impossible_walk(theta, at),
            _by_filter(3, True, resampling=scheme, threshold=threshold),
            PATH,
        )
        for scheme, at, threshold in [
            ("multinomial", 1, None),
            ("stratified", 0, None),
            ("systematic", 2, 0.7),
            ("multinomial", 0, 0.7),
        ]
    },
    "filter of one": (lambda theta: impossible_walk(theta, 1), _by_filter(1, True), PATH),
    "filter, proposed": (lambda theta: impossible_walk(theta, 1), _by_filter(3, False), PATH),
}
hopeless = pytest.mark.parametrize(("model", "inference", "value"), HOPELESS.values(), ids=HOPELESS)


def value_and_grad(function):
    return jax.jit(jax.value_and_grad(function))(0.2)


@hopeless
def test_all_weights_zero(model, inference, value):
    """Densities are −inf, or finite, with finite derivatives; the evidence is zero; the bound −inf."""

    def evidence(theta):
        return vipl.log_density(marginal(model(theta), [], inference(theta)), {}, KEY)

    density, slope = value_and_grad(evidence)
    assert density == -jnp.inf
    assert np.isfinite(slope)

    def posterior(theta):
        return normalize(model(theta), inference(theta))

    for function in (
        lambda theta: vipl.log_density(posterior(theta), {"x": value}, KEY),
        lambda theta: vipl.simulate(posterior(theta), KEY).log_density,
    ):
        density, slope = value_and_grad(function)
        assert density < jnp.inf
        assert np.isfinite(slope)
    draw = vipl.simulate(posterior(0.2), KEY)["x"]
    assert np.isfinite(draw).all()
    assert objectives.elbo(KEY, model(0.2), posterior(0.2)) == -jnp.inf


@vipl.program
def narrow(theta):
    """About half of all particles have no weight."""

    def step(x, _):
        x = vipl.sample("x", dist.Normal(theta + x, 1.0))
        vipl.factor("f", jnp.where(x > 0.3, theta * x, -jnp.inf))
        return x, None

    lax.scan(step, 0.0, None, length=3)


INFERENCES = {
    "Importance": Importance(num_particles=6),
    **{scheme: SMC(6, resampling=scheme) for scheme in ("multinomial", "stratified", "systematic")},
    "adaptive": SMC(6, resampling="systematic", threshold=0.6),
}


@pytest.mark.parametrize("name", INFERENCES)
def test_some_weights_zero(name):
    """What is finite has a finite derivative, and nothing is NaN; every draw of a filter that lives is possible."""
    inference, keys = INFERENCES[name], jax.random.split(KEY, 300)

    def given(key, theta):
        return vipl.log_density(normalize(narrow(theta), inference), {"x": 0.4 + PATH}, key)

    def drawn(key, theta):
        return vipl.simulate(normalize(narrow(theta), inference), key).log_density

    def evidence(key, theta):
        return vipl.log_density(marginal(narrow(theta), [], inference), {}, key)

    def bound(key, theta):
        return objectives.elbo(key, narrow(theta), normalize(narrow(theta), inference))

    for function in (given, drawn, evidence, bound):
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=1), (0, None)))(keys, 0.2)
        assert not np.isnan(values).any(), function
        assert np.isfinite(slopes[np.isfinite(values)]).all(), function
        assert np.isfinite(values).mean() > 0.5, function
        if function is not bound:
            assert not np.isnan(slopes).any(), function


def test_a_value_beyond_the_support():
    @vipl.program
    def band():
        u = vipl.sample("u", dist.Uniform(0.0, 1.0))
        vipl.sample("x", dist.Uniform(u, u + 1.0))

    on_x = marginal(band(), ["x"], Importance(num_particles=3))
    density, slope = jax.value_and_grad(lambda x: vipl.log_density(on_x, {"x": x}, KEY))(5.0)
    assert density == -jnp.inf
    assert slope == 0


@vipl.program
def guide():
    theta = vipl.param("theta", 0.3)
    vipl.sample("x", dist.Normal(theta, 1.0))


@vipl.program
def guide_walk():
    theta = vipl.param("theta", 0.3)
    lax.scan(lambda x, _: (vipl.sample("x", dist.Normal(theta + x, 1.0)), None), 0.0, None, length=3)


FITS = {
    "Importance": (impossible(0.2), Importance(guide(), num_particles=3)),
    "SMC": (impossible_walk(0.2, 1), SMC(3, guide_walk())),
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_names_the_term_that_is_impossible(name):
    model, inference = FITS[name]
    with pytest.raises(vipl.NonFiniteError, match="-inf at step 0: the log_prob of model site 'f'") as caught:
        vipl.infer(model, normalize(model, inference), key=KEY, num_steps=5, progress=False)
    assert __file__ in str(caught.value.where)


def test_a_guide_that_observes_is_no_guide():
    check(
        vipl.AddressError,
        lambda: objectives.elbo(KEY, base(1.0), marginal(base(1.0), ["u", "x"])),
        "the guide observes 'y'",
        "remove obs=",
    )
