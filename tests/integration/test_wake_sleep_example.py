"""The sigmoid belief net of digits: what its table says is the exact sum over the causes, written without vipl."""

import itertools
import pathlib
import runpy

import jax
import numpy as np
from scipy.special import log_expit, logsumexp

import vipl

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "wake_sleep.py"


def by_hand(params, images, rate):
    """Return log evidence and KL(posterior‖guide) of each image, in float64 and without vipl."""
    of_model, of_guide = (jax.tree.map(lambda x: np.asarray(x, float), own) for own in params)
    causes = np.array(list(itertools.product((0.0, 1.0), repeat=8)))

    def log_density(x, logits):
        return (x * log_expit(logits) + (1 - x) * log_expit(-logits)).sum(-1)

    pixels = causes @ of_model["weights"] + of_model["offset"]
    log_p = log_density(causes, of_model["prior"]) + log_density(images[:, None], pixels)
    hidden = np.tanh((images - rate) @ of_guide["first"] + of_guide["first_offset"])
    log_q = log_density(causes, (hidden @ of_guide["second"] + of_guide["second_offset"])[:, None])
    evidence = logsumexp(log_p, axis=1)
    posterior = log_p - evidence[:, None]
    return evidence, (np.exp(posterior) * (posterior - log_q)).sum(1)


def test_the_sums_are_exact():
    """With parameters that are large, so that the guide is far from the posterior."""
    example = runpy.run_path(str(EXAMPLE))
    images = example["HELD_OUT"][:40]
    keys = jax.random.split(jax.random.key(0))
    params = [vipl.init_params(key, example[name](images)) for key, name in zip(keys, ("model", "guide"), strict=True)]
    params = jax.tree.map(lambda x: 5 * x + 0.3, params)
    found = example["judge"](params, images)
    evidence, divergence = by_hand(params, np.asarray(images, float), np.asarray(example["RATE"], float))
    assert divergence.mean() > 1
    np.testing.assert_allclose(found, [evidence.mean(), divergence.mean()], rtol=1e-4)
