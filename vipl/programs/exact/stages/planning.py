"""How the finite sites of a program are summed out: found before anything runs; refused where tables are too large."""

from __future__ import annotations

from vipl._core.errors import DensityError
from vipl._core.estimated_density import Body
from vipl.programs.exact.stages import parts
from vipl.programs.exact.stages.chain import NoChain, chain_plan
from vipl.programs.exact.stages.plan import Plan
from vipl.programs.exact.stages.stage import OUTSIDE, Handed, Stage
from vipl.programs.exact.stages.stage_of import stage_of
from vipl.programs.exact.tables.variables import Variable


def plan_of(body: Body, variables: list[Variable], most_states: int, purpose: str) -> Plan:
    """Return the stages of a program.

    Args:
        body: the program.
        variables: its finite sites, to be summed out.
        most_states: how many states a table may have.
        purpose: what is made of the program, for errors.

    Raises:
        DensityError: a table would have more.
    """
    by_key = {(v.name, OUTSIDE): v for v in variables}
    inputs = [Handed(a.shape, a.dtype, {}) for a in body.jaxpr.in_avals]
    whole = Plan(stage_of(parts.Whole(tuple(variables)), body, inputs, [], by_key, list(by_key), lambda _: ()))
    reason = None
    position = _chain(body, whole.head)
    if position is not None:
        try:
            whole = chain_plan(body, {v.name: v for v in variables}, position)
        except NoChain as no_chain:
            reason = str(no_chain)
    for stage in whole.stages:
        if stage.order.largest > most_states:
            _refuse(stage, body, most_states, purpose, reason)
    return whole


def _chain(body, whole: Stage) -> int | None:
    """Return the position of the scan whose steps are looked at together, or None."""
    depth = len(body.path)
    for variable in whole.variables:
        (path, *_) = (located.path for located in body.sites[variable.name])
        if (
            body.jaxpr.jaxpr.eqns[path[depth]].primitive.name == "scan"
            and 0 in variable.joint
            and variable.shape[0] > 1
        ):
            return path[depth]
    return None


def _refuse(stage: Stage, body, most_states, purpose, reason):
    names = list(dict.fromkeys(stage.keys[i][0] for i in stage.order.widest))
    states = stage.order.largest
    number = f"{states:,}" if states < 10**15 else "more than 10^15"
    whole = [
        f"all elements of {stage.keys[i][0]!r} along axis {a}"
        for i in stage.order.widest
        for a in stage.variables[i].joint
    ]
    raise DensityError(
        f"{purpose} by vipl.Exact needs a table of {number} states, of {', '.join(map(repr, names))}"
        + (f": {', '.join(whole)} are looked at together" if whole else "")
        + (f"; the scan cannot be taken step by step, for {reason}." if reason else "."),
        where=body.sites[names[0]][0].statement,
        fix=f"vipl.Importance(…), which draws; vipl.Exact(most_states=…) allows more than {most_states:,}",
    )
