"""The meaning of programs: what they draw, and how likely they make a value."""

from vipl.tracing.log_density import log_density
from vipl.tracing.parameters import init_params
from vipl.tracing.simulate import simulate
from vipl.tracing.trace import Site, Trace

__all__ = ["Site", "Trace", "init_params", "log_density", "simulate"]
