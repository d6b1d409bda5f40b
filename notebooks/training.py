# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Training: minibatches, optimisers, checkpoints
#
# `vipl.infer` trains by itself, and can be told how. This notebook takes one regression through what there is to
# tell: minibatches in two ways, an optimiser of optax, restarts, a fit that is interrupted and goes on, and one that
# meets a bad number. In the end it does without `infer`, in a loop of its own.
#
# The data are 3,000 made-up counts.

# %%
import pathlib
import tempfile

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl import guides, objectives

SIZE, BATCH = 3000, 100
TRUTH = np.array([0.4, -0.3, 0.0])
random = np.random.default_rng(0)
x = random.normal(size=(SIZE, 3)).astype(np.float32)
y = random.poisson(np.exp(0.5 + x @ TRUTH)).astype(np.float32)
print(f"{SIZE} counts from {y.min():.0f} to {y.max():.0f}, their mean is {y.mean():.2f}")

# %% [markdown]
# ## All of the data
#
# The plate says that the rows are independent, and gives their indices. With a `batch` it gives as many of them, drawn
# anew at each step, and multiplies what is inside by `SIZE / batch`: the objective stays an unbiased estimate of the
# same number. Without, it gives all.


# %%
@vipl.program
def counts(x, y, batch=None):
    level = vipl.sample("level", dist.Normal(0.0, 2.0))
    slopes = vipl.sample("slopes", dist.Normal(jnp.zeros(x.shape[1]), 1.0).to_event(1))
    with vipl.plate("row", len(x), subsample_size=batch) as index:
        vipl.sample("y", dist.Poisson(jnp.exp(level + x[index] @ slopes)), obs=y[index])


x, y = jnp.asarray(x), jnp.asarray(y)
model = counts(x, y)
whole = vipl.infer(model, guides.FullRank(), key=jax.random.key(0), num_steps=2000, progress=False)
print(whole)
print(whole.summary())
assert whole.status == "finished"
assert whole.khat < 0.7

# %% [markdown]
# The rest of the notebook is for data that are too many for every step. This fit is what the others are held against.


# %%
def moments(guide):
    """Return means and standard deviations of all values of a guide, `(2, 4)`."""
    draws = jax.vmap(lambda key: vipl.simulate(guide, key).choices)(jax.random.split(jax.random.key(1), 20_000))
    values = jnp.concatenate([draws["level"][:, None], draws["slopes"]], axis=1)
    return jnp.stack([values.mean(axis=0), values.std(axis=0)])


exact = moments(whole.guide)


def compare(name, guide):
    """Print and return how far means and sds of a guide are from those of the one that saw all of the data."""
    mean, sd = moments(guide)
    off, ratio = jnp.abs(mean - exact[0]) / exact[1], sd / exact[1]
    print(f"{name}: means off by at most {off.max():.2f} sd, sd ratios {ratio.min():.2f} to {ratio.max():.2f}")
    return float(off.max()), float(jnp.abs(jnp.log(ratio)).max())


print("means", *(f"{mean:.3f}" for mean in exact[0]), "sds", *(f"{sd:.4f}" for sd in exact[1]))

# %% [markdown]
# ## Minibatches in the model
#
# A step of `counts(x, y, BATCH)` looks at a hundred rows. Its gradient is as good on average, and noisier. vipl looks
# for no coordinates beforehand where it sees a part of the data only, so the fit starts at the priors and takes more
# steps. The verdict is of all rows all the same.

# %%
fits = {}
minibatches = counts(x, y, BATCH)
fits["plate"] = vipl.infer(minibatches, guides.FullRank(), key=jax.random.key(0), num_steps=6000, progress=False)
print(fits["plate"])
off, _ = compare("plate", fits["plate"].guide)
assert off < 0.75

# %% [markdown]
# ## Minibatches handed over
#
# With `data=` each pass goes through all rows in a new order. The model must still say how many there are.


