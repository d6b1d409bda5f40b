"""`Posterior`: the result of a fit."""

from __future__ import annotations

import functools

import jax

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl.diagnostics.tables import sentence
from vipl.infer.diagnosis.diagnose import diagnose, evidence_of
from vipl.infer.diagnosis.diagnosis import Diagnosis
from vipl.infer.diagnosis.verdict import judge
from vipl.infer.draws.predict import predict
from vipl.infer.draws.weighed import Weighed
from vipl.infer.reference.check_against_nuts import check_against_nuts
from vipl.infer.reference.comparison import NUTSComparison
from vipl.infer.results.summary import Summary, summarise
from vipl.lang.program import Program
from vipl.objectives import elbo
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate

_DRAWS = 2000  # for summary


class Posterior:
    """A fitted guide, and how good it is.

    Attributes:
        params: the fitted parameters, unconstrained.
        guide: the fitted guide, a Program.
        objective_history: the objective at every step, in nats; shape `(num_steps,)`.
        status: "finished", "stopped", "interrupted", or "stopped: …" with the reason.
        objective: the Expectation that was maximised.
        restarts: of several runs, a record of their final `objectives`, the `rhat` of their iterates and which was the
            `best`; None of one run.

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
        self.params, self.objective_history, self.status = params, objective_history, status
        self.objective, self.restarts = objective, restarts
        self._problem, self._key, self._num_steps = problem, key, num_steps

    @property
    def guide(self) -> Program:
        """The fitted guide."""
        return self._problem.programs(self.params)[1]

    @property
    def model(self) -> Program:
        """The fitted model."""
        return self._problem.programs(self.params)[0]

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

    def _key_of(self, use: int):
        return jax.random.fold_in(self._key, self._num_steps + use)

    @functools.cached_property
    def _weighed(self) -> Weighed:
        return Weighed(self.model, self.guide, self._key_of(1))

    @functools.cached_property
    def elbo(self) -> float:
        """The evidence lower bound, in nats, from 10 000 fresh draws; of very large models from fewer."""
        return self._weighed.elbo

    @functools.cached_property
    def elbo_se(self) -> float:
        """Monte Carlo standard error of `elbo`, in nats."""
        return self._weighed.elbo_se

    @functools.cached_property
    def psis(self):
        """Pareto-smoothed importance sampling of the fitted guide; see `vipl.diagnostics.psis`."""
        return self._weighed.psis

    @property
    def khat(self) -> float:
        """Shape of the tail of the importance weights: above `psis.threshold` neither guide nor weights are right.

        Below it the weights are, and the guide may be off all the same: see `verdict`. NaN where the weights are of
        subsamples of the data.
        """
        return float(self.psis.khat)

    @functools.cached_property
    def _judgement(self) -> tuple[str, tuple[str, ...]]:
        return judge(evidence_of(self, self._weighed, self._key_of(3)))

    @property
    def verdict(self) -> str:
        """The quality of the fit in a word: "good", "usable with corrected weights", "poor", or "unknown".

        `diagnose` says why, and what to do.
        """
        return self._judgement[0]

    def diagnose(self, key=None, num_samples: int | None = None) -> Diagnosis:
        """Say whether the fit worked, and what to do if not.

        Args:
            key: a key; default: one of the posterior's own, so that the verdict is that of `verdict`.
            num_samples: how many draws are weighed; default: 10 000, fewer of very large models.

        Returns:
            A `Diagnosis`; printing it shows the bound, k̂, the effective sample size, the means and standard deviations
            of the guide beside those corrected by importance weights, the trend of the objective, how far the gradient
            stands out from its noise, how well restarts agree, and advice in words.

        Cost: two compilations, one for the weights and one for the gradient; then `num_samples` log densities.

        Example:
            >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
            >>> @vipl.program
            ... def model(y):
            ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
            ...     with vipl.plate("data", y.shape[0]):
            ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
            >>> posterior = vipl.infer(model(jnp.ones(5)), key=jax.random.key(0), num_steps=1000, progress=False)
            >>> posterior.diagnose().verdict
            'good'

        Source: Vehtari et al. 2024, JMLR 25(72), for k̂; Yao et al. 2018, ICML, "Yes, but did it work?".
        """
        if key is None and num_samples is None:
            weighed = self._weighed
        else:
            own = self._key_of(1) if key is None else as_key(key, "diagnose")
            weighed = Weighed(self.model, self.guide, own, num_samples)
        return diagnose(self, self._problem, weighed, self._key_of(3))

    def check_against_nuts(
        self, key, *, num_warmup: int = 1000, num_samples: int = 1000, num_chains: int = 4
    ) -> NUTSComparison:
        """Run the NUTS sampler of NumPyro on the same model, and set the fit beside it.

        The costly and sure way to check a guide: NUTS sees modes and tails that the guide, and so its weights, never
        visit. Half of the chains start at draws of the guide, the others anywhere. One compilation, then some tens to
        thousands of gradients for each draw.

        Args:
            key: a key.
            num_warmup: transitions of each chain that adapt it, and are dropped.
            num_samples: transitions of each chain that are kept.
            num_chains: how many chains.

        Returns:
            A `NUTSComparison`; printing it shows mean and standard deviation of both, the difference in standard
            deviations of NUTS, R-hat and effective sample size of the chains, and divergences.

        Raises:
            EstimatorError: a latent site is discrete; `vipl.marginal(model, […], vipl.Exact())` sums it out.
            ShapeError: a plate of the model is subsampled.
            DensityError: the density of the model is an estimate; or it is zero wherever a chain might start.

        Example:
            >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
            >>> @vipl.program
            ... def model(y):
            ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
            ...     with vipl.plate("data", y.shape[0]):
            ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
            >>> posterior = vipl.infer(model(jnp.ones(5)), key=jax.random.key(0), num_steps=1000, progress=False)
            >>> checked = posterior.check_against_nuts(jax.random.key(1), num_warmup=200, num_samples=500)
            >>> bool(abs(checked.shift[0]) < 0.2)
            True

        Source: Hoffman and Gelman 2014, JMLR 15:1593.
        """
        options = {"num_warmup": num_warmup, "num_samples": num_samples, "num_chains": num_chains}
        return check_against_nuts(self, self._weighed, as_key(key, "check_against_nuts"), **options)

    def summary(self, num_samples: int = _DRAWS) -> Summary:
        """Return mean, standard deviation and quantiles of every latent and deterministic value, as a table."""
        key = self._key_of(2)
        recorded = predict(self.guide, self.model, key, num_samples, only_deterministic=True)
        return summarise(self._in_order(self.sample(key, num_samples) | recorded))

    def __getitem__(self, address):
        raise AddressError(
            f"a posterior is not a dict; {address!r} is drawn from it." + did_you_mean(str(address), self._addresses()),
            where=user_source(),
            fix=f"posterior.sample(key, 1000)[{address!r}]",
        )

    def _addresses(self):
        statements = (located.statement for located in self.guide.stage().statements)
        return [statement.address for statement in statements if statement.draws and not statement.hidden]

    def __repr__(self):
        sites = ", ".join(self._addresses())
        verdict, advice = self._judgement
        return (
            f"Posterior of {self.model.name} ({sites})\n"
            f"  {self.status} after {self._num_steps} steps\n"
            f"  elbo {self.elbo:.2f} ± {self.elbo_se:.2f} nats\n"
            f"  khat {self.khat:.2f} (threshold {self.psis.threshold:.2f}): {verdict}"
            + "".join(f"\n{sentence(one)}" for one in advice[:1] if verdict != "good")
        )


@jax.jit
def _draws(guide, keys):
    return jax.vmap(lambda key: dict(simulate(guide, key).choices))(keys)
