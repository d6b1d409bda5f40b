"""Particles: independent draws from a guide, each with its importance weight against a model."""

from __future__ import annotations

from vipl._core.interpreter import Located
from vipl._core.statement import bind_again
from vipl._core.static import partition
from vipl.lang.program import Program
from vipl.lang.vmap import vmap
from vipl.objectives.requirements import refuse_observations, refuse_other_subsamples
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def draw(guide: Program, by=simulate) -> Trace:
    """Return a draw from a guide.

    Args:
        guide: a Program.
        by: `simulate`, or `propose`, whose draws are constants to the derivative.

    Raises:
        AddressError: the guide observes.
    """
    trace = by(guide)
    refuse_observations(trace)
    return trace


def log_weight(model: Program, trace: Trace):
    """Return log p(z, y) − log q(z) of a draw z, in nats."""
    return log_density(model, trace) - trace.log_density


def over_particles(function, num_particles: int, *args):
    """Map a function over particles, as lanes whose sites draw independently; arrays in `args` have one axis more."""
    arrays, skeleton = partition(args)
    return vmap(lambda *lane: function(*skeleton.fill(lane)), axis_size=num_particles)(*arrays)


def with_shared_subsamples(model: Program, guide: Program) -> tuple[Program, Program]:
    """Return model and guide with the indices of their subsampled plates drawn, so that all particles share them.

    Weights are compared with each other, so they must be of the same data.

    Raises:
        ShapeError: model and guide would look at other data.
    """
    refuse_other_subsamples(model, guide)
    indices: dict = {}
    for program in (guide, model):
        for name, (located, *_) in survey(program).indices.items():
            if name not in indices:
                indices[name] = _draw_indices(located)
    return _given(model, indices), _given(guide, indices)


def _draw_indices(located: Located):
    function = lambda: bind_again([], located.statement)  # noqa: E731
    for size in reversed(located.axes):
        function = vmap(function, axis_size=size)
    return function()


def _given(program: Program, indices: dict) -> Program:
    own = {name: indices[name] for name in survey(program).indices}
    return program | own if own else program
