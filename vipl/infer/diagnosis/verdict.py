"""The verdict on a fit: one rule for each way to be wrong, each with a sentence that names the cause and the next call.

The worst finding decides. `Posterior.verdict`, its repr and `Posterior.diagnose` all ask here.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vipl.infer.diagnosis.evidence import Evidence

VERDICTS = ("good", "usable with corrected weights", "unknown", "poor")
_GOOD, _USABLE, _UNKNOWN, _POOR = range(4)

_TROUBLE = ("stopped:", "diverged", "not converged")  # how a status begins that says so
# What a good fit may be off by as estimated, and at the far end of two standard errors: of a mean in standard
# deviations, of a standard deviation as the logarithm of its ratio.
_SHIFT, _SHIFT_AT_MOST = 0.15, 0.25
_LOG_RATIO, _LOG_RATIO_AT_MOST = math.log(1.15), math.log(1.25)
_SURE = 2.0
_FEW = 100.0  # effective draws
_STANDS_OUT = 5.0  # of the gradient's signal over its noise
NATS = 1.0  # below the best restart, beyond which another has not found as good an optimum
_MODES = 1.5  # R-hat of restarts that are as good, from which on they are at several modes

# The family to try when one does not suffice, by the name of the guide's function.
_NEXT = {
    "delta": "guide=guides.FullRank()",
    "mean_field": "guide=guides.FullRank()",
    "low_rank": "guide=guides.FullRank()",
    "laplace": "guide=guides.FullRank()",
    "asvi": "guide=guides.FullRank()",
    "full_rank": "guide=guides.Flow()",
    "structured": "guide=guides.Flow()",
    "mixture": "guide=guides.Flow()",
    "flow": "num_restarts=4",
}
_CORRECTED = "posterior.expectation(fn) and posterior.resample(key, 1000) correct it"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is to be said: how bad it is, as a position in `VERDICTS`, and a sentence."""

    severity: int
    sentence: str


