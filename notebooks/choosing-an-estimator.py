# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Choosing an estimator
#
# Fitting a guide means climbing an expectation over random draws. The derivative of an expectation cannot be
# taken draw by draw without care: the draws themselves depend on the parameters. An estimator is a rule for that.
# All of the five below have the right gradient as their mean. They differ in how far a single one is from it, and
# in what it costs.
#
# The model is that of the [quickstart](quickstart.py): damage to O-rings against the temperature in 23 launches
# of the space shuttle.

# %%
import time
import warnings

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import vipl
import vipl.distributions as dist
from vipl import estimators

temperature = jnp.array(
    [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58], dtype=float
)
damaged = jnp.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])


@vipl.program
def o_rings(temperature, damaged):
    level = vipl.sample("level", dist.Normal(0.0, 2.0))
    slope = vipl.sample("slope", dist.Normal(0.0, 2.0))
    with vipl.plate("launch", len(temperature)):
        logits = level + slope * (temperature - 70.0) / 10.0
        vipl.sample("damaged", dist.Bernoulli(logits=logits), obs=damaged)


@vipl.program
def guide(params):
    for site in ("level", "slope"):
        vipl.sample(site, dist.Normal(params[site]["loc"], jnp.exp(params[site]["log_scale"])))


@vipl.expectation
def elbo(model, guide):
    trace = vipl.simulate(guide)
    return vipl.log_density(model, trace) - trace.log_density


params = {site: {"loc": 0.0, "log_scale": -1.0} for site in ("level", "slope")}
model = o_rings(temperature, damaged)
print(f"one estimate of the bound: {elbo(jax.random.key(0), model, guide(params)):.2f} nats")

# %% [markdown]
# ## The plan
#
# You have not said how to differentiate, so `Auto` picks. `explain` prints what it picked for each choice, and
# why. Nothing is drawn for that.

# %%
plan = elbo.explain(model, guide(params))
print(plan)
assert str(plan).count("Reparam()") == 2

# %% [markdown]
# ## Five estimators
#
# `with_estimators` takes a rule for each address, or for all that match. The objective, the model and the guide
# stay as they are. The first two need no derivative of the model's density:
#
# - `ScoreFunction()` multiplies the cost of a draw by the derivative of its log density;
# - with `"leave_one_out"` and four draws, it first subtracts the mean cost of the other three;
# - `MeasureValued()` takes differences of the cost between pairs of draws;
# - `Reparam()` moves the draw along with the parameters, and differentiates the cost there;
# - `Antithetic()` does so for a draw and its mirror image.

# %%
score = estimators.ScoreFunction()
five = {
    "ScoreFunction()": elbo.with_estimators({"*": score}),
    'ScoreFunction("leave_one_out"), 4 samples': elbo.with_estimators(
        {"*": estimators.ScoreFunction("leave_one_out")}
    ).with_num_samples(4),
    "MeasureValued()": elbo.with_estimators({"*": estimators.MeasureValued()}),
    "Reparam()": elbo.with_estimators({"*": estimators.Reparam()}),
    "Antithetic()": elbo.with_estimators({"*": estimators.Antithetic()}),
}


def gradients_of(objective, num_gradients=4000):
    """Return gradients in the four parameters, `(num_gradients, 4)`, and the microseconds that each of them took."""

    def one(key):
        gradient = jax.grad(lambda params: objective(key, model, guide(params)))(params)
        return jnp.stack(jax.tree.leaves(gradient))

    many = jax.jit(jax.vmap(one))
    keys = jax.random.split(jax.random.key(1), num_gradients)
    many(keys).block_until_ready()
    start = time.perf_counter()
    gradients = many(keys).block_until_ready()
    return gradients, (time.perf_counter() - start) / num_gradients * 1e6


measured = {name: gradients_of(objective) for name, objective in five.items()}
for name, (gradients, _) in measured.items():
    error = gradients.std(axis=0) / len(gradients) ** 0.5
    means = ", ".join(f"{mean:.2f} ± {se:.2f}" for mean, se in zip(gradients.mean(axis=0), error, strict=True))
    print(f"{name:42}", means)

# %% [markdown]
# Each row is the mean of 4000 gradients, with its standard error. The rows agree, as they must: here is the
# distance of each from the mean of `Reparam`, in standard errors. What differs is the error itself.

# %%
reference = measured["Reparam()"][0]
for name, (gradients, _) in measured.items():
    error = jnp.sqrt((gradients.var(axis=0) + reference.var(axis=0)) / len(gradients))
    apart = jnp.abs(gradients.mean(axis=0) - reference.mean(axis=0)) / error
    print(f"{name:42} at most {apart.max():.1f} standard errors apart")
    assert apart.max() < 4.5

