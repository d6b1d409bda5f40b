"""What a context is; a part of `vipl.testing`."""

from vipl.testing.contexts.context import CONTEXTS, SCALES, Context, context, cost, dependent_pair, grid, shift, stacked

__all__ = ["CONTEXTS", "SCALES", "Context", "context", "cost", "dependent_pair", "grid", "shift", "stacked"]
