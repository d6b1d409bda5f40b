# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Writing an objective
#
# What "the best guide" means is up to you. An objective in vipl is a short program: it draws from the guide,
# scores the draws, and returns a number. Under `@vipl.expectation` it becomes a function whose ordinary
# derivative is an unbiased estimate of the gradient. Here you write four, fit a guide with each, and see that
# they want different things.
#
# The model has one latent value, of which only the distance from zero is seen. Its posterior has two modes, and
# the guide will be one normal distribution: it cannot match, and has to choose.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import optax

import vipl
import vipl.distributions as dist
from vipl import objectives


@vipl.program
def distance(y):
    x = vipl.sample("x", dist.Normal(0.5, 1.5))
    vipl.sample("y", dist.Normal(jnp.abs(x), 0.35), obs=y)


@vipl.program
def normal_guide():
    loc = vipl.param("loc", 0.5)
    scale = vipl.param("scale", 1.0, constraint=dist.constraints.positive)
    vipl.sample("x", dist.Normal(loc, scale))


model = distance(1.5)
grid = jnp.linspace(-6.0, 6.0, 1201)
log_joint = jax.vmap(lambda x: vipl.log_density(model, {"x": x}))(grid)
log_evidence = float(jax.nn.logsumexp(log_joint) + jnp.log(grid[1] - grid[0]))
print(f"log evidence {log_evidence:.3f} nats, by summing over a grid")

# %% [markdown]
# ## The evidence lower bound, by hand
#
# `vipl.simulate` draws from a program and returns a trace: the choices, and their log density. `vipl.log_density`
# scores choices under another program. That is all it takes.


# %%
@vipl.expectation
def my_elbo(model, guide):
    trace = vipl.simulate(guide)
    return vipl.log_density(model, trace) - trace.log_density


@vipl.program
def fixed_guide(loc, scale):
    vipl.sample("x", dist.Normal(loc, scale))


key = jax.random.key(0)
value, slope = jax.value_and_grad(lambda loc: my_elbo(key, model, fixed_guide(loc, 0.5)))(1.0)
print(f"one estimate: {value:.3f} nats, its derivative in loc {slope:.3f}")
assert value == objectives.elbo(key, model, fixed_guide(1.0, 0.5))

# %% [markdown]
# It gives the number that the library's `objectives.elbo` gives for the same key.
#
# ## A tighter bound
#
# With K draws, the log of their mean weight is a bound that is nearer to the log evidence (Burda et al. 2016).
# `vipl.vmap` runs a program K times, each with draws of its own. `vipl.infer` calls an objective with the model
# and the guide, so K is an argument of the function around it.


# %%
def log_weights_of(model, guide, num_particles):
    def log_weight():
        trace = vipl.simulate(guide)
        return vipl.log_density(model, trace) - trace.log_density

    return vipl.vmap(log_weight, axis_size=num_particles)()


def importance_bound(num_particles):
    @vipl.expectation
    def bound(model, guide):
        log_weights = log_weights_of(model, guide, num_particles)
        return jax.nn.logsumexp(log_weights) - jnp.log(num_particles)

    return bound


def mean_of(objective, num_samples=10_000):
    """Return the mean of an objective at one guide."""
    return float(objective.with_num_samples(num_samples)(key, model, fixed_guide(1.0, 1.0)))


bounds = {num_particles: mean_of(importance_bound(num_particles)) for num_particles in (1, 4, 16)}
print({num_particles: f"{bound:.2f}" for num_particles, bound in bounds.items()}, f"of {log_evidence:.2f} nats")
assert bounds[1] < bounds[4] < bounds[16] < log_evidence
assert abs(bounds[16] - mean_of(objectives.iwelbo(16))) < 0.05

# %% [markdown]
# ## A bound of Rényi's
#
# A power of the weights before the mean says what the guide should care for (Li and Turner 2016): the larger α
# is, the more draws with a low weight count, which punishes a guide for reaching beyond the posterior. At α = 0
# it is the bound above.


# %%
def renyi_bound(alpha, num_particles):
    @vipl.expectation
    def bound(model, guide):
        powers = (1.0 - alpha) * log_weights_of(model, guide, num_particles)
        return (jax.nn.logsumexp(powers) - jnp.log(num_particles)) / (1.0 - alpha)

    return bound


by_alpha = {alpha: mean_of(renyi_bound(alpha, 16)) for alpha in (-1.0, 0.0, 0.5, 2.0)}
print({alpha: f"{bound:.2f}" for alpha, bound in by_alpha.items()})
assert by_alpha[-1.0] > by_alpha[0.0] > by_alpha[0.5] > by_alpha[2.0]

# %% [markdown]
# ## Fitting with them
#
# `vipl.infer` takes any of them as `objective=`. The guide is the same each time, and so is the optimiser.

