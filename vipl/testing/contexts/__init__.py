"""Contexts: the places where a choice can stand, each as an objective program with its exact twin.

`context` says what one is. Those are alone, in plates and in lanes (`lanes`), in loops, branches and calls
(`control_flow`), and beside and before other choices (`neighbours`).
"""

from vipl.testing.contexts import control_flow, lanes, neighbours
from vipl.testing.contexts.context import CONTEXTS, Context

__all__ = ["CONTEXTS", "Context", "control_flow", "lanes", "neighbours"]
