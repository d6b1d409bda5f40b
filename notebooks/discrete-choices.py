# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Discrete choices: a mixture and a hidden Markov chain
#
# A coin or a category has no derivative. There are two ways on: sum over its values, which is exact and costs an
# evaluation for each, or draw one and weigh it by its score, which is cheap and noisy. This notebook has both, in a
# guide, in a mixture and in a chain, and measures the difference.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import estimators, guides, objectives

random = np.random.default_rng(0)
y = np.concatenate([random.normal(-2.0, 1.0, 30), random.normal(1.5, 1.0, 20)]).astype(np.float32)
print(np.sort(y).round(1))

# %% [markdown]
# ## A mixture
#
# Each datum comes from one of two clusters, and which is latent. The guide has a probability for each datum. The prior
# says which cluster is the left one: without that there would be two modes, and one normal guide would be at one.


# %%
@vipl.program
def mixture(y):
    centers = vipl.sample("centers", dist.Normal(jnp.array([-1.5, 1.5]), 0.7).to_event(1))
    share = vipl.sample("share", dist.Beta(2.0, 2.0))
    with vipl.plate("datum", len(y)):
        cluster = vipl.sample("cluster", dist.Bernoulli(share))
        vipl.sample("y", dist.Normal(centers[cluster], 1.0), obs=y)


model = mixture(y)
posterior = vipl.infer(model, key=jax.random.key(0), num_steps=4000, progress=False)
print(posterior.objective.explain(model, posterior.guide))

# %% [markdown]
# The plan says what vipl does where you say nothing: `cluster` is enumerated, element by element, since its
# elements are independent given the rest: two evaluations for all of them, and not 2⁵⁰. Now the same objective with the
# score function for `cluster`, and the gradient of both for many keys, where all clusters are still undecided.


# %%
def gradients(objective, count=1000):
    undecided = posterior.guide.params | {"cluster.logits": jnp.zeros(len(y))}
    gradient = jax.grad(lambda params, key: objective(key, model, posterior.guide.replace(params=params)))
    keys = jax.random.split(jax.random.key(1), count)
    found = jax.jit(jax.vmap(gradient, in_axes=(None, 0)))(undecided, keys)
    return np.asarray(found["cluster.logits"])


ways = {
    "Enumerate": objectives.elbo,
    "ScoreFunction": objectives.elbo.with_estimators({"cluster": estimators.ScoreFunction()}),
}
found = {name: gradients(objective) for name, objective in ways.items()}
figure, ax = plt.subplots(figsize=(6, 3.2))
for name, values in found.items():
    ax.semilogy(np.arange(len(y)), values.std(0), "o", label=name, markersize=3)
ax.set_xlabel("datum")
ax.set_ylabel("sd of its gradient")
ax.legend()
figure.tight_layout()
plt.show()
means, errors = ([v.mean(0) for v in found.values()], [v.std(0) / len(v) ** 0.5 for v in found.values()])
assert np.all(np.abs(means[0] - means[1]) < 4.5 * np.hypot(*errors) + 1e-6)
print(f"variance, score over enumerated: {np.median(found['ScoreFunction'].var(0) / found['Enumerate'].var(0)):.0f}")

# %% [markdown]
# ## Summed out of the model
#
# Better still, `cluster` need not be in the guide at all. `vipl.marginal` makes a model without it, whose density is
# the sum.

# %%
summed = vipl.marginal(model, ["centers", "share"], vipl.Exact())
exact = vipl.infer(summed, guides.FullRank(), key=jax.random.key(0), num_steps=2000, progress=False)
print(exact.summary())
print(f"elbo {exact.elbo:.2f}, with clusters in the guide {posterior.elbo:.2f}; verdict {exact.verdict}")
assert exact.elbo > posterior.elbo
assert exact.verdict == "good"

# %% [markdown]
# ## A hidden Markov chain
#
# The weather is dry or wet and stays so for a while; each day there is a measurement. The chain is a `jax.lax.scan`.
# Summed out, it is the forward algorithm: the cost grows with the number of days, and not with the number of
# weathers that there might have been, 2²⁰⁰.

# %%
DAYS = 200
weather = np.cumsum(random.uniform(size=DAYS) < 0.1) % 2
measured = np.where(weather == 1, 1.0, -1.0).astype(np.float32) + random.normal(size=DAYS).astype(np.float32)


@vipl.program
def chain(measured):
    change = vipl.sample("change", dist.Beta(1.0, 4.0))
    level = vipl.sample("level", dist.HalfNormal(2.0))

    def day(before, y):
        wet = vipl.sample("wet", dist.Bernoulli(jnp.where(before == 1, 1.0 - change, change)))
        vipl.sample("y", dist.Normal(jnp.where(wet == 1, level, -level), 1.0), obs=y)
        return wet, None

    jax.lax.scan(day, 0, measured)


without_weather = vipl.marginal(chain(measured), ["change", "level"], vipl.Exact())
fit = vipl.infer(without_weather, guides.FullRank(), key=jax.random.key(0), num_steps=2000, progress=False)
print(fit)
print(fit.summary())
assert fit.verdict == "good"

# %% [markdown]
# `vipl.normalize` is the other side of the same sum: the posterior of the weather, given a change and a level, as a
# program that is drawn from exactly, by backward sampling.

# %%
typical = {name: values.mean() for name, values in fit.sample(jax.random.key(1), 1000).items()}
days = vipl.normalize(chain(measured) | typical, vipl.Exact())
keys = jax.random.split(jax.random.key(2), 500)
wet = jax.jit(jax.vmap(lambda key: vipl.simulate(days, key)["wet"]))(keys).mean(0)
figure, ax = plt.subplots(figsize=(8, 2.8))
ax.plot(measured, ".", color="grey", label="measured")
ax.step(np.arange(DAYS), weather, where="mid", label="truth", linewidth=1)
ax.plot(wet, label="probability of wet")
ax.set_xlabel("day")
ax.set_ylabel("weather")
ax.legend(ncols=3, loc="lower left")
figure.tight_layout()
plt.show()
right = float(np.mean((wet > 0.5) == weather))
alone = float(np.mean((measured > 0) == weather))
print(f"days that are told rightly: {right:.0%}; from the day's own measurement {alone:.0%}")
assert right > 0.85
