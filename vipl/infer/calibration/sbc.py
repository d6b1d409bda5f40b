"""`sbc`: simulation-based calibration."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from vipl._core.errors import ParameterError
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl.guides import GuideFamily
from vipl.infer.calibration.calibration import Calibration
from vipl.infer.draws.predict import completed, whole_program
from vipl.infer.infer import infer
from vipl.infer.problem.checks import check_evidence
from vipl.lang.program import Program
from vipl.tracing.simulate import check_program
from vipl.tracing.survey import survey


def sbc(
    model: Program,
    fit=None,
    *,
    key=None,
    num_simulations: int = 200,
    num_draws: int = 99,
    alpha: float = 0.01,
    progress: bool = True,
    **options,
) -> Calibration:
    """Check a way of fitting by simulation: latent values from the prior, data from them, a fit to each data set.

    Among draws of the right posterior, the value that the data came from has any rank equally often. A guide that is
    too narrow has it at the ends too often, a biased one at one end. Use it for the choice of a guide, and for
    implementations of models and guides; for one data set, `Posterior.diagnose` and `check_against_nuts` say more.

    Args:
        model: a conditioned Program, as `vipl.infer` takes it. Its observed sites are drawn anew in each simulation, so
            their values do not matter; all else that it was given stays.
        fit: what `vipl.infer` takes as `guide`: None, a family, a Program; or a function `fit(program, key)` of the
            conditioned Program that returns a `Posterior`, or anything with `sample(key, num_samples)`. The data are in
            `program.observations`.
        key: a key.
        num_simulations: how many fits.
        num_draws: draws of each posterior; ranks go from 0 to this.
        alpha: how often a right way of fitting may fail, all tests of all values together.
        progress: show a progress bar.
        **options: of `vipl.infer`, such as `num_steps`; not with a function `fit`.

    Returns:
        A `Calibration`: `.passed`, the ranks and p-values of every scalar; printing it shows a table, `.plot()` a
        figure.

    Requirements: every latent site has a proper prior. Data sets of one shape compile once.

    Cost: `num_simulations` fits.

    Raises:
        RandomnessError: no key.
        AddressError: the model observes nothing.
        ParameterError: a number is out of range; or options are given with a function.
        DensityError: a prior is improper, or the data are inside of a marginal.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
        >>> options = {"num_simulations": 40, "num_steps": 200, "progress": False}
        >>> vipl.sbc(model(0.0), key=jax.random.key(0), **options).passed
        True

    Source: Talts, Betancourt, Simpson, Vehtari and Gelman 2018, arXiv 1804.06788, algorithm 1.
    """
    check_program(model, "sbc")
    key = as_key(key, "sbc")
    check_evidence(survey(model), user_source())
    _check_numbers(num_simulations, num_draws, alpha)
    fitted = _fitter(fit, options)
    ranks: dict[str, list] = {}
    for number in _shown(num_simulations, progress):
        key_data, key_fit, key_draws, key_ties = jax.random.split(jax.random.fold_in(key, number), 4)
        truth, data = _simulate(model, key_data)
        draws = fitted(model | data, key_fit).sample(key_draws, num_draws)
        uniforms = np.random.default_rng(np.asarray(jax.random.key_data(key_ties)))
        for address, value in truth.items():
            ranks.setdefault(address, []).append(_rank(np.asarray(value), np.asarray(draws[address]), uniforms))
    return Calibration(model.name, {a: np.stack(all_) for a, all_ in ranks.items()}, num_draws, alpha)


@jax.jit
def _simulate(model, key):
    """Return values of the latent sites from their prior, and data from them."""
    trace = completed(whole_program(model), {}, key)
    surveyed = survey(model)
    return {a: trace[a] for a in surveyed.latents}, {a: trace[a] for a in surveyed.observed}


def _rank(truth, draws, uniforms) -> np.ndarray:
    """Return how many draws are smaller than the truth; of ties, some at random."""
    return np.sum(draws < truth, axis=0) + uniforms.integers(0, np.sum(draws == truth, axis=0) + 1)


def _fitter(fit, options) -> Callable:
    if fit is None or isinstance(fit, (GuideFamily, Program, str)):
        return lambda program, key: infer(program, fit, key=key, **({"progress": False} | options))
    if not callable(fit):
        raise ParameterError(
            f"fit is {type(fit).__name__}, which is no guide and no function.",
            where=user_source(),
            fix="vipl.sbc(model, guides.FullRank(), key=key); or a function fit(program, key) that returns a Posterior",
        )
    if options:
        raise ParameterError(
            f"{next(iter(options))}= is an option of vipl.infer, which the function fit calls itself.",
            where=user_source(),
            fix=f"vipl.infer(program, …, {next(iter(options))}=…) in the function",
        )
    return fit


def _check_numbers(num_simulations, num_draws, alpha) -> None:
    for name, value, least in (("num_simulations", num_simulations, 10), ("num_draws", num_draws, 2)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ParameterError(
                f"{name} is {value!r}; it must be an int, at least {least}.", where=user_source(), fix=f"{name}=100"
            )
    if not 0 < alpha < 1:
        raise ParameterError(f"alpha is {alpha!r}, not between 0 and 1.", where=user_source(), fix="alpha=0.01")


def _shown(count: int, progress: bool):
    if not progress:
        return range(count)
    from tqdm import tqdm

    return tqdm(range(count), desc="sbc", unit="fit")