# %% [markdown]
# ## Variance, and what it costs
#
# The left panel has the variance of one gradient, summed over the parameters. An estimator that evaluates the
# model more often is slower, so the right panel has variance times seconds: how long you would have to run for
# the same error, the plain score function being 1.

# %%
variance = {name: float(gradients.var(axis=0).sum()) for name, (gradients, _) in measured.items()}
work = {name: variance[name] * microseconds for name, (_, microseconds) in measured.items()}
relative = {name: value / work["ScoreFunction()"] for name, value in work.items()}

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
labels = ["variance of the gradient", "variance × time, relative"]
for ax, values, label in zip(axes, (variance, relative), labels, strict=True):
    bars = ax.barh(list(values), list(values.values()))
    ax.bar_label(bars, fmt="%.2g", padding=3)
    ax.set(xscale="log", xlabel=label, xlim=(min(values.values()) / 3, max(values.values()) * 20))
axes[0].set_ylabel("estimator")
axes[0].invert_yaxis()
print({name: f"{value:.3g}" for name, value in variance.items()})
assert variance["Antithetic()"] < variance["Reparam()"] < variance["ScoreFunction()"] / 10

# %% [markdown]
# The cost is smooth here, and both draws have a differentiable sampler. Then the pathwise estimators, `Reparam`
# and `Antithetic`, are the ones to take, and `Reparam` is what `Auto` took. The times are those of this machine:
# read the sizes, not the digits.
#
# ## Where the pathwise gradient is wrong
#
# Now ask how probable it is, under the guide, that damage at 31 °F is more likely than not. The answer is an
# expectation, too, of a comparison. Its derivative along the draw is zero wherever it exists, so `Reparam` would
# say that nothing depends on the parameters. vipl sees the jump. Ask for `Reparam` all the same, and it warns:


# %%
@vipl.expectation
def likely_at_31(guide):
    choices = vipl.simulate(guide).choices
    logits = choices["level"] + choices["slope"] * (31.0 - 70.0) / 10.0
    return jnp.where(logits > 0.0, 1.0, 0.0)


def slope_gradient(objective):
    """Return the mean and standard error of the derivative in the location of the slope."""
    one = lambda key: jax.grad(lambda params: objective(key, guide(params)))(params)["slope"]["loc"]  # noqa: E731
    gradients = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(2), 4000))
    return float(gradients.mean()), float(gradients.std() / 4000**0.5)


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    biased = slope_gradient(likely_at_31.with_estimators({"*": estimators.Reparam()}))
print(caught[0].category.__name__ + ":", str(caught[0].message).split("\n")[0])
print("Reparam:", biased)
assert issubclass(caught[0].category, vipl.BiasWarning)
assert biased == (0.0, 0.0)

# %% [markdown]
# `Auto` goes another way by itself, and `explain` says so. The answer is known: `logits` is normal, so the
# derivative is a normal density.

# %%
print(likely_at_31.explain(guide(params)))
mean, error = slope_gradient(likely_at_31)
scale = jnp.exp(-1.0) * jnp.sqrt(1.0 + 3.9**2)
exact = float(-3.9 * jnp.exp(dist.Normal(0.0, scale).log_prob(0.0)))
print(f"Auto: {mean:.2f} ± {error:.2f}; exact: {exact:.2f}")
assert abs(mean - exact) < 4.5 * error < 0.3

# %% [markdown]
# ## The audit
#
# You need not write such comparisons yourself. `vipl.audit` draws gradients of an objective, says which choice
# its variance is due to, checks for bias, tries alternatives, and recommends what has the least variance in the
# same time. Here it looks at the bound under the plain score function. `argnums=1` says that derivatives are
# taken in the guide.

# %%
plain = five["ScoreFunction()"]
result = vipl.audit(plain, model, guide(params), argnums=1, key=jax.random.key(3), addresses="slope")
print(result)
print(result.recommendations)

# %% [markdown]
# About half of the variance is due to the slope. A bias is "not shown": these gradients are so noisy that a large
# one could hide in them, and the audit says how many draws would tell. The recommendations go straight into
# `with_estimators`.

# %%
better, _ = gradients_of(plain.with_estimators(result.recommendations))
print(f"variance {variance['ScoreFunction()']:.0f} before, {better.var(axis=0).sum():.0f} after")
assert set(result.recommendations) == {"slope"}
assert better.var(axis=0).sum() < 0.7 * variance["ScoreFunction()"]

# %% [markdown]
# The rest is due to the level, which still has the score function. Another choice or another cost may want
# another estimator: [the page on choosing an estimator](../docs/choosing-an-estimator.md) has first tries for
# every kind of choice.
