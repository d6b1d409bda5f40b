"""`init_params`: where the learnable values of programs start."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.constructs import Conditional
from vipl._core.errors import ParameterError, SupportError
from vipl._core.interpreter import interpret
from vipl._core.keys import as_key
from vipl._core.statement import over_lanes
from vipl.distributions.log_prob import interior
from vipl.lang.param import check_inside
from vipl.lang.program import Program
from vipl.tracing.meaning import ValueOutput
from vipl.tracing.noise import LoopKeys, draw_noise
from vipl.tracing.simulate import Draw, check_program
from vipl.tracing.survey import survey


def init_params(key, *programs: Program) -> dict:
    """Collect the initial values of all `vipl.param` statements, unconstrained.

    Args:
        key: a key, for values that start at random.
        *programs: Programs; typically a model and a guide.

    Returns:
        A dict from address to unconstrained array, the pytree that training works on and `vipl.with_params` takes.

    Raises:
        RandomnessError: no key.
        ParameterError: two programs have a param of one address, or a value starts outside of its constraint.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def guide():
        ...     vipl.sample("x", dist.Normal(vipl.param("loc", 0.5), 1.0))
        >>> vipl.init_params(jax.random.key(0), guide())
        {'loc': Array(0.5, dtype=float32...)}
    """
    key = as_key(key, "init_params")
    params, owner = {}, {}
    for i, program in enumerate(programs):
        check_program(program, "init_params")
        for address, (statement, value, unconstrained) in _initial(key, i, program).items():
            if address in params and statement.parts and statement.source == owner[address][1]:
                continue  # of the program that is marginalised or normalised here: it is one and the same
            if address in params:
                raise ParameterError(
                    f"param {address!r} is in {owner[address][0]} and in {program.name}: they would be trained as one.",
                    where=statement,
                    fix="another address for one of them; to share a value on purpose, make it an argument of both "
                    "programs and train it with vipl.infer(…, params=…)",
                )
            check_inside(value, statement.constraint, address, statement)
            params[address] = unconstrained
            owner[address] = (program.name, statement.source)
    return params


def _initial(key, position: int, program) -> dict:
    """Return statement, value and unconstrained value of every param of one program."""
    surveyed = survey(program)
    for address, group in surveyed.params.items():
        if len(group) > 1 or group[0].loop is not None:
            raise ParameterError(
                f"param {address!r} is in a branch or a while_loop.",
                where=group[0].statement,
                fix="create it before, and use its value inside",
            )
    values = _values(key, np.int32(position), program) if surveyed.params else {}
    return {address: (surveyed.params[address][0].statement, *values[address]) for address in surveyed.params}


@jax.jit
def _values(key, position, program) -> dict:
    """Run a program for the sake of its params alone; compiled, so that the rest of it costs nothing."""
    key, surveyed = jax.random.fold_in(key, position), survey(program)
    handler = Initialise(surveyed, key)
    given = handler.given() | draw_noise(jax.random.fold_in(key, 0), surveyed.random)
    _, outputs = interpret(surveyed.staged.jaxpr, surveyed.staged.consts, [], handler, given)
    found = {}
    for address, (located,) in surveyed.params.items():
        output, statement = outputs[located.path], located.statement
        value = output.output.value if isinstance(output, Conditional) else output.value
        value = value[(0,) * len(located.axes)]
        found[address] = (value, jnp.asarray(statement.unconstrain(value), statement.dtype))
    return found


class Initialise(Draw):
    """Runs the program from the initial values and puts them out."""

    def __init__(self, surveyed, key):
        super().__init__(surveyed, record=True)
        positions = {address: i for i, address in enumerate(surveyed.params)}
        self.key_of = {a: jax.random.fold_in(key, 1 + i) for a, i in positions.items()}

    def param(self, path, statement, operands, given):
        """Start the value."""
        if statement.address in self.params:
            value = statement.constrain(self.params[statement.address])
        elif operands:
            value = jnp.asarray(operands[0])
        else:
            value = jnp.asarray(statement.init(self.key_of[statement.address]), statement.dtype)
        return value, ValueOutput(value)

    def latent(self, path, statement, leaves, given):
        """Draw, or take some value of a flat prior, of which there are no draws."""
        if not statement.improper:
            return super().latent(path, statement, leaves, given)

        def one(*xs):
            value = interior(statement.distribution(xs[:-1]), jnp.zeros(statement.shape, statement.dtype))
            if value is None:
                raise SupportError(
                    f"no value is known in the support of the flat prior at site {statement.address!r}.",
                    where=statement,
                    fix="a support of numpyro.distributions.constraints, or a flat prior on the real line, transformed",
                )
            return jnp.broadcast_to(value, statement.shape).astype(statement.dtype), jnp.zeros(())

        noise = given.noise(statement) if isinstance(given, LoopKeys) else given
        return over_lanes(one, statement.lanes, extra=1)(*leaves, noise)