# %%
options = {"optimizer": optax.adam(optax.cosine_decay_schedule(0.02, 3000)), "num_steps": 3000, "num_samples": 16}
wanted = {
    "my_elbo": my_elbo,
    "importance_bound(16)": importance_bound(16),
    "renyi_bound(2, 16)": renyi_bound(2.0, 16),
}
fits = {
    name: vipl.infer(model, normal_guide(), objective=objective, key=jax.random.key(1), progress=False, **options)
    for name, objective in wanted.items()
}


def moments(posterior):
    """Return mean and standard deviation of a fitted guide."""
    draws = posterior.sample(jax.random.key(2), 10_000)["x"]
    return float(draws.mean()), float(draws.std())


fitted = {name: moments(posterior) for name, posterior in fits.items()}
for name, (mean, sd) in fitted.items():
    print(f"{name:22} mean {mean:+.2f}, sd {sd:.2f}")
assert fitted["importance_bound(16)"][1] > 2 * fitted["my_elbo"][1]

# %%
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.fill_between(grid, jnp.exp(log_joint - log_evidence), color="0.85", label="posterior, by the grid")
for style, (name, (mean, sd)) in zip(("-", "-", "--"), fitted.items(), strict=True):
    ax.plot(grid, jnp.exp(dist.Normal(mean, sd).log_prob(grid)), style, label=name)
ax.set(xlabel="x", ylabel="density", xlim=(-4.0, 4.0))
ax.legend(frameon=False, loc="upper left")
larger = float(jnp.exp(log_joint - log_evidence)[grid > 0].sum() * (grid[1] - grid[0]))
print(f"{larger:.0%} of the posterior is above zero")
assert 0.5 < larger < 0.75

# %% [markdown]
# `my_elbo` takes one of the modes and ignores the other. `importance_bound` spreads over both: with 16 draws at
# hand, it is enough that some of them are in the right place. `renyi_bound` with α = 2 stays inside a mode, as
# the evidence lower bound does.
#
# ## A loop of your own
#
# An objective is a JAX function. Where `infer` does not do what you want, write the loop. Here the model is
# tempered: its log density is divided by a temperature that falls to 1 during training, so that the guide first
# sees a flat posterior. The temperature is an argument, and changes at each step.


# %%
@vipl.expectation
def tempered(model, guide, temperature):
    trace = vipl.simulate(guide)
    return vipl.log_density(model, trace) / temperature - trace.log_density


optimizer = optax.adam(0.02)


@jax.jit
def train(params, key, temperatures):
    def step(carry, inputs):
        params, state = carry
        key, temperature = inputs

        def loss(params):
            guide = fixed_guide(params["loc"], jnp.exp(params["log_scale"]))
            return -tempered.with_num_samples(4)(key, model, guide, temperature)

        updates, state = optimizer.update(jax.grad(loss)(params), state)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    inputs = jax.random.split(key, len(temperatures)), temperatures
    return jax.lax.scan(step, (params, optimizer.init(params)), inputs)[1]


start = {"loc": -1.5, "log_scale": -1.0}
falling = jnp.maximum(1.0, 20.0 * 0.998 ** jnp.arange(3000))
paths = {
    "temperature 1": train(start, jax.random.key(3), jnp.ones(3000)),
    "falling from 20": train(start, jax.random.key(3), falling),
}
ends = {name: float(path["loc"][-500:].mean()) for name, path in paths.items()}
print(ends)
assert ends["temperature 1"] < 0.0 < ends["falling from 20"]

# %%
figure, axes = plt.subplots(2, 1, figsize=(7, 4.6), sharex=True, layout="constrained")
for name, path in paths.items():
    axes[0].plot(path["loc"], label=name)
    axes[1].plot(jnp.exp(path["log_scale"]), label=name)
axes[0].set_ylabel("loc")
axes[1].set(ylabel="scale", xlabel="step")
axes[0].legend(frameon=False)


def exact_elbo(loc, scale):
    """Return the evidence lower bound of a normal guide, by the grid."""
    log_q = dist.Normal(loc, scale).log_prob(grid)
    return float(jnp.sum(jnp.exp(log_q) * (log_joint - log_q)) * (grid[1] - grid[0]))


reached = {
    name: exact_elbo(path["loc"][-500:].mean(), jnp.exp(path["log_scale"][-500:].mean()))
    for name, path in paths.items()
}
print({name: f"{bound:.2f} nats" for name, bound in reached.items()})
assert reached["falling from 20"] > reached["temperature 1"]

# %% [markdown]
# Both runs start in the smaller mode. At temperature 1 the guide stays there. When hot, it is wide enough to feel
# both modes, and ends in the larger one, with a better bound.
#
# [The page on objectives](../docs/objectives.md) lists those that are in the library, and has three more that a
# user writes.
