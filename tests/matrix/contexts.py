"""All contexts."""

from matrix import control_flow, lanes, neighbours
from matrix.context import CONTEXTS, Context

__all__ = ["CONTEXTS", "Context", "control_flow", "lanes", "neighbours"]
