"""`simulate`: run a program and record what happened."""

from __future__ import annotations

import functools

import jax

from vipl._core import ambient
from vipl._core.compat import varying_axes
from vipl._core.errors import ProgramError, RandomnessError
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl._core.statement import bind_again, over_lanes
from vipl.distributions.base_noise import is_pushed_forward, push_forward, transport
from vipl.distributions.subsample import subsample_indices
from vipl.distributions.unmasked import unmasked
from vipl.lang.improper import refuse_draw
from vipl.lang.program import Program
from vipl.lang.site import site_statement
from vipl.tracing.meaning import Meaning, score
from vipl.tracing.noise import LoopKeys, draw_noise
from vipl.tracing.record import run
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def simulate(program: Program, key=None) -> Trace:
    """Run a program: draw its latent sites, score its observed ones.

    Args:
        program: a Program.
        key: a key. Required, except inside `vipl.expectation`, where it must be absent: there the latent sites
            become choices, each with a gradient estimator.

    Returns:
        A `Trace`.

    Raises:
        RandomnessError: the key is missing, or given where none belongs; or the call is inside a program.
        AddressError: an address is used twice.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)
        >>> trace = vipl.simulate(model(), jax.random.key(0))
        >>> list(trace.choices), list(trace.observed)
        (['x'], ['y'])
    """
    here = ambient.current()
    check_program(program, "simulate")
    if here is not None and here.kind == "expectation":
        if key is not None:
            raise RandomnessError(
                "simulate inside an expectation takes no key: the expectation has the randomness.",
                where=user_source(),
                fix="vipl.simulate(program)",
            )
        surveyed = survey(program)
        return run(surveyed, Choose(surveyed, record=True), {})
    if here is not None:
        raise RandomnessError(
            f"simulate inside a program would draw {program.name} behind its back: no address, no density.",
            where=user_source(),
            fix=f'vipl.sample("address", {program.name}(…)) makes it a part of this program',
        )
    key = as_key(key, "simulate")
    surveyed = survey(program, varying_axes(key))
    return run(surveyed, Draw(surveyed, record=True), draw_noise(key, surveyed.random))


def check_program(program, caller: str) -> None:
    """Refuse what is not a Program."""
    if not isinstance(program, Program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"vipl.{caller} needs a program and got {name}.",
            where=user_source(),
            fix=f"the program comes first: vipl.{caller}(program, …)"
            if hasattr(program, "dtype")
            else f"call the program function with its arguments: vipl.{caller}({name}(…), …)",
        )


class Draw(Meaning):
    """Latent sites are drawn from the noise they are given."""

    def latent(self, path, statement, leaves, given):
        """Push the noise through the distribution."""
        return draw_site(statement, leaves, given)

    def indices(self, path, statement, given):
        """Draw indices without replacement."""
        if isinstance(given, LoopKeys):
            given = given.noise(statement)
        return draw_indices(statement, given)

    def at_iteration(self, given, iteration):
        """Fold the round into the key of a site in a `while_loop`."""
        return given.at_iteration(iteration) if isinstance(given, LoopKeys) else given


def draw_site(statement, leaves, noise):
    """Push noise through the distribution of a site; returns the value and its log_prob."""
    refuse_draw(statement)
    if isinstance(noise, LoopKeys):
        noise = noise.noise(statement)

    def one(*xs):
        value, density = transport(statement.distribution(xs[:-1]), xs[-1])
        return value.astype(statement.dtype), density  # floating, if an estimator asks for that

    return over_lanes(one, statement.lanes, extra=1)(*leaves, noise)


def draw_indices(statement, key):
    """Draw the indices of a subsampled plate; the key has every lane in front."""

    def one(key):
        return subsample_indices(key, statement.size, statement.shape[0])

    return over_lanes(one, statement.lanes, extra=1)(key)


class Choose(Meaning):
    """Inside an expectation: latent sites become choices of the objective that is being staged."""

    rebinds = True

    def latent(self, path, statement, leaves, given):
        """Bind the site again, as a choice."""
        return choose_site(self, statement, leaves)

    def indices(self, path, statement, given):
        """Bind the plate again."""
        return bind_again([], statement)


def choose_site(handler: Meaning, statement, leaves):
    """Bind a site as a choice of the objective that is being staged; returns the value and its log_prob.

    A transformed distribution becomes a choice of its base, pushed forward: the same law, a density without any
    inverse, and an estimator for the base serves.
    """
    token = object()  # two runs of one program make two choices
    value, density = choose(statement, leaves, token)
    if density is None:
        density = score(statement, leaves, value, guard=False)
    # A masked density is not the one that the choice was drawn by.
    distribution = statement.distribution(leaves)
    own = token if unmasked(distribution) is distribution else None
    return value, handler.marked(statement, leaves, value, density, own)


def choose(statement, leaves, token, *, scored=True):
    """Bind a site as a choice; return its value, and its log density where a transform makes it known, else None."""
    refuse_draw(statement)
    distribution = statement.distribution(leaves)
    if statement.lanes or not is_pushed_forward(distribution):
        return bind_again(leaves, statement, token=token), None
    arrays = leaves[statement.structure.num_leaves :]
    return push_forward(distribution, functools.partial(_choose_leaf, statement, token, arrays), scored=scored)


def _choose_leaf(statement, token, arrays, leaf, batch_shape):
    leaf = leaf if leaf.batch_shape == batch_shape else leaf.expand(batch_shape)
    choice = site_statement(statement.address, statement.source, leaf, ambient.current(), None, statement.estimator)
    return bind_again([*jax.tree.leaves(leaf), *arrays], choice, token=token)
