"""`audit`: measure what `explain` says."""

from __future__ import annotations

import dataclasses
import time

import jax

from vipl.diagnostics.audit.alternatives import candidates_of, in_use, plan_of
from vipl.diagnostics.audit.arguments import checked, take_apart
from vipl.diagnostics.audit.bias import MORE
from vipl.diagnostics.audit.choices import Measured, conclude, judge_present
from vipl.diagnostics.audit.differences import judge_by_differences
from vipl.diagnostics.audit.draws import NUM_CHUNKS, Draws
from vipl.diagnostics.audit.effects import total_effects
from vipl.diagnostics.audit.measure import draw, fresh, pilot, try_pilot
from vipl.diagnostics.audit.open_questions import answer, wants_differences, without_the_biased
from vipl.diagnostics.audit.report import Audit, ChoiceAudit
from vipl.diagnostics.audit.rows import assemble, facts, groups_of, jumps_of
from vipl.diagnostics.audit.variant import Variant
from vipl.transform import Expectation


def audit(
    expectation: Expectation, *args, key=None, argnums=None, num_draws: int = 4096, addresses="*", timer=None
) -> Audit:
    """Measure variance, cost and bias of the gradient of an expectation, choice by choice, and recommend estimators.

    For each choice (all statements of one address): the part of the gradient's variance that is due to it; the share of
    the seconds that its estimator costs; whether the mean gradient agrees with a trustworthy alternative (enumeration,
    the score function, or central differences of the expectation with common random numbers); and the estimator with
    the least variance in the same time. Use it when training is slow or goes astray, and before trusting an estimator
    of your own. Where `expectation.explain(…)` reads the plan, this draws from it.

    Args:
        expectation: what `vipl.expectation` made, or an objective of the library.
        *args: its arguments, without the key.
        key: a key.
        argnums: which arguments are differentiated, an int or several; default: all. In each, all floating-point
            leaves are.
        num_draws: how many gradients of every alternative are drawn, at least 512; a suspected bias is confirmed with
            ten times as many. With `num_samples` n, a gradient is the mean of n.
        addresses: a glob, or several, of the choices to look at. Each takes up to six compilations.
        timer: returns seconds; default: `time.perf_counter`.

    Returns:
        An `Audit`; printing it shows a table. `.recommendations` is ready for `expectation.with_estimators`. Values
        are in the units of the expectation (nats for an ELBO), variances in those of the gradient squared, summed over
        its elements.

    Requirements: an expectation whose gradient exists; one gradient at a time must fit in memory, and 64 means of it.

    Raises:
        ProgramError: it is no expectation.
        RandomnessError: the key is missing, or is no key.
        ParameterError: nothing can be differentiated; or `num_draws` is too small.
        AddressError: `addresses` matches no choice.
        EstimatorError: an estimator in use cannot serve its site.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def objective(p):
        ...     return 3.0 * vipl.sample("x", dist.Bernoulli(p), estimator=estimators.ScoreFunction())
        >>> result = vipl.audit(objective, 0.4, key=jax.random.key(0))
        >>> result["x"].bias.reference, result["x"].bias.verdict
        ('Enumerate(max_size=256)', 'none')
        >>> result.choices[0].alternatives[1].variance     # of Enumerate
        0.0

    Source: total effects after Jansen 1999, Comput. Phys. Commun. 117:35 (Saltelli et al. 2010, ibid. 181:259, table
    2); variance times seconds as the measure of efficiency: Glynn and Whitt 1992, Oper. Res. 40:505.
    """
    key = checked(expectation, key, num_draws)
    layout, leaves, others = take_apart(args, argnums)
    plan, suspected = plan_of(expectation, args)
    present = in_use(plan)
    groups = groups_of(plan, addresses)
    base = Variant(expectation, expectation, layout)
    size = -(-num_draws // NUM_CHUNKS)
    timer = timer or time.perf_counter
    key_pilot, key_draws, key_effects, key_more, key_differences = jax.random.split(key, 5)

    now = pilot(base, leaves, others, key_pilot, size)
    choices = []
    for address in (a for a in present if a in groups):
        found = candidates_of(address, present, expectation, args, suspected)
        drawn = [
            c.refusal
            or try_pilot(dataclasses.replace(base, expectation=c.expectation), leaves, others, key_pilot, size)
            for c in found
        ]
        choices.append(Measured(address, present[address], now, tuple(zip(found, drawn, strict=True))))
    everything = [now, *(draws for choice in choices for _, draws in choice.drawn)]
    draw(everything, leaves, others, key_draws, size, timer)
    effects = total_effects(base, tuple(groups), leaves, others, key_effects, size, now.rounding)

    def draw_more(several: list[Draws]) -> list[Draws]:
        nonlocal key_more
        key_more, key_now = jax.random.split(key_more)
        again = [fresh(draws) for draws in several]
        draw(again, leaves, others, key_now, size, timer, runs=MORE)
        return again

    judged = {choice.address: judge_present(choice, draw_more) for choice in choices}
    open_questions = [choice.address for choice in choices if wants_differences(choice, judged[choice.address])]
    biases = {address: bias for address, bias in judged.items() if bias is not None}
    if open_questions:
        right = without_the_biased(base, choices, judged, present, args)
        verdict = judge_by_differences(right, leaves, others, key_differences, size)
        jumped = {address for address in groups if jumps_of(plan, groups[address])}
        biases |= answer({address: judged[address] for address in open_questions}, verdict, jumped)

    rows = {}
    for choice in choices:
        fields = facts(plan, choice.address, groups, effects, now.variance)
        rows[choice.address] = conclude(choice, biases[choice.address], draw_more, **fields)
    for address in groups:
        if address not in rows:  # a subsampled plate
            fields = facts(plan, address, groups, effects, now.variance)
            rows[address] = ChoiceAudit(address, "subsampling", **fields)
    return assemble(expectation, layout, leaves, now, tuple(rows[address] for address in groups))
