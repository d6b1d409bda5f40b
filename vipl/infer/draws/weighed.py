"""Draws of a fitted guide, each weighed against the model: what every judgement of a fit is made from.

The log weight of a draw x is `log p(x, data) − log q(x)`, in nats. Draws are made in chunks and, where they are many
numbers, made again from the same keys whenever they are asked for, so memory is that of one chunk.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.hosts import gathered
from vipl.diagnostics import psis
from vipl.diagnostics.moments import CorrectedMoments, corrected_moments
from vipl.infer.draws.predict import recorded
from vipl.infer.draws.subsampling import absent_data, covering_blocks
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.objectives import elbo
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate
from vipl.tracing.survey import survey

_DRAWS = (1000, 10_000)  # the fewest and the most that are made unasked
_NUMBERS = 10**8  # about as many numbers are drawn in all, unless that means too few draws
_KEPT = 10**7  # as many are kept in memory
_AT_ONCE = 500  # draws that are computed together
_LOOKED_AT = 200  # scalars whose squares are judged
_MORE = 10  # times the draws, where they leave it open whether the guide serves
_TERMS = 10**9  # of log densities, that this may cost at most


@dataclasses.dataclass(frozen=True)
class Value:
    """A latent or deterministic value.

    Attributes:
        address: its address.
        shape: of one draw.
        latent: whether it is a latent site.
        discrete: whether it is an integer or a truth value.
    """

    address: str
    shape: tuple[int, ...]
    latent: bool
    discrete: bool

    @property
    def size(self) -> int:
        """How many scalars it has."""
        return math.prod(self.shape)

    def name(self, position: int) -> str:
        """Name one of its scalars: `x`, or `x[0, 0]`, `x[0, 1]`, …."""
        index = map(str, np.unravel_index(position, self.shape)) if self.shape else ()
        return self.address + (f"[{', '.join(index)}]" if self.shape else "")


class Weighed:
    """Draws of a guide and their log weights.

    Args:
        model, guide: the programs.
        key: a key.
        num_draws: how many draws; default: 10 000, fewer of very large models.
        at_least: how many draws at least, if they are not given.
        whole: whether the programs are of all data.

    Attributes:
        model, guide: the programs.
        values: the latent and deterministic values, in program order.
        num_draws: how many draws there are.
        absent: latent sites of the model that the guide does not have: data that were not passed.
    """

    def __init__(self, model: Program, guide: Program, key, num_draws=None, *, at_least: int = 0, whole: bool = True):
        self.model, self.guide, self._key, self._is_whole = model, guide, key, whole
        self.absent = absent_data(model, guide)
        self._blocks = None if self.absent else covering_blocks(model, guide)
        _, shapes = jax.eval_shape(_one, model, guide, key, self._blocks)
        order = dict.fromkeys(located.statement.address for located in model.stage().statements)
        self.values = tuple(_value(model, address, shapes[address]) for address in order if address in shapes)
        numbers = max(sum(value.size for value in self.values), 1)
        self.num_draws = num_draws or max(int(np.clip(_NUMBERS // numbers, *_DRAWS)), at_least)
        self._terms = max(
            sum(math.prod(located.full_shape) for located in survey(model).of_kind(SampleStatement)), numbers
        )
        self._at_once = int(np.clip(_KEPT // self._terms, 1, min(_AT_ONCE, self.num_draws)))
        self._kept = [] if numbers * self.num_draws <= _KEPT else None

    def settled(self) -> Weighed:
        """Return these draws, or ten times as many if they are nearly equal in weight and k̂ is high all the same.

        The tail of such weights is a few draws of 10 000, and k̂ hardly more than a guess. By the compiled function.
        """
        found, num_draws = self.psis, _MORE * self.num_draws
        open_question = found.status == "high_khat" and found.effective_sample_size > self.num_draws / 2
        if not open_question or self._terms * num_draws > _TERMS:
            return self
        return Weighed(self.model, self.guide, self._key, num_draws, whole=self._is_whole)

    @property
    def flaw(self) -> str:
        """Why the weights are no importance weights, or nothing."""
        if self.absent:
            return f"the model was bound without its data, {', '.join(map(repr, self.absent))}"
        return "they are of subsamples of the data" if self._blocks is None or not self._is_whole else ""

    @functools.cached_property
    def log_weights(self) -> np.ndarray:
        """The log weights; `(num_draws,)`, in nats."""
        return np.concatenate([log_weights for log_weights, _ in self._chunks()]).astype(np.float64)

    @functools.cached_property
    def psis(self):
        """The smoothed weights; see `vipl.diagnostics.psis`. Invalid where the weights have a `flaw`."""
        return psis(np.full(self.num_draws, np.nan) if self.flaw else self.log_weights)

    @property
    def weights(self) -> np.ndarray:
        """The smoothed weights, which sum to 1; `(num_draws,)`."""
        return np.exp(self.psis.log_weights)

    def draws(self) -> Iterator[dict]:
        """Yield the draws in chunks: dicts from address to an array with a leading axis."""
        self.log_weights  # noqa: B018  (keeps the draws, if they are few)
        yield from (draws for _, draws in self._chunks()) if self._kept is None else self._kept

    @functools.cached_property
    def moments(self) -> CorrectedMoments:
        """Moments of every scalar of `values`, in order."""
        return corrected_moments(self.weights, map(self.flat, self.draws()))

    @functools.cached_property
    def plain_moments(self) -> CorrectedMoments:
        """The same with equal weights: the guide's own."""
        return corrected_moments(np.full(self.num_draws, 1 / self.num_draws), map(self.flat, self.draws()))

    @functools.cached_property
    def square_khats(self) -> np.ndarray:
        """k̂ of the weights times the squared deviations of a scalar, which says whether its sd can be corrected.

        Of the 200 scalars that are furthest off; NaN of others, and of those that do not vary.
        """
        moments, khats = self.moments, np.full_like(self.moments.mean, np.nan)
        chosen = np.argsort(-moments.distance, kind="stable")[:_LOOKED_AT]
        columns = np.concatenate([self.flat(draws)[:, chosen] for draws in self.draws()]).astype(np.float64)
        for position, column in zip(chosen, columns.T, strict=True):
            if np.isfinite(column).all() and not moments.constant[position]:
                with np.errstate(divide="ignore"):
                    log_square = np.log(np.square(column - moments.corrected_mean[position]))
                khats[position] = psis(self.log_weights + log_square).khat
        return khats

    def flat(self, draws) -> np.ndarray:
        """Return draws by address as one array, `(n, D)`, of the scalars of `values` in order."""
        arrays = [draws[value.address] for value in self.values]
        return np.concatenate([array.reshape(len(array), -1 if array.size else 0) for array in arrays], axis=1)

    @property
    def elbo(self) -> float:
        """The evidence lower bound, in nats; NaN where only a batch of the data is known."""
        return float(np.mean(self.log_weights)) if self._is_whole else math.nan

    @property
    def elbo_se(self) -> float:
        """Its Monte Carlo standard error, in nats."""
        if not self._is_whole:
            return math.nan
        with np.errstate(invalid="ignore"):
            return float(np.std(self.log_weights, ddof=1) / math.sqrt(self.num_draws))

    def _chunks(self) -> Iterator[tuple[np.ndarray, dict]]:
        keys = jax.random.split(self._key, self.num_draws)
        padded = jnp.concatenate([keys, keys[: -self.num_draws % self._at_once]])
        for start in range(0, self.num_draws, self._at_once):
            found = _weigh(self.model, self.guide, padded[start : start + self._at_once], self._blocks)
            wanted = slice(self.num_draws - start)
            log_weights, draws = jax.tree.map(lambda x, wanted=wanted: gathered(x)[wanted], found)
            if self._kept is not None:
                self._kept.append(draws)
            yield log_weights, draws


def _value(model, address, aval) -> Value:
    discrete = not jnp.issubdtype(aval.dtype, jnp.floating)
    return Value(address, aval.shape, address in survey(model).latents, discrete)


@jax.jit
def _weigh(model, guide, keys, blocks):
    return jax.vmap(lambda key: _one(model, guide, key, blocks))(keys)


def _one(model, guide, key, blocks):
    """Return the log weight of one draw, and the draw."""
    trace = simulate(guide, key)  # the draw that `Posterior.sample` makes with this key
    if absent_data(model, guide):
        return jnp.full((), jnp.nan), recorded(model, dict(trace.choices), jax.random.fold_in(key, 1))
    if blocks is None:
        return elbo(key, model, guide), dict(trace.choices)
    estimating = bool(survey(model).estimating)

    def density(block=None):
        seen = model if block is None else model.replace(observations=model.observations | block)
        return log_density(seen, trace, jax.random.fold_in(key, 2) if estimating else None)

    log_model = jnp.mean(jax.lax.map(density, blocks)) if blocks else density()
    return log_model - trace.log_density, recorded(model, dict(trace.choices), jax.random.fold_in(key, 1))
