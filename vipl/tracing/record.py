"""Building a trace from what the statements of a program put out.

An address has one output, or several, of exclusive branches, of which at most one ran.
"""

from __future__ import annotations

import functools
import itertools

import jax.numpy as jnp

from vipl._core.constructs import Conditional
from vipl._core.interpreter import interpret
from vipl._core.static import StaticValue
from vipl.lang.factor import DeterministicStatement, FactorStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.site import SampleStatement
from vipl.tracing.meaning import Meaning, total, unknown_of
from vipl.tracing.survey import Survey
from vipl.tracing.trace import Places, Site, Trace


def run(surveyed: Survey, handler: Meaning, given: dict) -> Trace:
    """Interpret a program with a handler that records, and build the trace."""
    staged = surveyed.staged
    results, outputs = interpret(staged.jaxpr, staged.consts, [], handler, handler.given() | given)
    unrecorded = [
        (str(s.statement), f"{s.statement} ran inside a while_loop", "jax.lax.scan or fori_loop with Python-int bounds")
        for s in surveyed.of_kind((SampleStatement, FactorStatement))
        if s.loop is not None
    ]
    unrecorded += [reason for output in outputs.values() if (reason := unknown_of(output))]

    def built(groups, build):
        present = {a: [outputs[s.path] for s in group if s.path in outputs] for a, group in groups.items()}
        return {address: build(group) for address, group in present.items() if group}

    sites = built(surveyed.latents, lambda group: build_site(group, False))
    sites |= built(surveyed.observed, lambda group: build_site(group, True))
    deterministics: dict[str, list] = {}
    for located in surveyed.of_kind(DeterministicStatement):
        deterministics.setdefault(located.statement.address, []).append(located)
    indices: dict[str, list] = {}
    for located in surveyed.of_kind(IndicesStatement):
        indices.setdefault(located.statement.address, []).append(located)
    recorded = built(deterministics, build_value)
    addresses = dict.fromkeys(s.statement.address for s in staged.statements)
    return Trace(
        choices={a: s.value for a, s in sites.items() if not s.observed},
        observed={a: s.value for a, s in sites.items() if s.observed},
        deterministics=recorded,
        indices=built(indices, build_value),
        sites=sites,
        value=staged.out.fill(results),
        _log_density=total(outputs),
        _order=tuple(a for a in addresses if a in sites or a in recorded),
        _unrecorded=tuple(unrecorded),
        _origin=StaticValue(surveyed.program.fn),
        _places=Places({s.statement.address: str(s.statement.source) for s in staged.statements}),
    )


def build_site(outputs, observed: bool) -> Site:
    """Return one Site from the outputs at one address: one, or several of exclusive branches."""
    parts = [_parts(output) for output in outputs]
    if len(parts) == 1:
        ((output, ran),) = parts
        return Site(output.distribution, output.value, output.log_prob, ran, observed)
    value = merge([(output.value, ran) for output, ran in parts])
    scores = _merge_scores([(output.log_prob, ran) for output, ran in parts])
    ran = functools.reduce(jnp.logical_or, _same_rank([ran for _, ran in parts]))
    return Site(tuple(output.distribution for output, _ in parts), value, scores, ran, observed)


def build_value(outputs):
    """Return one value from the outputs at one address."""
    parts = [_parts(output) for output in outputs]
    return parts[0][0].value if len(parts) == 1 else merge([(output.value, ran) for output, ran in parts])


def _merge_scores(scores_and_ran):
    """Return the log_prob of the branch that ran, summed over the axes that are an event in another branch."""
    pairs = [_same_rank([ran, score]) for score, ran in scores_and_ran]
    masked = [jnp.where(mask, score, 0.0) for mask, score in pairs]
    sizes = zip(*(score.shape for score in masked), strict=False)
    shared = len(list(itertools.takewhile(lambda lengths: len(set(lengths)) == 1, sizes)))
    summed = [jnp.sum(score, tuple(range(shared, score.ndim))) for score in masked]
    return sum(summed[1:], summed[0])


def _same_rank(arrays):
    """Append axes of size one where there are fewer than in another array."""
    rank = max(a.ndim for a in arrays)
    return [jnp.reshape(a, a.shape + (1,) * (rank - a.ndim)) for a in arrays]


def _parts(output):
    if isinstance(output, Conditional):
        return output.output, output.ran
    return output, jnp.array(True)


def merge(values_and_ran):
    """Return the value of the branch that ran; of none, zeros."""
    result = jnp.zeros_like(values_and_ran[0][0])
    for value, ran in values_and_ran:
        mask = jnp.reshape(ran, ran.shape + (1,) * (value.ndim - ran.ndim))
        result = jnp.where(mask, value, result)
    return result
