"""Finding the site at which training met a value that is not finite. Runs only when that has happened."""

from __future__ import annotations

import jax
import numpy as np

from vipl._core.errors import NonFiniteError, VIPLError
from vipl.distributions.support import constraint_name, describe_constraint, parameter_violations
from vipl.infer.training.bad_gradient import find_bad_gradient
from vipl.infer.training.loop import all_finite
from vipl.tracing.simulate import simulate
from vipl.tracing.site_terms import site_terms
from vipl.transform.expectation import expectation

_DRAWS = 16  # that are looked at for one like that of an objective of several draws


@expectation(has_aux=True)
def _terms(model, guide):
    """Return the terms of a draw from the guide, of guide and model."""
    trace = simulate(guide)
    sites = {address: (site.distribution, site.value, site.log_prob) for address, site in trace.sites.items()}
    return trace.log_density, (sites, site_terms(model, trace))


def explain_non_finite(broken) -> NonFiniteError:
    """Return the error for an objective that is not finite at one step.

    Args:
        broken: the step, a `Broken`.
    """
    step = broken.step
    seen = "the gradient is not finite" if np.isfinite(broken.objective) else f"the objective is {broken.objective}"
    what, where, fix = _find(broken)
    slower = "a smaller learning rate, a clipped gradient (optax.clip_by_global_norm), or better initial values"
    first = "data and covariates that are finite and inside of the supports; better initial values"
    if step > 0 and all_finite(broken.batch):
        fix = slower if fix is None else f"{fix}; {slower}"
    return NonFiniteError(f"{seen} at step {step}: {what}", where=where, fix=fix or first)


def fall_of(history) -> str:
    """Say how far the objective fell, if its last tenth is far below its first tenth, else nothing."""
    history = history[np.isfinite(history)]
    tenth = len(history) // 10
    if tenth < 10:
        return ""
    first, last = history[:tenth], history[-tenth:]
    if np.mean(last) >= np.mean(first) - 10 * np.std(first):
        return ""
    return f"the objective fell from {np.mean(first):.4g} to {np.mean(last):.4g} nats; is the learning rate negative?"


def _find(broken):
    """Return what is wrong, where, and the fix or None."""
    seen = broken.seen
    for path, leaf in jax.tree_util.tree_leaves_with_path(broken.state.params):
        if not all_finite(leaf):
            name = jax.tree_util.keystr(path)
            return f"params{name} is not finite.", f"params{name}", None
    try:
        model, guide = seen.programs(seen.params)
    except VIPLError as error:  # the step had the batch as a tracer, whose values no program looks at
        return error.what, error.where, error.fix
    if np.isfinite(broken.objective):
        return _find_gradient(seen.programs, seen.params, seen.key)
    for draw in (seen.key, *jax.random.split(seen.key, _DRAWS)):
        if found := _find_term(model, guide, draw):
            return found
    return "each site's term is finite, and their sum is not.", "the objective", None


def _find_gradient(programs, params, key):
    model, guide = programs(params)
    _, (sites, terms) = _terms(key, model, guide)
    found = find_bad_gradient(programs, params, key, sites, terms)
    if found is None:
        return "that of each site's term is, and that of their sum is not.", "the objective", None
    what = f"that of the log_prob of {found.role} site {found.address!r} is {found.value} for params{found.param}."
    where = _sources(guide if found.role == "guide" else model).get(found.address, f"site {found.address!r}")
    return what, where, "jnp.where around the argument, not the result, of a function without a slope there"


def _find_term(model, guide, key):
    """Return which site's term is not finite in one draw, where, and the fix or None; None if each is finite."""
    _, (sites, terms) = _terms(key, model, guide)
    sources = _sources(guide)
    for address, (distribution, value, log_prob) in sites.items():
        where = sources.get(address, f"site {address!r}")
        for name, bad, constraint in parameter_violations(distribution):
            return (
                f"guide site {address!r} has parameter {name!r} = {_first_bad(bad)}, which must lie in: "
                f"{describe_constraint(constraint)}.",
                where,
                f"a constrained parameter: vipl.param({name!r}, …, constraint={constraint_name(constraint)})",
            )
        if not np.all(np.isfinite(np.asarray(value, float))) or not np.all(np.isfinite(np.asarray(log_prob))):
            return (
                f"guide site {address!r} draws {np.asarray(value)} with log_prob {np.asarray(log_prob)}.",
                where,
                None,
            )
    sources = _sources(model)
    for address, (distribution, log_prob) in terms.items():
        if np.all(np.isfinite(np.asarray(log_prob))):
            continue
        where = sources.get(address, f"site {address!r}")
        for name, bad, constraint in parameter_violations(distribution) if distribution is not None else ():
            return (
                f"model site {address!r} has parameter {name!r} = {_first_bad(bad)}, which must lie in: "
                f"{describe_constraint(constraint)}.",
                where,
                None
                if np.any(np.isnan(np.asarray(bad)))
                else "a prior, a transformation or the constraint of a vipl.param that keeps it there",
            )
        return f"the log_prob of model site {address!r} is {_first_bad(log_prob)}.", where, None
    return None


def _first_bad(values):
    """Return the first entry that is not finite, else the least, with its index."""
    values = np.asarray(values)
    bad = ~np.isfinite(values)
    index = np.unravel_index(np.argmax(bad) if bad.any() else np.argmin(values), values.shape)
    return f"{values[index]}" + (f" at index {tuple(int(i) for i in index)}" if index else "")


def _sources(program):
    return {s.statement.address: s.statement for s in program.stage().statements}
