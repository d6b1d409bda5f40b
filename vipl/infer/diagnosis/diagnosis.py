"""`Diagnosis`: what is known of the quality of a fit."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from vipl.diagnostics import tables
from vipl.diagnostics.moments import CorrectedMoments
from vipl.diagnostics.trend import Trend
from vipl.infer.diagnosis.evidence import name_of
from vipl.infer.draws.weighed import Value

_ROWS = 12
_COLUMNS = ("", "mean", "corrected", "sd", "corrected", "off by (sd)", "sd ratio")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """Whether a fit worked, by several measures, and what to do next. Printing it shows all.

    Attributes:
        name: of the model.
        verdict: one of
            "good": training ended well, k̂ is below its threshold, importance weighting moves no mean by over 0.15 sd
            and no sd by a factor outside [0.87, 1.15], nor perhaps by 0.25 sd or [0.8, 1.25] within Monte Carlo
            error, and paths from random points find no mass where the guide never draws;
            "usable with corrected weights": k̂ is below its threshold, and the moments of the guide are off, or training
            did not settle: `Posterior.expectation` and `Posterior.resample` correct what the guide has wrong;
            "poor": neither the guide nor its weights are to be trusted;
            "unknown": the weights are of subsamples of the data, which say nothing.
        advice: sentences, the worst first, each with a cause and the next call; none where all is well.
        status: of the training.
        elbo: the evidence lower bound, in nats.
        elbo_se: its Monte Carlo standard error.
        khat: shape of the tail of the importance weights; by itself it cannot see a mode that the guide never visits.
        khat_threshold: up to which k̂ this many draws serve.
        effective_sample_size: how many independent posterior draws the weighted draws are worth.
        effective_sample_size_se: its standard error.
        num_draws: how many draws there are.
        moments: mean and sd of every scalar of the guide and corrected by importance weights, with Monte Carlo errors,
            in the order of `names`; None where the weights are no use. These see what k̂ does not.
        values: the latent and deterministic values that they are of.
        trend: of the objective over the last fifth of training.
        signal_to_noise: length of the mean gradient at the end over its standard error, from 256 gradients. Near 1 at
            an optimum; a high value says that training stopped early. None where the objective is not known.
        restarts: the record of several runs, or None.
    """

    name: str
    verdict: str
    advice: tuple[str, ...]
    status: str
    elbo: float
    elbo_se: float
    khat: float
    khat_threshold: float
    effective_sample_size: float
    effective_sample_size_se: float
    num_draws: int
    moments: CorrectedMoments | None
    values: tuple[Value, ...]
    trend: Trend
    signal_to_noise: float | None
    restarts: Any

    @property
    def names(self) -> list[str]:
        """Names of the scalars, such as `theta[0]`."""
        return [value.name(i) for value in self.values for i in range(value.size)]

    @property
    def effective_share(self) -> float:
        """`effective_sample_size` as a share of the draws."""
        return self.effective_sample_size / self.num_draws

    def _lines(self) -> list[tuple[str, str]]:
        lines = [
            ("status", self.status),
            ("elbo", f"{self.elbo:.2f} ± {self.elbo_se:.2f} nats"),
            ("k̂", f"{self.khat:.2f} (threshold {self.khat_threshold:.2f})"),
            (
                "effective draws",
                f"{self.effective_sample_size:.0f} ± {self.effective_sample_size_se:.0f} of {self.num_draws}, "
                f"{self.effective_share:.1%}",
            ),
            ("objective", str(self.trend)),
        ]
        if self.signal_to_noise is not None:
            lines.append(("gradient", f"signal to noise {self.signal_to_noise:.1f} (about 1 at an optimum)"))
        if self.restarts is not None:
            objectives = np.asarray(self.restarts.objectives, float)
            spread = f"{np.nanmax(objectives):.2f} down to {np.nanmin(objectives):.2f} nats"
            lines.append(("restarts", f"{len(objectives)}: {spread}; R-hat {float(self.restarts.rhat):.2f}"))
        return lines

    def _rows(self) -> list[list[str]]:
        """Return the worst scalars, in their order; none where the weights do not correct."""
        m = self.moments
        if m is None or self.khat > self.khat_threshold:
            return []
        worst = np.sort(np.argsort(-m.distance, kind="stable")[:_ROWS])
        return [
            [
                name_of(self.values, i),
                *(tables.short(column[i]) for column in (m.mean, m.corrected_mean, m.sd, m.corrected_sd)),
                f"{m.shift[i]:+.2f} ± {m.shift_se[i]:.2f}",
                f"{m.sd_ratio[i]:.2f} ± {m.sd_ratio_se[i]:.2f}",
            ]
            for i in worst
        ]

    def _caption(self) -> str:
        count = sum(value.size for value in self.values)
        return f"the guide, and corrected by importance weights (the worst {_ROWS} of {count})" * (count > _ROWS)

    def __repr__(self):
        lines = [f"Diagnosis of {self.name}: {self.verdict}"]
        lines += [f"  {label:<16} {text}" for label, text in self._lines()]
        lines += [""] * bool(self.advice) + [tables.sentence(one) for one in self.advice]
        rows = self._rows()
        if rows:
            lines += ["", *[f"  {self._caption()}"] * bool(self._caption())]
            lines += ["  " + line for line in tables.as_text(_COLUMNS, rows).splitlines()]
        return "\n".join(lines)

    def _repr_html_(self):
        facts = tables.as_html(("Diagnosis", f"{self.name}: {self.verdict}"), self._lines())
        rows = self._rows()
        return tables.titled("", facts, self.advice) + (
            tables.titled(self._caption(), tables.as_html(_COLUMNS, rows)) if rows else ""
        )
