"""Posterior prediction: a program run again, from posterior draws, with new data."""

from __future__ import annotations

import dataclasses
import functools

import jax

from vipl._core.errors import AddressError, DensityError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.factor import DeterministicStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.programs.marginal import marginal_program
from vipl.tracing.meaning import SiteOutput, score
from vipl.tracing.noise import draw_noise
from vipl.tracing.record import run
from vipl.tracing.simulate import Draw, check_program, simulate
from vipl.tracing.survey import Survey, survey


def predict(guide: Program, program: Program, key, num_samples: int, *, only_deterministic: bool = False) -> dict:
    """Draw observed and deterministic values of `program` from draws of `guide`; see `Posterior.predict`."""
    check_program(program, "predict")
    source = user_source()
    fitted = survey(guide).latents
    absent = () if only_deterministic else tuple(a for a in survey(program).latents if a not in fitted)
    program = program if only_deterministic else whole_program(program)
    surveyed = survey(program)
    if not only_deterministic:
        _refuse_observed_marginals(surveyed)
    for address in fitted:
        if address not in surveyed.latents:
            raise AddressError(
                f"the posterior has {address!r}, and {program.name} has no latent site of that name."
                + did_you_mean(address, surveyed.latents),
                where=source,
                fix="predict with the model that was fitted, on other covariates",
            )
    return _predictions(guide, program, jax.random.split(key, num_samples), only_deterministic, absent)


def whole_program(program: Program) -> Program:
    """Return the program that a marginal is of: what is integrated out is drawn anew, as the data are."""
    while program.fn is marginal_program:
        inner = program.args[0]
        program = inner.replace(
            observations=inner.observations | program.observations,
            params=(inner.params or {}) | (program.params or {}) or None,
        )
    return program


def _refuse_observed_marginals(surveyed: Survey) -> None:
    for address, (located, *_) in surveyed.observed.items():
        if located.statement.parts:
            raise DensityError(
                f"{address!r} is observed in a marginal or normalized program inside of {surveyed.program.name}, whose "
                "data cannot be drawn anew there.",
                where=located.statement,
                fix="posterior.predict(key, program) with a program that has the sites themselves in place of the "
                "marginal",
            )


@functools.partial(jax.jit, static_argnums=(3, 4))
def _predictions(guide, program, keys, only_deterministic, absent):
    return jax.vmap(lambda key: _one(guide, program, key, only_deterministic, absent))(keys)


def _one(guide, program, key, only_deterministic, absent):
    choices = simulate(guide, key).choices  # the draws that `Posterior.sample` makes with this key
    trace = completed(program, choices, jax.random.fold_in(key, 1))
    new = {} if only_deterministic else dict(trace.observed)
    return dict(trace.deterministics) | new | {address: trace[address] for address in absent}


def completed(program: Program, choices, key):
    """Return a trace of `program` whose latent sites have the given values; all others are drawn, observed ones too."""
    surveyed = survey(program)
    random = surveyed.of_kind((SampleStatement, IndicesStatement))
    drawn = [s for s in random if s.statement.address not in choices] + surveyed.auxiliaries
    values = {s.path: choices[s.statement.address] for s in random if s.statement.address in choices}
    return run(surveyed, Predict(surveyed, frozenset(values)), draw_noise(key, drawn) | values)


def recorded(program: Program, choices: dict, key) -> dict:
    """Return the choices, and the deterministic values of the program with them."""
    if not survey(program).of_kind(DeterministicStatement):
        return choices
    return choices | dict(completed(program, choices, key).deterministics)


class Predict(Draw):
    """Latent sites take the posterior's draws; all other sites are drawn, observed ones too.

    `paths` are those of the sites with such a draw.
    """

    def __init__(self, surveyed, paths):
        super().__init__(surveyed, record=True)
        self.paths = paths

    def fixes(self, path) -> bool:
        """Return whether the posterior has the site."""
        return path in self.paths

    def given(self) -> dict:
        """Return the values that are set; observations are replaced by draws."""
        values = self.surveyed.interventions
        statements = self.surveyed.staged.statements
        return {s.path: values[s.statement.address] for s in statements if s.statement.address in values}

    def sample(self, path, statement, operands, given):
        """Draw a site, or take its posterior draw."""
        leaves = operands[:-1] if statement.observed else operands
        lanes = tuple(dataclasses.replace(lane, mapped=lane.mapped[: len(leaves)]) for lane in statement.lanes)
        unobserved = dataclasses.replace(statement, lanes=lanes, observed=False)
        if path in self.paths:
            value, scores = given, score(unobserved, leaves, given)
        else:
            value, scores = self.latent(path, unobserved, leaves, given)
        return value, SiteOutput(value, scores, statement.distribution(leaves))
