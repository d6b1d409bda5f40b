"""A fit, and what of it must be the same wherever it is read; run with a path, it prints that of the file."""

import hashlib
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist

SIGMA = jnp.array([15.0, 10.0, 16.0, 11.0])
Y = jnp.array([28.0, 8.0, -3.0, 7.0])


@vipl.program
def schools(sigma, y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        theta = vipl.sample("theta", dist.Normal(mu, tau))
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)
    vipl.deterministic("largest", jnp.max(theta))


def fit(model=None, guide=None, **options):
    model = schools(SIGMA, Y) if model is None else model
    return vipl.infer(model, guide, **({"key": jax.random.key(0), "num_steps": 20, "progress": False} | options))


def refusal(path, *arguments, **options):
    """Return what is wrong with a file, once it is sure that the user's own line and a remedy are named."""
    with pytest.raises(vipl.CheckpointError) as caught:
        vipl.load_posterior(path, *arguments, **options)
    assert caught.value.fix
    assert f"{__file__}:" in str(caught.value)
    return caught.value.what


def bits(values) -> str:
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(values):
        leaf = np.asarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape} ".encode() + leaf.tobytes())
    return digest.hexdigest()


def fingerprint(posterior) -> dict:
    """Return everything that a user can ask of a posterior without its data."""
    key = jax.random.key(7)
    draws = posterior.sample(key, 10)
    return {
        "repr": repr(posterior),
        "numbers": bits([posterior.elbo, posterior.elbo_se, posterior.khat, posterior.psis]),
        "words": [posterior.status, posterior.verdict, posterior.psis.status, posterior.guide.name],
        "params": bits(posterior.params),
        "history": bits(posterior.objective_history),
        "addresses": list(draws),
        "sample": bits(draws),
        "predict": bits(posterior.predict(key, num_samples=10)),
        "log_density": bits(posterior.log_density({address: values[0] for address, values in draws.items()})),
        "summary": str(posterior.summary(50)),
    }


if __name__ == "__main__":
    posterior = vipl.load_posterior(sys.argv[1], schools(SIGMA))
    print(json.dumps(fingerprint(posterior)))
