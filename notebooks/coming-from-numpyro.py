# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Coming from NumPyro
#
# vipl has NumPyro's distributions and most of its words, so a model is quickly carried over. This notebook does
# it for one model, checks that both have the same density, and fits both.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpyro
import optax
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoMultivariateNormal
from numpyro.infer.util import log_density

import vipl
import vipl.distributions as dist
from vipl import guides, objectives

temperature = jnp.array(
    [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58], dtype=float
)
damaged = jnp.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])
warmth = (temperature - 70.0) / 10.0
print(f"vipl {vipl.__version__}, NumPyro {numpyro.__version__}")

# %% [markdown]
# ## One model, twice
#
# A decorator, and another module name. The distributions are those of NumPyro.


# %%
def numpyro_model(warmth, damaged=None):
    level = numpyro.sample("level", numpyro.distributions.Normal(0.0, 2.0))
    slope = numpyro.sample("slope", numpyro.distributions.Normal(0.0, 2.0))
    with numpyro.plate("launch", len(warmth)):
        logits = level + slope * warmth
        numpyro.sample("damaged", numpyro.distributions.Bernoulli(logits=logits), obs=damaged)


@vipl.program
def vipl_model(warmth, damaged=None):
    level = vipl.sample("level", dist.Normal(0.0, 2.0))
    slope = vipl.sample("slope", dist.Normal(0.0, 2.0))
    with vipl.plate("launch", len(warmth)):
        logits = level + slope * warmth
        vipl.sample("damaged", dist.Bernoulli(logits=logits), obs=damaged)


choices = {"level": -1.0, "slope": -2.0}
theirs, _ = log_density(numpyro_model, (warmth, damaged), {}, choices)
ours = vipl.log_density(vipl_model(warmth, damaged), choices)
print(f"log density: NumPyro {theirs:.5f}, vipl {ours:.5f}")
assert jnp.isclose(theirs, ours)

# %% [markdown]
# What differs: a program is called with its data first, and the call makes no draw. `vipl_model(warmth, damaged)`
# is a value, which is handed to `infer`, `simulate`, `log_density`, `condition`. Keys are arguments, and there
# are no handlers around a model, nor a store of parameters.
#
# ## One fit, twice

# %%
guide = AutoMultivariateNormal(numpyro_model)
svi = SVI(numpyro_model, guide, optax.adam(optax.cosine_decay_schedule(0.02, 3000)), Trace_ELBO())
fit = svi.run(jax.random.key(0), 3000, warmth, damaged, progress_bar=False)
numpyro_draws = guide.sample_posterior(jax.random.key(1), fit.params, sample_shape=(4000,))

posterior = vipl.infer(vipl_model(warmth, damaged), guides.FullRank(), key=jax.random.key(0), progress=False)
draws = posterior.sample(jax.random.key(1), 4000)
for site in ("level", "slope"):
    there, here = numpyro_draws[site], draws[site]
    print(f"{site}: NumPyro {there.mean():.2f} ± {there.std():.2f}, vipl {here.mean():.2f} ± {here.std():.2f}")
    assert abs(there.mean() - here.mean()) < 0.15 * here.std()

# %% [markdown]
# No optimiser, no rate and no schedule is needed for `vipl.infer`, though it takes any of optax. What it returns
# says how well it worked. The posterior of so few launches has a longer tail on one side than a normal has, and k̂
# tells: how far it is from its threshold changes with the key, the tail does not. A flow comes closer.

# %%
print(posterior)
flow = vipl.infer(vipl_model(warmth, damaged), guides.Flow(), key=jax.random.key(0), progress=False)
print(f"elbo of a flow {flow.elbo:.3f}, of the normal {posterior.elbo:.3f}")
assert flow.elbo > posterior.elbo

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for ax, site in zip(axes, ("level", "slope"), strict=True):
    for name, of in (("NumPyro, AutoMultivariateNormal", numpyro_draws), ("vipl, FullRank", draws)):
        ax.hist(of[site], bins=40, density=True, histtype="step", label=name)
    ax.set(xlabel=site, ylabel="density")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
print("4000 draws of each")

# %% [markdown]
# ## Word for word
#
# [Tables of idioms](../docs/coming-from.md), for NumPyro and others, are a page of their own. The rows for this
# model, at work:
#
# | NumPyro | vipl |
# |---|---|
# | `trace(seed(model, key)).get_trace(x)` | `vipl.simulate(model(x), key)` |
# | `condition(model, data)(x)` | `vipl.condition(model(x), data)` |
# | `Predictive(model, posterior_samples)(key, x)` | `posterior.predict(key, model(x))` |
# | `RenyiELBO(alpha, num_particles)` | `objectives.renyi(alpha, num_particles)` |

# %%
model = vipl_model(warmth, damaged)
trace = vipl.simulate(vipl_model(warmth), jax.random.key(2))
print("simulate:", sorted(trace.choices))
print("condition:", vipl.log_density(vipl.condition(vipl_model(warmth), {"damaged": damaged}), choices))
print("predict:", posterior.predict(jax.random.key(3), vipl_model(jnp.array([-3.9])))["damaged"].mean())
print("renyi:", jax.jit(objectives.renyi(0.5, 8))(jax.random.key(4), model, posterior.guide))
assert vipl.log_density(vipl.condition(vipl_model(warmth), {"damaged": damaged}), choices) == ours

# %% [markdown]
# ## As it stands
#
# A NumPyro model need not be rewritten at all: `vipl.from_numpyro` makes a program of it.

# %%
as_it_stands = vipl.from_numpyro(numpyro_model)(warmth, damaged)
print(f"log density: {vipl.log_density(as_it_stands, choices):.5f}")
refit = vipl.infer(as_it_stands, guides.FullRank(), key=jax.random.key(0), progress=False)
print(refit)
assert jnp.isclose(vipl.log_density(as_it_stands, choices), theirs)
assert abs(refit.elbo - posterior.elbo) < 0.05

# %% [markdown]
# Objectives and estimators that you write yourself are where vipl goes further: see [writing an
# objective](writing-an-objective.py) and [choosing an estimator](choosing-an-estimator.py).
