"""The graph of a model: which latent sites depend on which, given the data and the sites before them.

Read off the staged program: the arrays that reach a site's distribution. What is inside of a `scan`, a `cond` or
another construct is taken together, so that the graph may have an edge too many and never one too few.
"""

from __future__ import annotations

import itertools

from vipl._core.equations import flow
from vipl._core.interpreter import has_statements, statements_inside
from vipl._core.statement import statement_p
from vipl.lang.factor import FactorStatement
from vipl.lang.site import SampleStatement
from vipl.tracing.survey import Survey


def terms_of(surveyed: Survey) -> list[tuple[str, frozenset[str]]]:
    """Return of each site and factor, by address, the latent sites that its term looks at besides itself."""
    latents, terms = set(surveyed.latents), []

    def note(statement, incoming):
        own = {statement.address} & latents
        if isinstance(statement, (SampleStatement, FactorStatement)):
            terms.append((statement.address, frozenset(incoming - own)))
        return frozenset(own or incoming)

    def step(index, eqn, incoming):
        del index
        reached = frozenset().union(*incoming)
        if eqn.primitive is statement_p:
            return [note(eqn.params["statement"], reached)]
        if has_statements(eqn):
            inside = statements_inside(eqn)
            reached |= {s.address for s in inside} & latents
            for statement in inside:
                note(statement, reached)
        return [reached] * len(eqn.outvars)

    jaxpr = surveyed.staged.jaxpr
    flow(jaxpr, [frozenset()] * len(jaxpr.constvars), [], lambda _: frozenset(), step)
    return terms


def dependencies(surveyed: Survey, order: list[str]) -> dict[str, list[str]]:
    """Return of each site the sites before it that it depends on, given the data and all sites before it.

    Two sites are neighbours if a term looks at both. A site that is taken out, the last first, makes neighbours of its
    neighbours; those that it has then are what it depends on.

    Args:
        surveyed: the model.
        order: addresses of latent sites.
    """
    neighbours: dict[str, set[str]] = {address: set() for address in order}
    for address, others in terms_of(surveyed):
        for one, other in itertools.permutations((others | {address}) & neighbours.keys(), 2):
            neighbours[one].add(other)
    found = {}
    for address in reversed(order):
        around = neighbours.pop(address)
        for one in around:
            neighbours[one] = (neighbours[one] | around) - {one, address}
        found[address] = [other for other in order if other in around]
    return {address: found[address] for address in order}
