"""What a callback of `vipl.infer` sees."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class InferState:
    """What a callback of `infer` sees.

    Attributes:
        step: the number of steps done.
        params: the parameters after them, unconstrained; with several restarts, all runs' in front.
        objective_history: the objective at each of them, in nats; shape `(step,)`, or `(step, num_restarts)`.
    """

    step: int
    params: object
    objective_history: np.ndarray
