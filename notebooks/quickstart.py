# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Quickstart
#
# From a first model to a posterior that you have checked. The question is from 1986: in 23 launches of the space
# shuttle, O-rings of the boosters came back damaged from seven. How does that depend on the temperature at the
# launch, and what was to be expected on the morning of the Challenger, at 31 °F?

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import guides

temperature = jnp.array(
    [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58], dtype=float
)
damaged = jnp.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])
print(f"{len(damaged)} launches at {temperature.min():.0f} to {temperature.max():.0f} °F, {damaged.sum()} with damage")

# %% [markdown]
# ## A program
#
# A model is a function under `@vipl.program`. Each `vipl.sample` draws a value and names it. `vipl.plate` says
# that the launches are independent given what is drawn outside. What has been seen is handed over with `obs=`;
# where that is None, the value is drawn instead, so that one program serves for the fit and for predictions.
#
# The chance of damage is logistic in the temperature: `level` is its log odds at 60 °F, `slope` their change for
# 10 °F more.


# %%
def log_odds(level, slope, temperature):
    return level + slope * (temperature - 60.0) / 10.0


@vipl.program
def o_rings(temperature, damaged=None):
    level = vipl.sample("level", dist.Normal(0.0, 2.0))
    slope = vipl.sample("slope", dist.Normal(0.0, 2.0))
    with vipl.plate("launch", len(temperature)):
        vipl.sample("damaged", dist.Bernoulli(logits=log_odds(level, slope, temperature)), obs=damaged)


made_up = vipl.simulate(o_rings(temperature), jax.random.key(2)).choices
print("one history of 23 launches, drawn from the prior:", made_up["damaged"])

# %% [markdown]
# ## A fit
#
# `vipl.infer` fits a guide, a family of distributions that are easy to draw from, to the posterior. Without a
# word about the guide it takes `guides.MeanField()`: a normal distribution for each latent value, independent of
# the others.

# %%
model = o_rings(temperature, damaged)
first = vipl.infer(model, key=jax.random.key(0), progress=False)
print(first)
assert first.verdict != "good"

# %% [markdown]
# ## Did it work?
#
# Training finished, and yet the verdict is not "good": this guide is not the posterior. Level and slope depend on
# each other in the posterior, which independent normal distributions cannot say; to be where both are likely, they
# are narrower than the posterior by a quarter. vipl weighs draws of the guide by the model to see that: `khat` says
# whether such weights can be trusted, and where it is below its threshold of 0.70 they correct means and spreads.
# With `guide="auto"`, vipl tries families that can do better, in turn, until one is good, and keeps the best.

# %%
posterior = vipl.infer(model, "auto", key=jax.random.key(0), progress=False)
for tried in posterior.candidates:
    print(f"{type(tried.guide).__name__:10} khat {tried.khat:.2f}, {tried.verdict}")
print(posterior.diagnose())
assert posterior.elbo > first.elbo + 0.2

# %% [markdown]
# The evidence lower bound is higher, and the last columns set the guide beside what its weights make of it: no mean
# is off by a tenth of a standard deviation, and no spread by a tenth. With so few launches the posterior is skewed,
# so it takes more than a normal distribution.

# %%
print(posterior.summary())

# %% [markdown]
# ## The posterior
#
# `posterior.sample` draws latent values, as a dict of arrays. The two guides side by side show what the first one
# missed.

# %%
draws = {
    f"MeanField(): {first.verdict}": first.sample(jax.random.key(1), 1000),
    f'"auto": {posterior.verdict}': posterior.sample(jax.random.key(1), 1000),
}
figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), sharex=True, sharey=True, layout="constrained")
for ax, (title, values) in zip(axes, draws.items(), strict=True):
    ax.plot(values["level"], values["slope"], ".", markersize=3, alpha=0.5)
    correlation = np.corrcoef(values["level"], values["slope"])[0, 1]
    ax.set(title=f"{title}\ncorrelation {correlation:.2f}", xlabel="level (log odds at 60 °F)")
axes[0].set_ylabel("slope (log odds for 10 °F)")
print(f"P(slope < 0) = {np.mean(values['slope'] < 0):.3f}")

# %% [markdown]
# Damage is less likely when it is warm, in nearly all draws.
#
# ## The predictive
#
# `posterior.predict` runs a program with latent values from the posterior: here the model at other temperatures,
# without data. The mean of the damage that it draws is the predicted chance. The band is that of the chance
# itself, which is a function of the draws.

# %%
grid = jnp.linspace(30.0, 85.0, 56)
predicted = posterior.predict(jax.random.key(2), o_rings(grid), num_samples=4000)["damaged"]
latent = posterior.sample(jax.random.key(2), 4000)
chance = jax.nn.sigmoid(log_odds(latent["level"][:, None], latent["slope"][:, None], grid))
low, high = jnp.quantile(chance, jnp.array([0.05, 0.95]), axis=0)

figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.fill_between(grid, low, high, alpha=0.3, linewidth=0, label="90 % of the posterior")
ax.plot(grid, predicted.mean(axis=0), label="predictive")
ax.plot(temperature, damaged, "k|", markersize=12, label="the 23 launches")
ax.axvline(31.0, color="tab:red", linestyle=":", label="31 °F")
ax.set(xlabel="temperature at launch (°F)", ylabel="chance of damage")
ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
print(f"at 31 °F: {predicted[:, 1].mean():.2f}; nine in ten draws between {low[1]:.2f} and {high[1]:.2f}")
assert predicted[:, 1].mean() > 0.9

# %% [markdown]
# ## Conditioning
#
# `obs=` is one way to say what is known. `vipl.condition` is the other: it fixes any site of any program from
# outside. Both are the same program:

# %%
choices = {"level": 0.0, "slope": -1.0}
outside = vipl.condition(o_rings(temperature), {"damaged": damaged})
print(vipl.log_density(model, choices), vipl.log_density(outside, choices))
assert vipl.log_density(model, choices) == vipl.log_density(outside, choices)

# %% [markdown]
# It also answers a question: what if temperature made no difference? Fix the slope at zero, as if it had been
# seen, and take its prior density out again. The evidence lower bounds are then about the log evidences of two
# models.

# %%
indifferent = vipl.infer(
    vipl.condition(model, {"slope": 0.0}), guides.FullRank(), key=jax.random.key(0), progress=False
)
prior_at_zero = dist.Normal(0.0, 2.0).log_prob(0.0)
without = indifferent.elbo - float(prior_at_zero)
print(f"log evidence: {posterior.elbo:.2f} nats with a slope, {without:.2f} without")
print(f"the data are {np.exp(posterior.elbo - without):.0f} times as likely with a slope")
assert posterior.elbo > without

# %% [markdown]
# ## From here
#
# - Which guide, what the options of `infer` are, and what every line of a diagnosis means: the pages on
#   [fitting](../docs/fitting.md), [guides](../docs/choosing-a-guide.md) and [whether it
#   worked](../docs/did-it-work.md).
# - How gradients pass through random choices: [choosing an estimator](choosing-an-estimator.py).
# - Another criterion than the evidence lower bound: [writing an objective](writing-an-objective.py).
