"""The handler that gives statements their probabilistic meaning; `simulate` and `log_density` complete it.

One method for each kind of statement, found in a table. What differs between the meanings is only what happens
at a latent site and at a subsampled plate; the rest is here.
"""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.errors import ParameterError, RandomnessError
from vipl._core.statement import over_lanes
from vipl.distributions.log_prob import log_prob
from vipl.lang.factor import DeterministicStatement, FactorStatement
from vipl.lang.param import ParamStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.site import SampleStatement
from vipl.tracing.own_density import mark_density
from vipl.tracing.survey import Survey


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SiteOutput:
    """What a site puts out: its value, its log_prob (unsummed, scaled) and its distribution."""

    value: jax.Array
    log_prob: jax.Array
    distribution: object


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FactorOutput:
    """What a factor puts out: its log weight, scaled."""

    log_prob: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ValueOutput:
    """What a deterministic or a subsampled plate puts out: its value."""

    value: jax.Array


class Meaning:
    """Base of the handlers. Subclasses define `latent` and `indices`.

    Args:
        surveyed: the program.
        record: whether sites put out values and distributions too, or only their log_prob.
    """

    rebinds = False
    fixed = False

    def __init__(self, surveyed: Survey, *, record: bool):
        self.surveyed, self.record = surveyed, record
        self.params = surveyed.program.params or {}
        here = ambient.current()
        self.in_expectation = here is not None and here.kind == "expectation"

    def given(self) -> dict:
        """Return the values of sites that are observed or set by address, at their paths."""
        values = self.surveyed.observations | self.surveyed.interventions
        statements = self.surveyed.staged.statements
        return {s.path: values[s.statement.address] for s in statements if s.statement.address in values}

    def __call__(self, path, statement, operands, given):
        """Give meaning to one statement; returns its value and its output."""
        if statement.address in self.surveyed.interventions:
            return given, None
        return getattr(self, _RULES[type(statement)])(path, statement, operands, given)

    def at_iteration(self, given, iteration):
        """Return what is given in one round of a `while_loop`."""
        del iteration
        return given

    def latent(self, path, statement, leaves, given):
        """Return value and log_prob (unscaled) of a latent site."""
        raise NotImplementedError

    def auxiliary(self, path, statement, leaves, given):
        """Return value and log_prob of a site that is drawn to estimate a density."""
        return self.latent(path, statement, leaves, given)

    def fixes(self, path) -> bool:
        """Return whether a latent site has a value that is given, rather than drawn."""
        del path
        return self.fixed

    def indices(self, path, statement, given):
        """Return the indices of a subsampled plate."""
        del path, given
        raise RandomnessError(
            f"plate {statement.address!r} draws a subsample, and there is no randomness here.",
            where=statement,
            fix="inside vipl.expectation it is drawn; otherwise give the indices: "
            f"program | {{{statement.address!r}: i}}",
        )

    def sample(self, path, statement, operands, given):
        """Meaning of a site."""
        leaves = operands[:-1] if statement.observed else operands
        if statement.address in self.surveyed.observations:
            value = given
            scores = self.marked(statement, leaves, value, score(statement, leaves, value))
        elif statement.observed:
            value = over_lanes(lambda *xs: jnp.asarray(xs[-1]), statement.lanes)(*operands)
            scores = self.marked(statement, leaves, operands[-1], score(statement, leaves, operands[-1], shared=True))
        else:
            value, scores = self.latent(path, statement, leaves, given)
        if statement.scale != 1.0:
            scores = scores * statement.scale
        if not self.record:
            return value, FactorOutput(scores)
        return value, SiteOutput(value, scores, statement.distribution(leaves))

    def marked(self, statement, leaves, value, density, of=None):
        """Return a log density, named in the objective that is being staged, if there is one."""
        if not self.in_expectation:
            return density
        made_from = (*leaves[: statement.structure.num_leaves], value)
        return mark_density(density, made_from, statement, self.surveyed.program.name, of)

    def factor(self, path, statement, operands, given):
        """Meaning of a factor."""
        del path, given
        weight = over_lanes(jnp.asarray, statement.lanes)(*operands)
        return weight, FactorOutput(weight * statement.scale if statement.scale != 1.0 else weight)

    def deterministic(self, path, statement, operands, given):
        """Meaning of a deterministic value."""
        del path, given
        value = over_lanes(jnp.asarray, statement.lanes)(*operands)
        return value, ValueOutput(value) if self.record else None

    def plate(self, path, statement, operands, given):
        """Meaning of a subsampled plate."""
        del operands
        known = statement.address in self.surveyed.observations
        value = given if known else self.indices(path, statement, given)
        return value, ValueOutput(value) if self.record else None

    def param(self, path, statement, operands, given):
        """Meaning of a parameter: its value if it has one, else where it starts."""
        del path, given
        if statement.address in self.params:
            return statement.constrain(self.params[statement.address]), None
        if not operands:
            raise ParameterError(
                f"param {statement.address!r} has no value yet: it starts from a key.",
                where=statement,
                fix="vipl.with_params(program, vipl.init_params(key, program))",
            )
        return jnp.asarray(operands[0]), None


def score(statement: SampleStatement, leaves, value, *, shared: bool = False, guard: bool = True):
    """Return the log_prob of a site's value, per element of its batch, lanes in front.

    Args:
        statement: the site.
        leaves: leaves of its distribution.
        value: its value, with every lane in front; with `shared` an operand like the leaves.
        shared: whether `value` is mapped as the statement's last operand is.
        guard: whether values outside of the support must come out as −inf.
    """

    def one(*xs):
        return log_prob(statement.distribution(xs[:-1]), xs[-1], guard=guard)

    if shared:
        return over_lanes(one, statement.lanes)(*leaves, value)
    lanes = [dataclasses.replace(lane, mapped=lane.mapped[: len(leaves)]) for lane in statement.lanes]
    value = jnp.asarray(value)
    precise = jnp.promote_types(value.dtype, statement.dtype)  # float32 given to a float64 program, 1 for 1.0
    value = value if value.dtype == precise else value.astype(precise)
    return over_lanes(one, lanes, extra=1)(*leaves, value)


_RULES = {
    SampleStatement: "sample",
    FactorStatement: "factor",
    DeterministicStatement: "deterministic",
    IndicesStatement: "plate",
    ParamStatement: "param",
}


def total(outputs: dict):
    """Return the sum of all log_probs, a scalar.

    Those of one shape are added up first: of a thousand numbers a sum costs more than what is summed. What the terms
    depend on is told apart all the same, since addition is linear.
    """
    added: dict = {}
    for term in map(log_prob_of, outputs.values()):
        if term is not None:
            kind = jnp.shape(term), jnp.result_type(term)
            added[kind] = added[kind] + term if kind in added else term
    terms = [jnp.sum(term) if shape else term for (shape, _), term in added.items()]
    return functools.reduce(jnp.add, terms) if terms else jnp.zeros(())


def unknown_of(output):
    """Return why a draw has no density, as `(where, why, fix)`, or None; also inside the record of a branch."""
    output = getattr(output, "output", output)
    return getattr(output, "unknown", None)


def log_prob_of(output):
    """Return the log_prob in an output, also inside the record of a branch, or None."""
    output = getattr(output, "output", output)
    return getattr(output, "log_prob", None)
