# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # An autoencoder of handwritten digits
#
# A variational autoencoder is a model and a guide with networks inside, trained together on minibatches. Here both
# are programs, the networks are of flax.nnx, and the digits are the 1,797 real ones of 8 by 8 pixels that come with
# scikit-learn. On the way: minibatches, an optimiser of optax, and a training that is interrupted and goes on.

# %%
import pathlib
import tempfile

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_digits

import vipl
import vipl.distributions as dist

digits = load_digits()
images = (digits.data > 7).astype(np.float32)
SIZE, PIXELS = images.shape
LATENT, WIDTH, BATCH = 2, 64, 64
print(images.shape)

# %% [markdown]
# ## The networks
#
# A network is split into its structure, which stays, and its state, a pytree of arrays, which is learned.


# %%
def network(inputs, outputs, rngs):
    layers = nnx.Linear(inputs, WIDTH, rngs=rngs), nnx.relu, nnx.Linear(WIDTH, outputs, rngs=rngs)
    return nnx.split(nnx.Sequential(*layers))


encoder, encoder_state = network(PIXELS, 2 * LATENT, nnx.Rngs(0))
decoder, decoder_state = network(LATENT, PIXELS, nnx.Rngs(1))
params = {"encoder": encoder_state, "decoder": decoder_state}
print(sum(leaf.size for leaf in jax.tree.leaves(params)), "numbers to learn")

# %% [markdown]
# ## Model and guide
#
# Each image has a latent point in the plane. The plate says that there are 1,797 images, of which a step sees a
# batch; densities are scaled accordingly. The guide reads the image, and says where its point is likely to be.


# %%
@vipl.program
def model(params, batch):
    decode = nnx.merge(decoder, params["decoder"])
    with vipl.plate("image", SIZE, subsample_size=len(batch)):
        z = vipl.sample("z", dist.Normal(jnp.zeros(LATENT), 1.0).to_event(1))
        vipl.sample("x", dist.Bernoulli(logits=decode(z)).to_event(1), obs=batch)


@vipl.program
def guide(params, batch):
    loc, log_scale = jnp.split(nnx.merge(encoder, params["encoder"])(batch), 2, -1)
    with vipl.plate("image", SIZE, subsample_size=len(batch)):
        vipl.sample("z", dist.Normal(loc, jnp.exp(log_scale)).to_event(1))


print(vipl.simulate(guide(params, images[:BATCH]), jax.random.key(0)))

# %% [markdown]
# ## Training, interrupted
#
# `data=` and `batch_size=` make the minibatches. With `checkpoint=` the state of the training is kept in a file:
# the second call, which asks for more steps, goes on where the first one stopped.

# %%
path = pathlib.Path(tempfile.mkdtemp()) / "digits.checkpoint"
options = {"data": images, "batch_size": BATCH, "optimizer": optax.adam(3e-3), "key": jax.random.key(0)}
options |= {"params": params, "checkpoint": path, "progress": False}

first = vipl.infer(model, guide, num_steps=1000, **options)
posterior = vipl.infer(model, guide, num_steps=4000, **options)
print(len(first.objective_history), "steps, then", len(posterior.objective_history))
assert np.array_equal(first.objective_history, posterior.objective_history[:1000])

# %% [markdown]
# The objective is that of all images: divided by their number it is nats for each image.

# %%
history = posterior.objective_history.reshape(-1, 50).mean(1) / SIZE
figure, ax = plt.subplots(figsize=(6, 3))
ax.plot(50 * np.arange(len(history)), history)
ax.axvline(1000, color="grey", linestyle="dashed")
ax.set_xlabel("step")
ax.set_ylabel("ELBO for each image (nats)")
ax.set_ylim(-35, None)
figure.tight_layout()
plt.show()
assert history[-1] > history[0] + 5

# %% [markdown]
# ## What was learned
#
# The guide never saw which digit an image is. Still, images of one digit have points near each other.

# %%
encoded = nnx.merge(encoder, posterior.params["encoder"])(images)
points = np.asarray(encoded[:, :LATENT])
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5))
shown = left.scatter(*points.T, c=digits.target, cmap="tab10", s=6)
figure.colorbar(shown, ax=left, label="digit")
left.set_xlabel("first coordinate")
left.set_ylabel("second coordinate")

grid = np.linspace(-2.0, 2.0, 11, dtype=np.float32)
plane = np.stack(np.meshgrid(grid, grid[::-1]), -1).reshape(-1, 2)
means = jax.nn.sigmoid(nnx.merge(decoder, posterior.params["decoder"])(plane)).reshape(11, 11, 8, 8)
right.imshow(np.block([[image for image in row] for row in np.asarray(means)]), cmap="Greys", extent=(-2.2, 2.2) * 2)
right.set_xlabel("first coordinate")
right.set_ylabel("second coordinate")
figure.tight_layout()
plt.show()

# %% [markdown]
# That can be counted: the nearest other image in the plane is of the same digit far more often than one in ten.

# %%
distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(SIZE)
same = float(np.mean(digits.target[distances.argmin(1)] == digits.target))
print(f"nearest neighbour of the same digit: {same:.0%}")
assert same > 0.4
