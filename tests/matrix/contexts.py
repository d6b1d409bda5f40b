"""All contexts; a part of `vipl.testing`."""

from vipl.testing.contexts import CONTEXTS, Context, control_flow, lanes, neighbours

__all__ = ["CONTEXTS", "Context", "control_flow", "lanes", "neighbours"]