# %%
@vipl.program
def counts_of_batch(batch):
    x, y = batch
    level = vipl.sample("level", dist.Normal(0.0, 2.0))
    slopes = vipl.sample("slopes", dist.Normal(jnp.zeros(x.shape[1]), 1.0).to_event(1))
    with vipl.plate("row", SIZE, subsample_size=len(x)):
        vipl.sample("y", dist.Poisson(jnp.exp(level + x @ slopes)), obs=y)


def model_of(params, batch):
    return counts_of_batch(batch)


of_rows = {"data": (x, y), "batch_size": BATCH, "progress": False}
fits["data="] = vipl.infer(model_of, guides.FullRank(), key=jax.random.key(0), num_steps=6000, **of_rows)
print(fits["data="])
off, _ = compare("data=", fits["data="].guide)
assert off < 0.75

# %% [markdown]
# If a status says "not converged", the noise of the minibatches has moved the average of the last steps by a
# fraction of a standard deviation. More steps, or more rows in each, cure that.
#
# ## An optimiser of your own
#
# Any of optax. Then there is no search for coordinates and no average at the end: what the last step leaves is the
# result, so let the rate fall to zero. Clipping keeps one wild batch from throwing the fit far away.
#
# With `num_samples=4` a step averages four estimates, each with a draw and, from the plate, a minibatch of its own.
# With one, the noise of the steps is a part of the result, and the guide is too wide.

# %%
STEPS = 3000


def optimizer(rate):
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, warmup_steps=200, decay_steps=STEPS)
    return optax.chain(optax.clip_by_global_norm(1000.0), optax.adam(schedule))


options = {"optimizer": optimizer(0.03), "num_steps": STEPS, "progress": False}
distance = {}
for num_samples in (1, 4):
    name = f"optax, num_samples={num_samples}"
    key = jax.random.key(0)
    fits[name] = vipl.infer(minibatches, guides.FullRank(), num_samples=num_samples, key=key, **options)
    off, wrong = compare(name, fits[name].guide)
    distance[num_samples] = wrong
    print(f"  elbo {fits[name].elbo:.2f}, with all data {whole.elbo:.2f}")
assert off < 0.75
assert distance[4] < distance[1]

# %% [markdown]
# With all data, vipl has found the place before the first step; minibatches start at the priors. At the end their
# objective is still noisy, since each step asks other rows, and the mean of four has half of that noise.

# %%
shown = {"all data": whole} | {name: fits[name] for name in ("optax, num_samples=1", "optax, num_samples=4")}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for order, (name, posterior) in enumerate(shown.items()):
    history = posterior.objective_history
    left.plot(np.convolve(history, np.full(50, 1 / 50), mode="valid"), label=name, linewidth=1.2, zorder=5 - order)
    right.plot(np.arange(500), history[-500:], ".", markersize=2.5)
    print(f"{name:21} sd of the objective over the last 500 steps: {history[-500:].std():.1f} nats")
left.set(xlabel="step", ylabel="objective, mean of 50 steps (nats)", ylim=(-6_500, -4_500))
left.legend(frameon=False, loc="lower right")
right.set(xlabel="step of the last 500", ylabel="objective (nats)")
one, four = (fits[f"optax, num_samples={number}"].objective_history[-500:].std() for number in (1, 4))
assert 1.5 < one / four < 2.7

# %% [markdown]
# ## Restarts
#
# `num_restarts=` makes several runs side by side, from different places, and keeps that of the best objective.

# %%
several = vipl.infer(minibatches, guides.FullRank(), num_samples=4, num_restarts=4, key=jax.random.key(0), **options)
print(several.restarts)
assert several.restarts.rhat < 1.25

# %% [markdown]
# R-hat is near 1: the runs agree. Which of them is the best is told by noisy objectives, and means little here.
#
# ## Interrupted
#
# With `checkpoint=` the state of the fit is in a file. A `callback` looks on now and then, and this one does what
# Ctrl-C does as soon as it sees a hundred steps. The same call without it goes on from the file, to the same bits as
# the fit above.

# %%
path = pathlib.Path(tempfile.mkdtemp()) / "counts.checkpoint"


def press_ctrl_c(state):
    if state.step >= 100:
        raise KeyboardInterrupt


