"""Gathering what a fit is judged by."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from vipl.diagnostics.trend import trend
from vipl.infer.diagnosis.diagnosis import Diagnosis
from vipl.infer.diagnosis.evidence import Evidence
from vipl.infer.diagnosis.signal import gradient_signal
from vipl.infer.diagnosis.verdict import judge
from vipl.infer.diagnosis.zero_weights import zero_term

_HAVE_MOMENTS = ("good", "high_khat")  # smoothed weights that are at least numbers


def evidence_of(posterior, weighed, key) -> Evidence:
    """Gather what needs no more than the weighed draws."""
    found = weighed.psis
    usable = bool(weighed.values) and found.status == "good"  # else the moments correct nothing, and may cost much
    return Evidence(
        status=posterior.status,
        guide=getattr(posterior.guide.fn, "__name__", ""),
        psis=found,
        flaw=weighed.flaw,
        values=weighed.values,
        moments=weighed.moments if usable else None,
        square_khats=weighed.square_khats if usable else None,
        trend=trend(posterior.objective_history),
        zero_term=zero_term(posterior.model, posterior.guide, key) if found.status == "no_mass" else "",
        restarts=posterior.restarts,
        unvisited=posterior._unvisited_by(weighed),
    )


def diagnose(posterior, problem, weighed, key) -> Diagnosis:
    """Do what `Posterior.diagnose` says."""
    key_term, key_signal = jax.random.split(key)
    signal = gradient_signal(problem, posterior._params, posterior.objective, key_signal)
    evidence = dataclasses.replace(evidence_of(posterior, weighed, key_term), signal=signal)
    verdict, advice = judge(evidence)
    found = evidence.psis
    return Diagnosis(
        name=posterior.model.name,
        verdict=verdict,
        advice=advice,
        status=posterior.status,
        elbo=weighed.elbo,
        elbo_se=weighed.elbo_se,
        khat=float(found.khat),
        khat_threshold=float(found.threshold),
        effective_sample_size=float(found.effective_sample_size),
        effective_sample_size_se=effective_size_error(np.exp(found.log_weights)),
        num_draws=weighed.num_draws,
        moments=weighed.moments if weighed.values and found.status in _HAVE_MOMENTS else None,
        values=weighed.values,
        trend=evidence.trend,
        signal_to_noise=signal,
        restarts=posterior.restarts,
    )


def effective_size_error(weights) -> float:
    """Return the standard error of `(Σ w)² / Σ w²` over draws of the weights, to first order."""
    first, second = np.mean(weights), np.mean(weights**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        influence = 2 * weights / first - weights**2 / second - 1
        return float(first**2 / second * np.sqrt(np.sum(influence**2)))
