"""The sites that a program with an estimated density shows to the program around: fixed, drawn or observed there."""

from __future__ import annotations

from vipl._core.errors import DensityError, ProgramError
from vipl._core.estimated_density import Body
from vipl.tracing.meaning import Meaning


def fixed_values(body: Body, handler: Meaning, names, given: dict) -> dict | None:
    """Return the values of the sites of the surface by name where they are given, or None where they are drawn.

    Raises:
        DensityError: some are given and some are drawn.
        ProgramError: `do` sets one.
    """
    _refuse_interventions(body, handler, names)
    observed = observed_values(body, handler, names, given)
    latent = [name for name in names if name not in observed]
    drawn = [name for name in latent if not handler.fixes(body.sites[name][0].path)]
    if not drawn:
        return {name: observed[name] if name in observed else given[body.sites[name][0].path] for name in names}
    if len(drawn) < len(latent):
        raise DensityError(
            f"{', '.join(map(repr, drawn))} would be drawn given other sites of a marginal or normalized program, "
            "which are only drawn together.",
            where=body.sites[drawn[0]][0].statement,
            fix="keep all of its sites, or none; or give vipl.Importance a proposal for them",
        )
    return None


def observed_values(body: Body, handler: Meaning, names, given: dict) -> dict:
    """Return the values of the sites of the surface that are observed, by name."""
    found = dict(body.observed)
    for name in names:
        located = body.sites[name][0]
        if located.statement.address in handler.surveyed.observations:
            found[name] = given[located.path]
    return {name: found[name] for name in names if name in found}


def refuse_observed(body: Body, handler: Meaning, names, given: dict) -> None:
    """Refuse to draw the sites of a posterior of which one is observed.

    Raises:
        DensityError: there is one.
    """
    for name in observed_values(body, handler, names, given):
        raise DensityError(
            f"{name!r} is observed in a normalized program, which only draws all of its sites together.",
            where=body.sites[name][0].statement,
            fix=f"vipl.normalize(program | {{{name!r}: value}}, …): observe first, then normalise",
        )


def _refuse_interventions(body: Body, handler: Meaning, names) -> None:
    for name in names:
        for located in body.sites.get(name, ()):
            if located.statement.address in handler.surveyed.interventions:
                raise ProgramError(
                    f"vipl.do sets {located.statement.address!r} in a marginal or normalized program.",
                    where=located.statement,
                    fix=f"intervene first: vipl.marginal(vipl.do(program, {{{name!r}: value}}), …)",
                )
