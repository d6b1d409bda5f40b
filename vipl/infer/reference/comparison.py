"""`NUTSComparison`: a fit beside NUTS, value by value."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.diagnostics import tables
from vipl.infer.diagnosis.evidence import name_of
from vipl.infer.draws.weighed import Value

_ROWS = 40
_COLUMNS = ("", "mean", "NUTS", "sd", "NUTS", "off by (sd)", "sd ratio", "R-hat", "ESS")
_RHAT, _DRAWS = 1.01, 400  # of chains that agree and are long enough (Vehtari et al. 2021, Bayesian Analysis 16(2))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NUTSComparison:
    """A fit beside the NUTS sampler on the same program. Printing it shows a table. Arrays are `(D,)`.

    Attributes:
        name: of the model.
        values: the latent and deterministic values that the arrays are of, one after the other; see `names`.
        mean, sd: of the guide.
        nuts_mean, nuts_sd: of NUTS.
        rhat: split R-hat of the chains; above 1.01 they do not agree, and are no reference.
        effective_sample_size: of the chains, in draws.
        num_divergences: transitions that went astray; more than a few mean that NUTS misses a part of the posterior.
        draws: of NUTS, by address, all chains together: `(num_chains · num_samples, …)`.
    """

    name: str
    values: tuple[Value, ...]
    mean: np.ndarray
    sd: np.ndarray
    nuts_mean: np.ndarray
    nuts_sd: np.ndarray
    rhat: np.ndarray
    effective_sample_size: np.ndarray
    num_divergences: int
    draws: dict

    @property
    def names(self) -> list[str]:
        """Names of the scalars, such as `theta[0]`."""
        return [value.name(i) for value in self.values for i in range(value.size)]

    @property
    def shift(self) -> np.ndarray:
        """Mean of the guide minus that of NUTS, in standard deviations of NUTS."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.mean == self.nuts_mean, 0.0, (self.mean - self.nuts_mean) / self.nuts_sd)

    @property
    def shift_se(self) -> np.ndarray:
        """Monte Carlo standard error of `shift`, that of NUTS."""
        return 1 / np.sqrt(self.effective_sample_size)

    @property
    def sd_ratio(self) -> np.ndarray:
        """Standard deviation of the guide over that of NUTS."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.sd == self.nuts_sd, 1.0, self.sd / self.nuts_sd)

    @property
    def caution(self) -> str:
        """Why NUTS may be no reference here, or nothing."""
        with np.errstate(invalid="ignore"):
            apart, short = np.nanmax(self.rhat, initial=1.0), np.nanmin(self.effective_sample_size, initial=np.inf)
        reasons = [f"R-hat up to {apart:.2f}"] * bool(apart > _RHAT)
        reasons += [f"an effective sample size of {short:.0f} only"] * bool(short < _DRAWS)
        reasons += [f"{self.num_divergences} divergences"] * bool(self.num_divergences)
        return f"NUTS gives reason for caution itself: {', '.join(reasons)}; a larger num_warmup=" if reasons else ""

    def _rows(self) -> list[list[str]]:
        distance = np.maximum(np.abs(self.shift), np.abs(np.log(np.maximum(self.sd_ratio, 1e-300))))
        worst = np.sort(np.argsort(-np.nan_to_num(distance, nan=np.inf), kind="stable")[:_ROWS])
        columns = (self.mean, self.nuts_mean, self.sd, self.nuts_sd)
        return [
            [
                name_of(self.values, i),
                *(tables.short(column[i]) for column in columns),
                f"{self.shift[i]:+.2f} ± {self.shift_se[i]:.2f}",
                f"{self.sd_ratio[i]:.2f}",
                f"{self.rhat[i]:.2f}",
                f"{self.effective_sample_size[i]:.0f}",
            ]
            for i in worst
        ]

    def _title(self) -> str:
        shown = f", the worst {_ROWS} of {len(self.mean)} values" if len(self.mean) > _ROWS else ""
        return f"{self.name} beside NUTS{shown}"

    def __repr__(self):
        lines = [self._title(), tables.as_text(_COLUMNS, self._rows())]
        return "\n".join(lines + [tables.sentence(self.caution, "")] * bool(self.caution))

    def _repr_html_(self):
        return tables.titled(self._title(), tables.as_html(_COLUMNS, self._rows()), [self.caution] * bool(self.caution))


def compare(weighed, chains) -> NUTSComparison:
    """Set the draws of a guide beside chains of NUTS."""
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    flat = np.concatenate(
        [np.reshape(chains.draws[v.address], (*chains.draws[v.address].shape[:2], v.size)) for v in weighed.values],
        axis=-1,
    ).astype(np.float64)
    plain = weighed.plain_moments
    with np.errstate(divide="ignore", invalid="ignore"):
        rhat, size = split_gelman_rubin(flat), effective_sample_size(flat)
    return NUTSComparison(
        name=weighed.model.name,
        values=weighed.values,
        mean=plain.mean,
        sd=plain.sd,
        nuts_mean=flat.mean(axis=(0, 1)),
        nuts_sd=flat.std(axis=(0, 1)),
        rhat=np.asarray(rhat),
        effective_sample_size=np.asarray(size),
        num_divergences=chains.num_divergences,
        draws={address: np.concatenate(list(values)) for address, values in chains.draws.items()},
    )
