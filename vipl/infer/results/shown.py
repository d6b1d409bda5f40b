"""How a posterior is shown: in a terminal, in a notebook, in figures, to ArviZ."""

from __future__ import annotations

import math

import numpy as np

from vipl._core.keys import as_key
from vipl.diagnostics import tables
from vipl.infer.diagnosis.judged import Judged
from vipl.infer.draws.predict import predict
from vipl.infer.results.summary import Summary, summarise

_DRAWS = 2000


class Shown(Judged):
    """Base of `Posterior`: tables, figures, and the way to ArviZ. A subclass defines `sample`."""

    def sample(self, key, num_samples: int) -> dict:
        """Draw from the fitted guide."""
        raise NotImplementedError

    def summary(self, num_samples: int = _DRAWS) -> Summary:
        """Return mean, standard deviation and quantiles of every latent and deterministic value, as a table."""
        return summarise(self._recorded(self._key_of(2), num_samples))

    def to_datatree(
        self, coords=None, dims=None, *, key=None, num_samples: int = _DRAWS, prior=False, log_likelihood=True
    ):
        """Return the posterior as ArviZ takes it: an xarray DataTree, of one chain.

        Its groups are `posterior` (latent and deterministic values), `posterior_predictive` and `observed_data`,
        `log_likelihood` (of each datum, for `az.loo`), `sample_stats` (`lp`, the log density of the model, and
        `log_weight`, that minus the guide's), and `prior` with `prior_predictive` on request. A plate is a dimension of
        the sites in it. Addresses with a slash have a dot in its place.

        The draws are the guide's. Log likelihoods and log weights are left out where the density is an estimate, or of
        a subsample; so are predictions where the data are inside of a marginal.

        Args:
            coords: names of the elements of dimensions, `{"school": ["A", "B"]}`.
            dims: names of the dimensions of values, `{"theta": ["school"]}`; for those that no plate names.
            key: a key; default: one of the posterior's own.
            num_samples: how many draws.
            prior: draw from the prior too.
            log_likelihood: leave out the group of that name if False, which has `num_samples` numbers for each datum.

        Raises:
            MissingPackageError: ArviZ is not installed.
            AddressError: `dims` has a value that there is not, or `coords` a dimension.

        Example:
            >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
            >>> @vipl.program
            ... def model(y):
            ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
            ...     with vipl.plate("datum", y.shape[0]):
            ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
            >>> posterior = vipl.infer(model(jnp.ones(5)), key=jax.random.key(0), num_steps=500, progress=False)
            >>> tree = posterior.to_datatree()
            >>> dict(tree["log_likelihood"]["y"].sizes)
            {'chain': 1, 'draw': 2000, 'datum': 5}
        """
        from vipl.infer.results.datatree import to_datatree

        key = self._key_of(4) if key is None else as_key(key, "to_datatree")
        options = {"coords": coords, "dims": dims, "prior": prior, "log_likelihood": log_likelihood}
        return to_datatree(self, key, num_samples, **options)

    def plot_objective(self, ax=None):
        """Draw the objective at each step of training and its running mean, in nats.

        Args:
            ax: a matplotlib Axes to draw on; default: a new figure.

        Returns:
            The Axes.

        Raises:
            MissingPackageError: matplotlib is not installed.
        """
        from vipl.infer.results.objective_figure import plot_objective

        return plot_objective(self.objective_history, f"Training of {self.model.name}", ax)

    def plot_density(self, addresses=None, reference=None):
        """Draw the density of each scalar under the guide; where its weights are fit for use, as they correct it too.

        Args:
            addresses: addresses, or names of scalars such as `"theta[0]"`; default: all, of which 24 are drawn.
            reference: what to compare with: draws by address, as `posterior.check_against_nuts(key).draws`; or a
                density as a function of an array, by the name of a scalar.

        Returns:
            An array of matplotlib Axes, one for each scalar.

        Raises:
            MissingPackageError: matplotlib is not installed.
            AddressError: there is no such address.
        """
        from vipl.infer.results.density_figure import plot_density
        from vipl.infer.results.selection import columns_of, flat_reference

        found = self.psis
        draws = self._recorded(self._key_of(1), len(found.log_weights))  # those that the weights are of
        columns = columns_of(draws, self.model, addresses)
        weights = np.exp(found.log_weights) if found.status == "good" else None
        return plot_density(columns, weights, flat_reference(reference), f"Posterior of {self.model.name}")

    def _recorded(self, key, num_samples) -> dict:
        """Return draws of latent and deterministic values, in program order."""
        values = self.sample(key, num_samples)
        values |= predict(self.guide, self.model, key, num_samples, only_deterministic=True)
        order = dict.fromkeys(located.statement.address for located in self.model.stage().statements)
        return {address: values[address] for address in order if address in values}

    def _addresses(self) -> list[str]:
        statements = (located.statement for located in self.guide.stage().statements)
        return [statement.address for statement in statements if statement.draws and not statement.hidden]

    def _facts(self) -> list[tuple[str, str]]:
        bound = "unknown" if math.isnan(self.elbo) else f"{self.elbo:.2f} ± {self.elbo_se:.2f} nats"
        khat = "unknown" if math.isnan(self.khat) else f"{self.khat:.2f} (threshold {self.psis.threshold:.2f})"
        return [("elbo", bound), ("khat", f"{khat}: {self.verdict}")]

    def _title(self) -> str:
        return f"Posterior of {self.model.name} ({', '.join(self._addresses())})"

    def _progress(self) -> str:
        return f"{self.status} after {self._num_steps} steps"

    def _advice(self) -> list[str]:
        verdict, advice = self._judgement
        return [] if verdict == "good" else list(advice[:1])

    def __repr__(self):
        lines = [self._title(), f"  {self._progress()}", *(f"  {name} {text}" for name, text in self._facts())]
        return "\n".join([*lines, *map(tables.sentence, self._advice())])

    def _repr_html_(self):
        rows = [("training", self._progress()), *self._facts()]
        return tables.titled("", tables.as_html((self._title(), ""), rows), self._advice())