options |= {"num_samples": 4, "key": jax.random.key(0)}
broken_off = vipl.infer(minibatches, guides.FullRank(), checkpoint=path, callback=press_ctrl_c, **options)
made = len(broken_off.objective_history)
print(f"{broken_off.status} after {made} of {STEPS} steps")
resumed = vipl.infer(minibatches, guides.FullRank(), checkpoint=path, **options)
never = fits["optax, num_samples=4"]
same = [np.array_equal(resumed.params[name], never.params[name]) for name in never.params]
same.append(np.array_equal(resumed.objective_history, never.objective_history))
print(f"{resumed.status}; params and history have the same bits: {all(same)}")
assert broken_off.status == "interrupted"
assert 100 <= made < STEPS
assert all(same)

# %% [markdown]
# ## A number that is not finite
#
# Here one covariate of 9,000 is missing. The minibatch that has it makes an objective that is NaN, and an error.

# %%
bad = x.at[1234, 2].set(jnp.nan)
of_rows |= {"data": (bad, y), "optimizer": optimizer(0.03), "num_samples": 4}
try:
    vipl.infer(model_of, guides.FullRank(), key=jax.random.key(0), num_steps=500, **of_rows)
except vipl.NonFiniteError as error:
    found = error
print(found)
assert "at step" in str(found)
assert "'y'" in str(found)

# %% [markdown]
# If you cannot mend it, `on_nan="skip"` leaves such steps out. `data=` goes through all rows once in each pass of
# thirty steps, so that in 3,000 steps there should be a hundred:

# %%
skipped = vipl.infer(model_of, guides.FullRank(), key=jax.random.key(0), num_steps=STEPS, on_nan="skip", **of_rows)
number = int(np.isnan(skipped.objective_history).sum())
print(f"{number} steps skipped, {skipped.status}")
off, _ = compare("without the bad batches", skipped.guide)
assert number == STEPS * BATCH // SIZE
assert off < 0.75

# %% [markdown]
# ## A loop of your own
#
# `objectives.elbo` is a function of a key, a model and a guide, and `jax.grad` differentiates it. What remains is
# optax. The guide is a program here, of independent normals; `vipl.init_params` has its params as a dict of arrays,
# and `vipl.with_params` puts others in.


# %%
@vipl.program
def normals():
    positive = dist.constraints.positive
    loc, scale = vipl.param("level.loc", 0.0), vipl.param("level.scale", 0.1, constraint=positive)
    vipl.sample("level", dist.Normal(loc, scale))
    loc, scale = vipl.param("loc", jnp.zeros(3)), vipl.param("scale", jnp.full(3, 0.1), constraint=positive)
    vipl.sample("slopes", dist.Normal(loc, scale).to_event(1))


objective, ascend = objectives.elbo.with_num_samples(4), optimizer(0.03)


def loss(params, key, x, y):
    return -objective(key, counts(x, y, BATCH), vipl.with_params(normals(), params))


@jax.jit
def train(params, key, x, y):
    def step(carry, key):
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, key, x, y)
        updates, state = ascend.update(gradient, state)
        return (optax.apply_updates(params, updates), state), -value

    carry = params, ascend.init(params)
    (params, _), history = jax.lax.scan(step, carry, jax.random.split(key, STEPS))
    return params, history


params, history = train(vipl.init_params(jax.random.key(0), normals()), jax.random.key(1), x, y)
off, wrong = compare("a loop of one's own", vipl.with_params(normals(), params))
judged = vipl.infer(model, normals(), params=params, num_steps=0, key=jax.random.key(2), progress=False)
print(f"elbo {judged.elbo:.2f}, with all data {whole.elbo:.2f}")
assert off < 0.75
assert abs(judged.elbo - whole.elbo) < 1.0

# %% [markdown]
# The loop comes to the same place. Its guide is a little narrower, since its normals are independent. The last call,
# of no steps, makes a `Posterior` of params from anywhere.
#
# Every option: [fitting](../docs/fitting.md). A million rows, or many devices: [scale](../docs/scale.md).
