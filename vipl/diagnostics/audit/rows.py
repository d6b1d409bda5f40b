"""What a row of the report says apart from its bias, and the report as a whole."""

from __future__ import annotations

import fnmatch

import numpy as np

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl.diagnostics.audit.draws import Draws
from vipl.diagnostics.audit.report import Audit
from vipl.transform.explain import explain_plan
from vipl.transform.plan import Plan
from vipl.transform.soundness.jumps import jumps


def groups_of(plan: Plan, addresses) -> dict[str, list]:
    """Return the paths of everything random, by address, in program order."""
    globs = [addresses] if isinstance(addresses, str) else list(addresses)
    groups: dict[str, list] = {}
    for located in plan.random:
        if any(fnmatch.fnmatchcase(located.statement.address, pattern) for pattern in globs):
            groups.setdefault(located.statement.address, []).append(located.path)
    if plan.random and not groups:
        known = {located.statement.address for located in plan.random}
        raise AddressError(
            f"addresses={addresses!r} matches no choice." + did_you_mean(str(addresses), known),
            where=user_source(),
            fix='an address or a glob such as "z*"',
        )
    return groups


def jumps_of(plan: Plan, paths: list) -> list[str]:
    """Return the lines where choices that are reparameterised reach the objective through a jump."""
    found = jumps(plan.staged, lambda path: plan.estimators[path].pathwise)
    return list(dict.fromkeys(found[path] for path in paths if path in found))


def facts(plan: Plan, address: str, groups: dict, effects: dict, variance: float) -> dict:
    """Return what a row says apart from bias and alternatives."""
    rows = [row for row in explain_plan(plan).choices if row.address == address]
    sources = [str(s.statement.source) for s in plan.random if s.path in groups[address]]
    effect = effects[address]
    return {
        "reason": "; ".join(dict.fromkeys(row.reason for row in rows)),
        "variance": effect,
        "variance_share": None if effect is None else effect / variance if variance > 0 else 0.0,
        "num_evaluations": max((row.cost for row in rows), default=1),
        "remark": "; ".join(
            f"reaches the objective through a jump ({line})" for line in jumps_of(plan, groups[address])
        ),
        "source": "; ".join(dict.fromkeys(sources)),
    }


def assemble(expectation, layout, leaves, now: Draws, choices: tuple) -> Audit:
    """Return the audit, from the draws of the expectation as it is and the rows of its choices."""
    values = np.concatenate(now.values).astype(np.float64)
    edges = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]
    parts = np.split(now.mean, edges)
    gradient = {n: p.reshape(x.shape) for n, p, x in zip(layout.names, parts, leaves, strict=True)}
    return Audit(
        expectation.__name__,
        choices,
        float(values.mean()),
        float(values.std(ddof=1) / np.sqrt(len(values))),
        gradient,
        now.variance,
        dict(zip(layout.names, map(float, now.variances), strict=True)),
        now.largest_share,
        now.seconds_per_gradient,
        now.num_draws,
    )
