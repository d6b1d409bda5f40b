"""Is the mean gradient of one estimator that of another? Explore with the draws at hand, then confirm with fresh ones.

Exploration looks at every element of the gradient, at the value, and at the length of the mean difference. What it
finds suspicious is tested again on ten times as many fresh draws, along three directions fixed before these were
drawn: the mean difference found, its worst element, and the value. So however many elements there are, a right
estimator is called biased with probability at most `ALARM`, as far as chunk means are normal; tails too heavy for that
are reported in place of a result.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.diagnostics.audit.comparison import compare, confirm
from vipl.diagnostics.audit.draws import HEAVY, Draws, share_of_differences
from vipl.diagnostics.audit.report import Bias

ALARM = 1e-4  # probability of a false alarm, for each choice
COARSE = 0.1  # a test that could only see more than this share of the gradient shows nothing
MORE = 10  # how many times as many draws confirm


def judge(draws: Draws, reference: Draws, name: str, draw_more, control: Draws | None = None) -> Bias:
    """Return whether a variant is biased against a reference.

    Args:
        draws: of the variant.
        reference: of the reference, with the same keys.
        name: of the reference.
        draw_more: called with variants; returns fresh draws of them, ten times as many.
        control: another variant that is right and draws the choice. Where it is found biased too, the draws have not
            seen all that there is, such as a rare value with a large score.
    """
    unfit = _unfit(draws, reference)
    if unfit:
        return Bias("not trustworthy", name, num_draws=draws.num_draws, remark=unfit)
    found = compare(draws, reference)
    resolution = found.visible / found.reference_length if found.reference_length else float("inf")
    result = Bias("none", name, resolution=resolution, num_draws=draws.num_draws)
    if found.is_suspicious:
        more, more_reference, *more_control = draw_more([d for d in (draws, reference, control) if d is not None])
        unfit = _unfit(more, more_reference)
        z, p = confirm(more, more_reference, found)
        result = dataclasses.replace(result, num_draws=more.num_draws, z=z)
        if unfit:
            return dataclasses.replace(result, verdict="not trustworthy", resolution=None, z=None, remark=unfit)
        if p < ALARM:
            if control is not None and confirm(more_control[0], more_reference, found)[1] < ALARM:
                remark = f"{control_name(control)} disagrees as well: rare values, which the draws have not shown"
                return dataclasses.replace(result, verdict="not trustworthy", resolution=None, z=None, remark=remark)
            again = compare(more, more_reference)
            size = float(np.sqrt(max(np.sum(again.difference**2) - np.sum(again.errors**2), 0.0)))
            size_to_gradient = size / again.reference_length if again.reference_length else float("inf")
            remark = "" if np.abs(again.scores).max() > abs(again.value_score) else "in its value too"
            return dataclasses.replace(
                result, verdict="biased", size=size, relative_size=size_to_gradient, remark=remark
            )
    if resolution > COARSE:
        return dataclasses.replace(result, verdict="not shown", remark=needed(resolution, draws.num_draws))
    return result


def control_name(control: Draws) -> str:
    """Return the estimator of a control, in words."""
    return repr(control.variant.expectation.estimators[-1][1])


def needed(resolution: float, num_draws: int) -> str:
    """Say how many draws would show a bias of a tenth."""
    if not np.isfinite(resolution):
        return "the gradient itself is not told from zero"
    return f"num_draws={float(f'{num_draws * (resolution / COARSE) ** 2:.2g}'):.0f} would show {COARSE:.0%}"


def _unfit(draws: Draws, reference: Draws) -> str | None:
    if not (draws.finite and reference.finite):
        return "some gradients are not finite"
    share = share_of_differences(draws, reference)
    return f"heavy tail: one draw carries {share:.0%} of the squared differences" if share > HEAVY else None
