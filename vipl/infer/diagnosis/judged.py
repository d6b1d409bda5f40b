"""What a posterior knows of its own quality, and what it corrects."""

from __future__ import annotations

import functools
from typing import Any

import jax

from vipl._core.keys import as_key
from vipl.infer.diagnosis.diagnose import diagnose, evidence_of
from vipl.infer.diagnosis.diagnosis import Diagnosis
from vipl.infer.diagnosis.unvisited import Unvisited, find_unvisited
from vipl.infer.diagnosis.verdict import judge
from vipl.infer.draws.expectation import Estimate, expectation
from vipl.infer.draws.resample import Resampled, resample
from vipl.infer.draws.subsampling import programs_of_all_data
from vipl.infer.draws.usable import check_data, check_usable
from vipl.infer.draws.weighed import Weighed
from vipl.infer.reference.check_against_nuts import check_against_nuts
from vipl.infer.reference.comparison import NUTSComparison
from vipl.lang.program import Program


class Judged:
    """Base of `Posterior`: the methods that judge a fit, and those that correct it by importance weights.

    A subclass has `params`, `objective`, `objective_history`, `status`, `restarts` and `sample`, and defines `model`
    and `guide`.
    """

    _params: Any
    objective_history: Any
    status: str
    _problem: Any
    _key: jax.Array
    _num_steps: int

    @property
    def guide(self) -> Program:
        """The fitted guide."""
        raise NotImplementedError

    @property
    def model(self) -> Program:
        """The fitted model."""
        raise NotImplementedError

    def _key_of(self, use: int):
        return jax.random.fold_in(self._key, self._num_steps + use)

    @functools.cached_property
    def _weighed(self) -> Weighed:
        return self._weighed_with(self._key_of(1))

    def _weighed_with(self, key, num_samples=None, *, at_least=0) -> Weighed:
        model, guide, whole = programs_of_all_data(self._problem, self._params)
        weighed = Weighed(model, guide, key, num_samples, at_least=at_least, whole=whole)
        return weighed if num_samples else weighed.settled()

    def _weigh(self, key, num_samples, caller) -> Weighed:
        if key is None and num_samples is None:
            return self._weighed
        return self._weighed_with(self._key_of(1) if key is None else as_key(key, caller), num_samples)

    @functools.cached_property
    def elbo(self) -> float:
        """The evidence lower bound, in nats, from 10 000 fresh draws or more; of very large models from fewer."""
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
    def _unvisited(self) -> Unvisited | None:
        return find_unvisited(self._weighed, self._key_of(5))

    def _unvisited_by(self, weighed: Weighed) -> Unvisited | None:
        return self._unvisited if weighed is self._weighed else find_unvisited(weighed, self._key_of(5))

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
            num_samples: how many draws are weighed; default: 10 000, fewer of very large models, and 100 000 where k̂
                is high though the weights are nearly equal.

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
        weighed = self._weigh(key, num_samples, "diagnose")
        check_data(weighed, "posterior.diagnose")
        return diagnose(self, self._problem, weighed, self._key_of(3))

    def expectation(self, fn, key=None, num_samples: int | None = None, *, corrected: bool = True) -> Estimate:
        """Estimate the posterior expectation of a function of a draw.

        Self-normalised importance sampling: draws of the guide, with Pareto-smoothed weights. Use it where `verdict` is
        "usable with corrected weights".

        Args:
            fn: function of one draw, a dict from address to array of latent and deterministic values; returns a pytree
                of arrays. In JAX; compiled.
            key: a key; default: the draws by which the posterior is judged.
            num_samples: how many draws; default: as many as `diagnose` weighs.
            corrected: False for the guide's own expectation.

        Returns:
            An `Estimate`: `mean, se = posterior.expectation(fn)`, of the structure that `fn` returns.

        Raises:
            DensityError: the weights say nothing: all are zero, some NaN, or of subsamples of the data.
            AddressError: `fn` asks for an address that a draw does not have.

        Warns:
            VIPLWarning: k̂ is above its threshold.

        Example:
            >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
            >>> @vipl.program
            ... def model(y):
            ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
            ...     with vipl.plate("data", y.shape[0]):
            ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
            >>> posterior = vipl.infer(model(jnp.ones(5)), key=jax.random.key(0), num_steps=1000, progress=False)
            >>> mean, se = posterior.expectation(lambda draw: draw["mu"] > 0)      # a probability
            >>> bool(0.95 < mean < 1)
            True

        Source: Vehtari et al. 2024, JMLR 25(72); Owen 2013, Monte Carlo theory, methods and examples, §9.2.
        """
        weighed = self._weigh(key, num_samples, "expectation")
        if corrected:
            check_usable(weighed, "posterior.expectation", "corrected=False")
        return expectation(weighed, fn, corrected=corrected)

    def resample(self, key, num_samples: int) -> Resampled:
        """Draw from the posterior rather than from the guide: draws of the guide, picked anew by their weights.

        Of as many draws as `diagnose` weighs, or twice `num_samples` if that is more. Draws come several times; past
        the effective sample size more draws say no more.

        Args:
            key: a key.
            num_samples: how many draws.

        Returns:
            A dict from address to array of latent and deterministic values, each with a leading axis of `num_samples`,
            and with `khat` and `effective_sample_size` as attributes.

        Raises:
            DensityError: the weights say nothing.

        Warns:
            VIPLWarning: k̂ is above its threshold.
        """
        key_weigh, key_pick = jax.random.split(as_key(key, "resample"))
        weighed = self._weighed_with(key_weigh, at_least=2 * num_samples)
        check_usable(weighed, "posterior.resample", "posterior.sample(key, 1000)")
        return resample(weighed, key_pick, num_samples)

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
        check_data(self._weighed, "posterior.check_against_nuts")
        options = {"num_warmup": num_warmup, "num_samples": num_samples, "num_chains": num_chains}
        return check_against_nuts(self, self._weighed, as_key(key, "check_against_nuts"), **options)
