"""Variants of one expectation, that share all random numbers but those of the choices that they change."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from vipl.diagnostics.audit.alternatives import plan_of
from vipl.diagnostics.audit.arguments import Layout
from vipl.tracing.noise import draw_noise
from vipl.transform import Expectation
from vipl.transform.evaluation.estimate import evaluate
from vipl.transform.plan import Plan

_OWN = 2**31 - 1  # far from what plans fold in


class _Given(Plan):
    """A plan whose noise is drawn already: it is given in place of a key."""

    def draw_noise(self, key) -> dict:
        """Return the noise."""
        return key


@dataclasses.dataclass(frozen=True)
class Variant:
    """An expectation, and the one whose random numbers it shares."""

    expectation: Expectation
    base: Expectation
    layout: Layout

    def estimate(self, leaves, others, key, mix=lambda plan, key: plan.draw_noise(key)):
        """Return one estimate of the value.

        Args:
            leaves: the differentiated leaves.
            others: the other arrays.
            key: a key.
            mix: draws the noise of the base's plan.
        """
        args = self.layout.fill(leaves, others)
        base, _ = plan_of(self.base, args)
        plan = base if self.expectation is self.base else plan_of(self.expectation, args)[0]
        given = _Given(**{field.name: getattr(plan, field.name) for field in dataclasses.fields(plan)})

        def one(key):
            noise = mix(base, key)
            noise = noise if plan is base else _handed_over(noise, base, plan, jax.random.fold_in(key, _OWN))
            result = evaluate(given, noise)
            return result[0] if self.expectation.has_aux else result

        count = self.expectation.num_samples
        return one(key) if count == 1 else jnp.mean(jax.vmap(one)(jax.random.split(key, count)))


def _handed_over(noise: dict, base: Plan, plan: Plan, key) -> dict:
    """Return noise for a plan: that of the base's plan where it fits, and fresh noise elsewhere.

    An estimator may want a key in place of base noise; and a plan may have been rewritten, a loop unrolled, say: then
    all is drawn afresh.
    """
    if [_place(located) for located in plan.random] != [_place(located) for located in base.random]:
        return plan.draw_noise(key)
    given, fresh = {}, []
    for located, twin in zip(plan.random, base.random, strict=True):
        if _is_pooled(plan, located) == _is_pooled(base, twin):
            given[located.path] = noise[twin.path]
        else:
            fresh.append(located)
    with_keys = frozenset(located.path for located in fresh if not _is_pooled(plan, located))
    return given | draw_noise(key, fresh, with_keys)


def _place(located):
    """Return what two statements have in common that can share noise."""
    statement = located.statement
    return statement.address, located.axes, statement.full_shape, len(located.branches), located.loop is None


def _is_pooled(plan: Plan, located) -> bool:
    return located.path in plan.estimators and plan.estimators[located.path].pooled
