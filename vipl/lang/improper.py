"""Draws from flat priors, which there are none of: a model with one is fitted, not simulated."""

from __future__ import annotations

from vipl._core.errors import ProgramError


def refuse_draw(statement) -> None:
    """Say that a latent site cannot be drawn, if its distribution is improper."""
    if not statement.improper:
        return
    # A particle's site has an address that the user has never seen, and the name that it has in the program.
    address = statement.parts[0].name if statement.hidden else statement.address
    if statement.hidden:
        fix = f"a program that draws {address!r}, vipl.Importance(proposal); or a proper prior"
    else:
        fix = f"a proper prior, such as dist.Normal(0.0, 10.0); or its value, program | {{{address!r}: …}}; "
        fix += "vipl.log_density, vipl.infer and posterior.predict need no draw of it"
    raise ProgramError(
        f"site {address!r} has the improper prior {statement.distribution_name}, which has a density and no draws.",
        where=statement,
        fix=fix,
    )