def judge(evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    """Return the verdict, one of `VERDICTS`, and the sentences of advice, the worst first."""
    findings = [finding for rule in _RULES for finding in rule(evidence)]
    findings.sort(key=lambda finding: -finding.severity)
    worst = findings[0].severity if findings else _GOOD
    return VERDICTS[worst], tuple(finding.sentence for finding in findings)


def _training(evidence):
    if evidence.status.startswith(_TROUBLE):
        yield Finding(
            _USABLE,
            f"Training did not end well ({evidence.status}): vipl.infer with a larger num_steps= or a smaller "
            "learning rate, from params=posterior.params.",
        )


def _weights(evidence):
    found = evidence.psis
    if evidence.flaw:
        yield Finding(
            _UNKNOWN,
            f"There are no importance weights, so no k̂ and no corrected moments: {evidence.flaw}. Bind the model to "
            "all data, without subsample_size, and judge vipl.infer(model, guide, params=posterior.params, "
            "num_steps=0, key=key).",
        )
    elif found.status == "invalid":
        yield Finding(_POOR, "Some log weights are NaN or +inf: look at the model's terms at posterior.sample(key, 1).")
    elif found.status == "no_mass":
        why = evidence.zero_term or "the model's log density is -inf at every draw"
        yield Finding(_POOR, f"Every importance weight is zero: {why}; correct the data or that site's distribution.")
    elif found.status == "too_few_draws":
        yield Finding(_POOR, "Too few weights above zero to judge: posterior.diagnose(num_samples=100_000).")
    elif found.khat > found.threshold:
        yield Finding(
            _POOR,
            f"k̂ = {found.khat:.2f} is above {found.threshold:.2f}: the guide hardly visits where much of the posterior "
            f"is, and weights cannot mend that; {_better(evidence)}.",
        )
    elif found.effective_sample_size < _FEW:
        yield Finding(
            _USABLE,
            f"The weights are worth {found.effective_sample_size:.0f} draws only: "
            f"posterior.diagnose(num_samples=100_000) sees more; {_better(evidence)}.",
        )


def _unvisited(evidence):
    if evidence.unvisited is not None:
        several = "more components" if evidence.guide == "mixture" else "guide=guides.Mixture()"
        yield Finding(
            _POOR,
            f"About {evidence.unvisited.share:.0%} of the posterior is where the guide never draws, near "
            f"{evidence.unvisited.name} = {evidence.unvisited.value:.3g}, and weights do not see it: {several} for "
            "several modes.",
        )


def _point(evidence):
    if evidence.moments is None:
        return
    fixed = evidence.moments.constant & evidence.each(lambda value: value.latent and not value.discrete)
    if fixed.any():
        yield Finding(
            _POOR,
            f"The guide has a single point for {_first(evidence, fixed)}, and no spread: {_better(evidence)} for "
            "uncertainty.",
        )


def _means(evidence):
    found = evidence.moments
    if found is None:
        return
    wrong, blurred = _beyond(found.shift, found.shift_se, _SHIFT, _SHIFT_AT_MOST)
    if wrong.any():
        worst = _worst(found.shift, wrong)
        yield Finding(
            _USABLE,
            f"The mean of {evidence.name(worst)} is {found.mean[worst]:.4g} and, corrected, "
            f"{found.corrected_mean[worst]:.4g}: off by {found.shift[worst]:+.2f} ± {found.shift_se[worst]:.2f} sd"
            f"{_others(wrong)}; {_CORRECTED}, {_better(evidence)} or a larger num_steps= avoids it.",
        )
    if blurred.any():
        yield Finding(_USABLE, _blur(evidence, "mean", blurred))


def _spreads(evidence):
    found = evidence.moments
    if found is None:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio, error = np.log(found.sd_ratio), found.sd_ratio_se / found.sd_ratio
    wrong, blurred = _beyond(log_ratio, error, _LOG_RATIO, _LOG_RATIO_AT_MOST)
    continuous = ~evidence.each(lambda value: value.discrete).astype(bool)
    if (wrong & continuous).any():
        worst = _worst(log_ratio, wrong & continuous)
        yield Finding(
            _USABLE,
            f"The guide is too {'narrow' if found.sd_ratio[worst] < 1 else 'wide'} for {evidence.name(worst)}: its sd "
            f"is {found.sd_ratio[worst]:.2f} ± {found.sd_ratio_se[worst]:.2f} of the corrected"
            f"{_others(wrong & continuous)}; {_CORRECTED}, {_better(evidence)} avoids it.",
        )
    if (blurred & continuous).any():
        yield Finding(_USABLE, _blur(evidence, "sd", blurred & continuous))


def _tails(evidence):
    if evidence.square_khats is None:
        return
    heavy = evidence.square_khats > evidence.psis.threshold
    heavy &= ~evidence.each(lambda value: value.discrete).astype(bool)
    if heavy.any():
        worst = _worst(evidence.square_khats, heavy)
        yield Finding(
            _USABLE,
            f"The weights serve for means, and not for the sd of {evidence.name(worst)}{_others(heavy)}: with its "
            f"square k̂ is {evidence.square_khats[worst]:.2f}, so the guide has too little of its tail; "
            f"{_better(evidence)}.",
        )


def _beyond(value, error, limit, at_most):
    """Return which are off by more than `limit`, and which others may be off by more than `at_most`."""
    wrong = ~(np.abs(value) <= limit)
    return wrong, ~wrong & ~(np.abs(value) + _SURE * error <= at_most)


def _worst(value, wrong) -> int:
    return int(np.argmax(np.where(wrong, np.nan_to_num(np.abs(value), nan=np.inf), -1.0)))


def _blur(evidence, what, which) -> str:
    return (
        f"Too few effective draws to tell whether the {what} of {_first(evidence, which)} is right: "
        f"posterior.diagnose(num_samples=100_000), or {_better(evidence)}."
    )


def _restarts(evidence):
    if evidence.restarts is None:
        return
    behind = evidence.restarts.behind
    if behind.any():
        yield Finding(
            _GOOD,
            f"{behind.sum()} of {len(behind)} restarts ended over {NATS:g} nat below the best: there are several "
            "optima, and weights do not see one that no run found; a larger num_restarts= looks for more.",
        )
    if (rhat := float(evidence.restarts.rhat)) > _MODES:
        yield Finding(
            _POOR,
            f"Restarts that are as good as the best have other latent values (R-hat {rhat:.1f}): the posterior "
            "has several modes, and the guide is at one of them; guide=guides.Mixture() covers several.",
        )


def _objective(evidence):
    if evidence.trend.word in ("still rising", "falling"):
        cure = "a larger num_steps=" if evidence.trend.word == "still rising" else "a smaller learning rate"
        yield Finding(_GOOD, f"The objective was {evidence.trend}: {cure}.")
    signal = evidence.signal
    if signal is not None and _STANDS_OUT < signal < np.inf:
        yield Finding(
            _GOOD,
            f"The mean gradient at the end is {signal:.1f} times its standard error, as if training had stopped early: "
            "a larger num_steps=.",
        )


_RULES = (_training, _weights, _unvisited, _point, _means, _spreads, _tails, _restarts, _objective)


def _better(evidence) -> str:
    return _NEXT.get(evidence.guide, 'guide="auto"')


def _first(evidence, which) -> str:
    return evidence.name(int(np.argmax(which))) + _others(which)


def _others(which) -> str:
    more = int(which.sum()) - 1
    return f" (and {more} of {which.size - 1} others)" if more else ""
