# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Did it work?
#
# A fit always gives an answer. This notebook goes through four ways to find out whether to believe it, from the
# cheapest to the most thorough: the verdict from the guide's own importance weights, the correction that they
# offer, an exact sampler on the same model, and simulated data of which the truth is known.
#
# The data are the eight schools of Rubin (1981): effects of coaching for a test, each with its standard error.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl import guides


@vipl.program
def eight_schools(sigma, y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu + tau * eta, sigma), obs=y)


sigma = jnp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
y = jnp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
posterior = vipl.infer(eight_schools(sigma, y), key=jax.random.key(0), progress=False)
print(posterior)

# %% [markdown]
# ## The verdict
#
# `status` is about the training, `verdict` about the guide. For the latter, draws of the guide are weighed by the
# density of the model over that of the guide. The tail of these weights is measured by k̂: below its threshold,
# the weights can be relied on; above it, neither the guide nor its weights can.

# %%
print(posterior.status, "|", posterior.verdict, "|", f"k̂ {posterior.khat:.2f}")
print(posterior.diagnose())
assert posterior.status == "finished"
assert posterior.verdict == "usable with corrected weights"

# %% [markdown]
# The verdict has a reason, and the reason a remedy. Here the independent normal distributions of the mean field
# do not have the long tail of `tau`.
#
# ## Correcting it
#
# `posterior.expectation` takes any function of a draw and corrects its mean by the weights, with a standard
# error.

# %%
corrected, error = posterior.expectation(lambda draw: draw["tau"])
guide_mean = posterior.sample(jax.random.key(1), 10_000)["tau"].mean()
print(f"mean of tau: guide {guide_mean:.2f}, corrected {corrected:.2f} ± {error:.2f}")
assert corrected > guide_mean + 3 * error

# %% [markdown]
# ## Against NUTS
#
# NUTS is an exact sampler: slower, but without a family of guides to be limited by. It runs on the same program.

# %%
checked = posterior.check_against_nuts(jax.random.key(2), num_warmup=200, num_samples=500, num_chains=2)
print(checked)
nuts = np.asarray(checked.draws["tau"]).ravel()
print(f"mean of tau: NUTS {nuts.mean():.2f}")
assert abs(nuts.mean() - corrected) < abs(nuts.mean() - guide_mean)

# %%
axes = posterior.plot_density(addresses=["mu", "tau"], reference=checked.draws)
for ax in axes:
    ax.set(xlabel="points of the test", ylabel="density")
print("dashed: NUTS")

# %% [markdown]
# The corrected densities are nearer to those of NUTS than the guide is. The remedy that lasts is a guide that
# fits better, or a better model; the weights save you from either while k̂ is low.
#
# ## A mode that the guide never visits
#
# Weights speak of where the guide draws, and of nothing else. Here only the distance from zero is seen, and the
# guide finds one of the two sides:


# %%
@vipl.program
def distance(y):
    x = vipl.sample("x", dist.Normal(0.0, 3.0))
    vipl.sample("y", dist.Normal(jnp.abs(x), 0.3), obs=y)


one_side = vipl.infer(distance(2.0), guides.FullRank(), key=jax.random.key(0), num_steps=2000, progress=False)
print(one_side)
assert one_side.khat < 0.7
assert one_side.verdict == "poor"

# %% [markdown]
# By k̂ alone this fit would have passed. The verdict is "poor" all the same, since vipl also sends paths from
# random points up the posterior, and some of them ended where the guide never draws.
#
# ## Simulation-based calibration
#
# The last way is about a model and a guide rather than one fit. `vipl.sbc` draws latent values from the prior,
# data from these, and fits each data set. Among draws of the fit, the value that made the data must have every
# rank equally often. Two values whose sum is seen are correlated in the posterior:


# %%
@vipl.program
def total(y):
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    b = vipl.sample("b", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(a + b, 0.3), obs=y)


options = {"num_simulations": 100, "optimizer": optax.adam(0.02), "num_steps": 300, "progress": False}
calibrations = {
    type(family).__name__: vipl.sbc(total(0.0), family, key=jax.random.key(0), **options)
    for family in (guides.FullRank(), guides.MeanField())
}
for calibration in calibrations.values():
    print(calibration)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
for ax, (name, calibration) in zip(axes, calibrations.items(), strict=True):
    ax.hist(calibration.ranks["a"], bins=10, range=(0, calibration.num_draws + 1), edgecolor="white")
    ax.axhline(10.0, color="black", linestyle=":", label="if all is right")
    ax.set(title=f"{name}()", xlabel="rank of a among 99 draws")
axes[0].set_ylabel("simulations")
axes[0].legend(frameon=False)
ends = {name: int(np.sum(np.abs(each.ranks["a"] - 49.5) > 39.5)) for name, each in calibrations.items()}
print("of 100 simulations, in the first or last bin:", ends)
assert ends["MeanField"] > 2 * ends["FullRank"]

# %% [markdown]
# Under the mean field the truth is too often beyond nearly all draws: the guide is too narrow. [The page of the
# same name](../docs/did-it-work.md) has what every line of a diagnosis means.
