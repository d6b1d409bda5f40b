"""`Posterior`: the result of a fit."""

from __future__ import annotations

import jax

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl.infer.draws.predict import predict
from vipl.infer.problem.initial import with_frame
from vipl.infer.results.shown import Shown
from vipl.infer.storage.saving import save_posterior
from vipl.lang.program import Program
from vipl.objectives import elbo
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate


class Posterior(Shown):
    """A fitted guide, and how good it is.

    Attributes:
        params: the fitted parameters, unconstrained.
        guide: the fitted guide, a Program.
        objective_history: the objective at every step, in nats; shape `(num_steps,)`.
        status: "finished", "stopped" by a callback, "interrupted" by Ctrl-C; or "not converged: …", "diverged: …" or
            "stopped: …" with the reason.
        objective: the Expectation that was maximised.
        restarts: of several runs, a record of their final `objectives`, which was the `best`, and the `rhat` of the
            latent values of those that come within a nat of it; None of one run.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        ...     with vipl.plate("data", y.shape[0]):
        ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
        >>> posterior = vipl.infer(model(jnp.ones(5)), key=jax.random.key(0), num_steps=500, progress=False)
        >>> posterior.sample(jax.random.key(1), 100)["mu"].shape
        (100,)
    """

    def __init__(self, problem, params, objective_history, status, key, num_steps, *, objective=elbo, restarts=None):
        self._params, self.objective_history, self.status = params, objective_history, status
        self.objective, self.restarts = objective, restarts
        self._problem, self._key, self._num_steps = problem, key, num_steps

    @property
    def params(self):
        """The fitted parameters; of a guide family, with the coordinates that they are of, where it keeps such."""
        return with_frame(self._problem.whole(self._params), self._problem.frame)

    @property
    def guide(self) -> Program:
        """The fitted guide."""
        return self._problem.programs(self._params)[1]

    @property
    def model(self) -> Program:
        """The fitted model."""
        return self._problem.programs(self._params)[0]

    def sample(self, key, num_samples: int) -> dict:
        """Draw from the fitted guide.

        Args:
            key: a key.
            num_samples: how many draws.

        Returns:
            A dict from address to array, in program order, each with a leading axis of `num_samples`.
        """
        key = as_key(key, "sample")
        return self._in_order(_draws(self.guide, jax.random.split(key, num_samples)))

    def _in_order(self, values: dict) -> dict:
        order = dict.fromkeys(s.statement.address for s in self.model.stage().statements)
        return {address: values[address] for address in order if address in values}

    def log_density(self, choices, key=None) -> jax.Array:
        """Return the log density of one set of choices under the fitted guide, a scalar in nats.

        Args:
            choices: a value for every latent site, by address.
            key: a key, where the guide's density is an estimate, as that of `vipl.marginal`.

        Raises:
            AddressError: an address is missing or unknown.
            RandomnessError: the density is an estimate and there is no key, or one where none belongs.
        """
        return log_density(self.guide, choices, key)

    def predict(self, key, program: Program | None = None, num_samples: int = 1000) -> dict:
        """Draw new data from the posterior predictive.

        Args:
            key: a key.
            program: the program to run, such as the model on new covariates; default: the fitted model.
                Its latent sites take posterior draws; its observed sites are drawn anew, and those that the posterior
                does not have, as `y` of `model(new_x, y=None)`.
            num_samples: how many draws.

        Returns:
            A dict from address to array, of deterministic values and what was drawn anew, each with a leading axis
            of `num_samples`. They belong, draw by draw, to the latent values that `sample` returns for the same key.

        Raises:
            AddressError: the posterior has a site that the program lacks.
        """
        key = as_key(key, "predict")
        return predict(self.guide, self.model if program is None else program, key, num_samples)

    def save(self, path) -> None:
        """Write the posterior to a file, whole or not at all; `vipl.load_posterior` reads it, in another process too.

        The file holds the parameters, the history, and what the data are needed for: `elbo`, `khat` and the verdict,
        which are computed now if they have not been asked for before. It holds no code and no data; of a fit with
        `data=`, the first batch.

        Args:
            path: the file. One that is there is replaced.

        Raises:
            CheckpointError: the file cannot be written; one that was there before still is.

        Example:
            >>> import os, tempfile, jax, vipl, vipl.distributions as dist
            >>> @vipl.program
            ... def model():
            ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
            ...     vipl.sample("y", dist.Normal(mu, 1.0), obs=2.0)
            >>> posterior = vipl.infer(model(), key=jax.random.key(0), num_steps=500, progress=False)
            >>> path = os.path.join(tempfile.mkdtemp(), "fit.vipl")
            >>> posterior.save(path)
            >>> vipl.load_posterior(path, model()).khat == posterior.khat
            True
        """
        save_posterior(path, self, self._problem, self._key, self._num_steps)

    def __getitem__(self, address):
        raise AddressError(
            f"a posterior is not a dict; {address!r} is drawn from it." + did_you_mean(str(address), self._addresses()),
            where=user_source(),
            fix=f"posterior.sample(key, 1000)[{address!r}]",
        )


@jax.jit
def _draws(guide, keys):
    return jax.vmap(lambda key: dict(simulate(guide, key).choices))(keys)
