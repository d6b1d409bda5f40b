"""Draws from flat priors, which there are none of: a model with one is fitted, not simulated."""

from __future__ import annotations

from vipl._core.errors import ProgramError


def refuse_draw(statement) -> None:
    """Say that a latent site cannot be drawn, if its distribution is improper."""
    if statement.improper:
        raise ProgramError(
            f"site {statement.address!r} has the improper prior {statement.distribution_name}, which has a density and "
            "no draws.",
            where=statement,
            fix=f"a proper prior, such as dist.Normal(0.0, 9.0); or its value, program | {{{statement.address!r}: …}}; "
            "vipl.log_density, vipl.infer and posterior.predict need no draw of it",
        )
