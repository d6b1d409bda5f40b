"""`guide="auto"`: several families are fitted in turn, from simple to flexible, and judged; the best is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import numpy as np

from vipl._core.errors import NonFiniteError, ParameterError, ProgramError
from vipl._core.source import user_source
from vipl.guides.family import GuideFamily
from vipl.guides.flow import Flow
from vipl.guides.full_rank import FullRank
from vipl.guides.latents import latents_of
from vipl.guides.low_rank import LowRank
from vipl.guides.mean_field import MeanField
from vipl.guides.mixture import Mixture
from vipl.guides.prior_coordinates import around_others
from vipl.guides.start.find import LARGEST, can_find
from vipl.infer.diagnosis.verdict import VERDICTS
from vipl.infer.posterior import Posterior
from vipl.lang.program import Program
from vipl.tracing.survey import Survey, survey


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A family that was tried.

    Attributes:
        guide: the family.
        verdict: of its fit.
        elbo: its evidence lower bound, in nats; NaN where the training met a value that is not finite.
        khat: of its importance weights; likewise.
        status: how its training ended.
    """

    guide: GuideFamily
    verdict: str
    elbo: float
    khat: float
    status: str


def fit_best(model, key, fit: Callable, **options) -> Posterior:
    """Return the best posterior of several families.

    Args:
        model: a conditioned Program.
        key: a key; each family has one of its own.
        fit: `fit(model, guide, key)` returns a Posterior.
        options: options of `infer` that one family alone can have, by name, None where they are not given.

    Raises:
        ParameterError: one of them is given.
        ProgramError: the model is no Program.
        NonFiniteError: every family met a value that is not finite; that of the first.
    """
    if not isinstance(model, Program):
        raise ProgramError(
            'guide="auto" looks at a Program, and the model is a function.',
            where=user_source(),
            fix="guide=guides.MeanField(), or a guide of your own",
        )
    for name, value in options.items():
        if value is not None:
            raise ParameterError(
                f'guide="auto" tries several guides, and {name}= belongs to one.',
                where=user_source(),
                fix=f"leave {name}= out; or guide=guides.FullRank()",
            )
    best, tried, first_error = None, [], None
    for position, guide in enumerate(candidates(survey(model))):
        try:
            posterior = fit(model, guide, jax.random.fold_in(key, position))
        except NonFiniteError as error:  # of one family, such as one that draws further out than the others
            first_error = first_error or error
            if error.posterior is None:
                raise
            tried.append(Candidate(guide, VERDICTS[-1], float("nan"), float("nan"), error.posterior.status))
            continue
        tried.append(Candidate(guide, posterior.verdict, posterior.elbo, posterior.khat, posterior.status))
        if best is None or _rank(posterior) > _rank(best):
            best = posterior
        if posterior.status == "interrupted" or posterior.verdict == "good":
            break
    if best is None:
        assert first_error is not None, "there is always a candidate"
        raise first_error
    best.candidates = tuple(tried)
    return best


def candidates(surveyed: Survey) -> list[GuideFamily]:
    """Return the families to try for a model, the simplest first."""
    latents = latents_of(surveyed, "auto")
    if not can_find(surveyed, latents):
        size = latents.together.size
        return [MeanField(), LowRank()] if size > LARGEST else [FullRank()] if size else [MeanField()]
    if around_others(surveyed):
        return [FullRank(), FullRank(noncentered=True), Flow(noncentered=True), Flow(), Mixture()]
    return [FullRank(), Flow(), Mixture()]


def _rank(posterior: Posterior):
    """Return what makes one fit better than another: the verdict first, then the bound."""
    bound = posterior.elbo
    return (-VERDICTS.index(posterior.verdict), bound if np.isfinite(bound) else -np.inf)
